"""What options cost when they are on: millions of empty examples with and without."""
import os
import tempfile

from lib import svg, tables
from lib.bench import Report
from lib.measure import Cell, Results, alternate, run
from lib.peers import job

TITLE = "The price of options"
BUDGET = 110

choices = {
    "nothing": [], "--progress on": ["--progress", "on"], "--timeout 60": ["--timeout", "60"],
    "--memory 4G": ["--memory", "4G"], "--sandbox": ["--sandbox"], "--encrypt": ["--encrypt"],
    "--on-error continue": ["--on-error", "continue"], "--chunk 1000": ["--chunk", "1000"],
}


def measure(context):
    peers, results, cells = context.peers, Results(), []
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
        # The clock is a C module, which a sandbox keeps out.
        return [job("empty.lua")] if option == "--sandbox" else [job("handout.lua")]

    for ranks in (1, max(2, min(context.cores, 8))):
        for option, arguments in choices.items():
            if option.split()[0] in peers.options or not arguments:
                add("many", ranks, option, arguments, count)
        # A row in a database is another thing than an empty example: fewer do.
        for option, arguments in (("nothing", []), ("--journal", ["--journal", "DIRECTORY/journal"])):
            add("fewer", ranks, option, arguments, count // 10)
    alternate(results, cells, context.rounds, BUDGET, context.say)
    return results


def report(context, results):
    ranks = sorted({row[2] for row in results.rows if row[0] == "many"}, key=int)
    names = list(dict.fromkeys(row[1] for row in results.rows if row[0] in ("many", "fewer")))

    def extra(name, r):
        case = "fewer" if name == "--journal" else "many"
        value, base = (results.median(case, which, r, "each") for which in (name, "nothing"))
        return value - base if value is not None and base is not None else None

    def cell(name, r):
        case = "fewer" if name == "--journal" else "many"
        text = tables.with_spread(results, case, name, r, "each", lambda v: f"{1e9 * v:.0f}")
        over = extra(name, r)
        return text if name == "nothing" or over is None else f"{text}, {1e9 * over:+.0f}"

    head = ["ns per empty example, and over nothing"] + [f"{r} rank{'s' * (r != '1')}" for r in ranks]
    text = tables.table(head, [[name] + [cell(name, r) for r in ranks] for name in names])
    text += (
        "\n\nFrom the start of the program to its end, by 5 million empty examples; a tenth of that with --journal, whose "
        "excess is over as many without.")
    groups = [(name, [(f"{r} rank{'s' * (r != '1')}", 1e9 * (results.median("fewer" if name == "--journal" else "many", name, r, "each") or 0),
                       *(1e9 * v for v in results.spread("fewer" if name == "--journal" else "many", name, r, "each") or (0, 0)))
                      for r in ranks]) for name in names]
    return Report(text, {"options": svg.bars(TITLE, "ns per empty example", groups, logarithmic=True)})
