"""Reading and writing CSV and JSON, compared with lua-cjson and Python's csv and json: megabytes per second."""

import csv
import json
import os
import random
import tempfile

from lib import svg, tables
from lib.measure import Cell, Failed, run
from lib.peers import job
from lib.report import Report

TITLE = "CSV and JSON"
BUDGET = 60

# The target for each case, in MB/s.
cases = {
    "csv": ("CSV, rows by name", 100),
    "csv lists": ("CSV, rows as lists", 100),
    "csv numbers": ("CSV, rows by name, numbers told from text", 100),
    "json decode": ("JSON, read", 60),
    "json encode": ("JSON, written", 60),
    "json lines": ("JSON Lines, read from a file", 60),
}


def records(count):
    """Yields mixed records: integers and floats, words, a text with quotes, a list, a nested record."""
    draw = random.Random(1)
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split()
    for number in range(count):
        yield {
            "id": number,
            "name": draw.choice(words) + str(number),
            "score": draw.random() * 100,
            "rate": draw.choice([0.1, 0.01, 0.001]),
            "active": draw.random() < 0.5,
            "note": f'a longer text, with a "quote" and an ä, number {number}',
            "tags": [draw.choice(words) for _ in range(3)],
            "place": {"x": draw.randint(0, 999), "y": draw.randint(0, 999)},
        }


def write(directory, count):
    """Writes the same records in each format. Returns the paths, by the first word or two of a case."""
    paths = {name: os.path.join(directory, name.replace(" ", ".")) for name in ("csv", "json", "json lines")}
    rows = list(records(count))
    with open(paths["csv"], "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        flat = [{k: v for k, v in row.items() if not isinstance(v, (list, dict))} | row["place"] for row in rows]
        writer.writerow(flat[0])
        writer.writerows(row.values() for row in flat)
    with open(paths["json"], "w", encoding="utf-8") as file:
        json.dump(rows, file, ensure_ascii=False)
    with open(paths["json lines"], "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return paths


def measure(context, results):
    peers, cells = context.peers, []
    count, repeats = (5_000, "1") if context.quick else (100_000, "3")
    with tempfile.TemporaryDirectory() as directory:
        paths = write(directory, count)
        for case in cases:
            path = paths[case if case in paths else case.split()[0]]
            commands = {"dlp-lua": [*peers.solo(), job("inputs.lua"), "dlp"]}
            if case.startswith("json"):
                commands["lua-cjson"] = ["lua5.4", job("inputs.lua"), "cjson"]
            if peers.python and case != "csv numbers":
                commands["Python"] = [peers.python, job("inputs.py")]
            for name, command in commands.items():

                def measured(command=(*command, case, path, repeats), path=path):
                    said = run(list(command), context.environment)
                    if said["records"] != count:
                        raise Failed(f"{said['records']} records of {count}")
                    return {"rate": (said["bytes"] or os.path.getsize(path)) / said["seconds"] / 1e6}

                cells.append(Cell(case, name, 1, measured))
        context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    names, rows, groups, kept = results.systems(), [], [], []
    for case, (words, asked) in cases.items():
        ours = results.median(case, "dlp-lua", 1, "rate")
        cells = [tables.with_spread(results, case, name, 1, "rate") for name in names]
        ratios = [tables.ratio(ours, results.median(case, name, 1, "rate")) for name in names if name != "dlp-lua"]
        rows.append([words, *cells, *ratios])
        groups.append((words, [results.bar(name, case, name, 1, "rate") for name in names]))
        kept.append((f"{words}: at least {asked} MB/s", ours, None if ours is None else ours >= asked))
    heads = ["MB/s of the text", *names, *(f"times {name}" for name in names if name != "dlp-lua")]
    text = tables.table(heads, rows)
    text += (
        "\n\nMixed records of numbers, words, a text with quotes, a list and a record in it (CSV: without these two), on one "
        "rank, by processor time. Python's is csv.DictReader, csv.reader and json. lua-cjson writes 14 digits of a float, the others all."
    )
    targets = [tables.target(what, f"{seen:.0f} MB/s" if seen is not None else "?", met) for what, seen, met in kept]
    return Report(text, {"inputs": svg.bars(TITLE, "MB/s", groups, logarithmic=True)}, targets=targets)
