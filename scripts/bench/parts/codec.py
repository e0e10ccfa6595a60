"""The codec alone, beside lua-cjson, MessagePack for Lua and pickle: megabytes per second and size."""

import os
import sqlite3
import tempfile

from lib import svg, tables
from lib.measure import Cell, Failed, run
from lib.peers import job
from lib.report import Report

TITLE = "Encoding and decoding"
BUDGET = 40

kinds = {"numbers": "floats", "strings": "short strings", "records": "nested records", "string": "one string"}


def encoded_size(context, kind, amount):
    """Returns the size of the encoded value in bytes, read from a journal."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "journal")
        run([*context.peers.solo("--journal", path), job("size.lua"), kind, amount], context.environment)
        database = sqlite3.connect(path)
        try:
            (size,) = database.execute("select length(result) from results").fetchone()
        finally:
            database.close()
    return size


def measure(context, results):
    peers, cells = context.peers, []
    amount, repeats = ("1", "1") if context.quick else ("2", "3")
    commands = {"dlp-lua": [*peers.solo(), job("codec.lua"), "dlp"]}
    commands |= {
        name: ["lua5.4", job("codec.lua"), library]
        for name, library in (("lua-cjson", "cjson"), ("MessagePack for Lua", "MessagePack"))
    }
    if peers.python:
        commands["pickle"] = [peers.python, job("codec.py")]
    for kind in kinds:
        for name, command in commands.items():

            def measured(command=(*command, kind, amount, repeats)):
                said = run(list(command), context.environment)
                speeds = {"encode": said["bytes"] / said["encode"] / 1e6}
                # For dlp-lua, decoding is a difference of two times, which may be 0 for one string.
                if said["decode"] > 0:
                    speeds["decode"] = said["bytes"] / said["decode"] / 1e6
                speeds["both"] = said["bytes"] / (said["encode"] + said["decode"]) / 1e6
                return speeds | ({"size": said["size"] / said["bytes"]} if said["size"] else {})

            cells.append(Cell(kind, name, 1, measured))
    context.alternate(results, cells, context.rounds, BUDGET)
    for kind in kinds:
        try:
            size = encoded_size(context, kind, amount)
        except (Failed, sqlite3.Error, TypeError):
            continue
        results.add(kind, "dlp-lua", 1, "size", size / (int(amount) * 1e6))


def report(context, results):
    names = results.systems()
    rows, groups = [], []
    for kind, words in kinds.items():
        for way in ("encode", "decode", "both"):
            rows.append([f"{words}, {way}"] + [tables.with_spread(results, kind, name, 1, way) for name in names])
        rows.append([f"{words}, size"] + [tables.with_spread(results, kind, name, 1, "size") for name in names])
        groups.append((f"{words}, both", [results.bar(name, kind, name, 1, "both") for name in names]))
    text = tables.table(["MB/s; size by the bytes of the values"] + names, rows)
    text += (
        "\n\nFrom a table to a table through bytes, on one rank. A number counts eight bytes, a string its length; keys and "
        "format do not count. For dlp-lua encoding is a broadcast on one rank, which does nothing else; decoding is what a "
        "loop of one element takes beyond that. lua-cjson keeps 14 digits of a float, the others all."
    )
    return Report(text, {"codec": svg.bars("Encoding and decoding", "MB/s, both ways", groups, logarithmic=True)})
