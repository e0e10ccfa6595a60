"""Small results by the million: the memory that each takes on the root, and how fast a journal keeps them."""

import os
import tempfile

from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "Results, and a journal of them"
BUDGET = 150
KEPT, LOST, BARE = "dlp-lua, journal", "dlp-lua", "SQLite alone"


def counts(context):
    """Returns the lengths of two lists. The difference of their peaks tells what a result takes."""
    return (100_000, 500_000) if context.quick else (1_000_000, 10_000_000)


def measure(context, results):
    peers, cells = context.peers, []

    def add(case, system, ranks, command, number, once):
        def measured():
            with tempfile.TemporaryDirectory() as directory:
                filled = [word.replace("DIRECTORY", directory) for word in command]
                said = run(filled, context.environment, timeout=600)
            quantities = {"seconds": said["wall"], "per second": number / said["wall"]}
            return quantities | {name: said[name] for name in ("peak",) if name in said}

        cells.append(Cell(case, system, ranks, measured, once))

    for number, once in zip(counts(context), (False, True)):
        # This is first, because the other results say little without it.
        if peers.rows:
            add(number, BARE, 1, [peers.rows, "DIRECTORY/rows", str(number)], number, once)
        for ranks in (1, max(2, min(context.cores, 8))):
            start = peers.solo() if ranks == 1 else peers.ame(ranks)
            script = [job("results.lua"), str(number)]
            add(number, KEPT, ranks, [*start, "--journal", "DIRECTORY/journal", *script], number, once)
            add(number, LOST, ranks, [*start, *script], number, once)
    context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    cases = [row for row in dict.fromkeys(row[0] for row in results.rows) if row != "run"]
    ranks = results.ranks(*cases)
    rows = [
        [f"{name}, {tables.count_of_ranks(r)}"]
        + [tables.with_spread(results, case, name, r, "per second", lambda v: f"{v:,.0f}") for case in cases]
        + [tables.number(size(results, cases, name, r))]
        for name in results.systems(*cases)
        for r in ranks
        if any(results.values(case, name, r, "per second") for case in cases)
    ]
    head = ["results per second"] + [f"{int(case):,} results" for case in cases] + ["bytes for each, on the root"]
    text = tables.table(head, rows)
    text += (
        "\n\nEach result is a number, `summarize` gets all of them, and times are from the start of the programs to their "
        "end. *SQLite alone* is a C program that inserts the rows of such a journal in one transaction each second: the "
        "limit. Bytes are the difference of the root's peaks, over that of the lengths."
    )
    groups = [
        (name, [results.bar(tables.count_of_ranks(r), case, name, r, "per second", 1) for r in ranks])
        for name in results.systems(*cases)
        for case in cases[:1]
    ]
    figure = svg.bars(TITLE, "results per second", groups, logarithmic=True)
    return Report(text, {"results": figure}, targets(results, cases, ranks))


def size(results, cases, name, ranks):
    """Returns the bytes that each result takes on the root, from the peaks with two lengths."""
    peaks = [results.median(case, name, ranks, "peak") for case in cases]
    if len(peaks) < 2 or None in peaks:
        return None
    return (peaks[1] - peaks[0]) / (int(cases[1]) - int(cases[0]))


def targets(results, cases, ranks):
    shares = {}
    for case in cases:
        bare = results.median(case, BARE, 1, "per second")
        for r in ranks:
            ours = results.median(case, KEPT, r, "per second")
            if ours and bare:
                shares[f"{int(case):,} on {tables.count_of_ranks(r)}"] = ours / bare
    seen = ", ".join(f"{share:.2f} ({name})" for name, share in shares.items()) or "nothing"
    met = tables.all_met([share >= 0.5 for share in shares.values()], len(cases) * len(ranks))
    yield tables.target("a journal at half the pace of SQLite alone", seen, met)
