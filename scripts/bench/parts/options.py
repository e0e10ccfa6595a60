"""What options cost: millions of empty examples with and without them."""

import os
import tempfile

from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "The price of options"
BUDGET = 90

choices = {
    "nothing": [],
    "--progress on": ["--progress", "on"],
    "--timeout 60": ["--timeout", "60"],
    "--memory 4G": ["--memory", "4G"],
    "--sandbox": ["--sandbox"],
    "--encrypt": ["--encrypt"],
    "--on-error continue": ["--on-error", "continue"],
    "--chunk 1000": ["--chunk", "1000"],
}

journals = {
    "nothing": [],
    "--journal": ["--journal", "DIRECTORY/journal"],
    "--track": ["--track", "--journal", "DIRECTORY/journal"],
}


def measure(context, results):
    peers, cells = context.peers, []
    count = 250_000 if context.quick else 5_000_000

    def add(case, ranks, option, arguments, number):
        start = peers.solo() if ranks == 1 else peers.ame(ranks)

        def measured():
            with tempfile.TemporaryDirectory() as directory:
                filled = [argument.replace("DIRECTORY", directory) for argument in arguments]
                said = run([*start, *filled, *script(option), str(number), "0"], context.environment, timeout=120)
                return {"seconds": said["wall"], "each": said["wall"] / number}

        cells.append(Cell(case, option, ranks, measured))

    def script(option):
        # The clock is a C module, which a sandbox excludes.
        return [job("empty.lua")] if option == "--sandbox" else [job("handout.lua")]

    for ranks in (1, max(2, min(context.cores, 8))):
        for option, arguments in choices.items():
            # Not every version has every option, and a single rank has nothing to encrypt.
            if not arguments or (arguments[0] in peers.options and (ranks, option) != (1, "--encrypt")):
                add("many", ranks, option, arguments, count)
        # A row in a database takes much longer than an empty example, so fewer examples are enough.
        for option, arguments in journals.items():
            if not arguments or arguments[0] in peers.options:
                add("fewer", ranks, option, arguments, count // 10)
    context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    ranks, names = results.ranks("many"), results.systems("many", "fewer")

    def case(name):
        return "fewer" if name in ("--journal", "--track") else "many"

    def cell(name, r):
        text = tables.with_spread(results, case(name), name, r, "each", lambda v: f"{1e9 * v:.0f}")
        value, base = (results.median(case(name), which, r, "each") for which in (name, "nothing"))
        return text if name == "nothing" or None in (value, base) else f"{text}, {1e9 * (value - base):+.0f}"

    head = ["ns per empty example, and over nothing"] + [tables.count_of_ranks(r) for r in ranks]
    text = tables.table(head, [[name] + [cell(name, r) for r in ranks] for name in names])
    text += (
        "\n\nFrom the start of the program to its end, by 5 million empty examples; a tenth of that with --journal, and with "
        "--track beside it, whose excess is over as many without."
    )
    groups = [
        (name, [results.bar(tables.count_of_ranks(r), case(name), name, r, "each", 1e9) for r in ranks])
        for name in names
    ]
    return Report(text, {"options": svg.bars(TITLE, "ns per empty example", groups, logarithmic=True)})
