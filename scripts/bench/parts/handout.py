"""How many empty examples are handed out per second. The root keeps the results."""

from lib import handing, svg, tables
from lib.measure import Cell, run
from lib.report import Report

TITLE = "Hand-out of empty examples"
BUDGET = 170


def measure(context, results):
    peers, cells = context.peers, []
    share = 0.05 if context.quick else 0.5

    def cell(name, ranks, count, command, once=False):
        def measured():
            report = run(command, context.environment, timeout=90)
            return {"rate": count / report["seconds"], "seconds each": report["seconds"] / count}

        return Cell("empty", name, ranks, measured, once)

    count = int(5e6 * (0.1 if context.quick else 1))
    cells.append(cell("plain Lua loop", 1, count, handing.plain(peers, handing.LUA, count, 0)))
    if peers.python:
        count = int(4e6 * share)
        cells.append(cell("plain Python loop", 1, count, handing.plain(peers, handing.PYTHON, count, 0)))
    for system in handing.systems(peers):
        for ranks in system.ranks:
            # dlp_mpi's AME waits 90 ms for each example of a rank, so more ranks do more.
            count = int(max(40, system.guess * share, 4 * ranks))
            cells.append(cell(system.name, ranks, count, system.command(ranks, count, 0), system.once))
    context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    ranks, names = results.ranks("empty"), results.systems("empty")
    best = {r: results.median("empty", "dlp_mpi, mpi4py", r, "rate") for r in ranks}

    def cell(name, r):
        rate = results.median("empty", name, r, "rate")
        text = tables.with_spread(results, "empty", name, r, "rate", lambda value: tables.number(value / 1000))
        return f"{text}, {tables.ratio(rate, best[r])}" if rate and best[r] else text

    head = ["thousands per second, × dlp_mpi on mpi4py"] + [tables.count_of_ranks(r) for r in ranks]
    text = tables.table(head, [[name] + [cell(name, r) for r in ranks] for name in names])
    text += (
        "\n\nAn example gives its number back. The clock starts when all ranks are there and stops when the root has "
        "all results; GNU parallel is measured from its start, and with the program `true` for an example. In the peers "
        "on MPI rank 0 hands out and does no work. Overhead per example and rank, in the targets, is time × min(ranks, cores) "
        "/ examples, less the plain loop's time for one."
    )
    groups = [
        (name, [results.bar(tables.count_of_ranks(r), "empty", name, r, "rate") for r in ranks]) for name in names
    ]
    figure = svg.bars("Empty examples per second", "examples per second", groups, logarithmic=True)
    glance = tables.glance(
        results,
        "empty examples handed out per second, 4 ranks",
        "empty",
        "rate",
        "4",
        "dlp-lua map, AME",
        "dlp_mpi, mpi4py",
    )
    return Report(text, {"handout": figure}, targets(context, results), glance)


def targets(context, results):
    lines = []
    plain = results.median("empty", "plain Lua loop", 1, "seconds each")
    for backend in ("AME", "MPI"):
        ours = {r: results.median("empty", f"dlp-lua map, {backend}", r, "rate") for r in (2, 4, 16)}
        theirs = {r: results.median("empty", "dlp_mpi, mpi4py", r, "rate") for r in (2, 4, 16)}
        ratios = {r: ours[r] / theirs[r] for r in ours if ours[r] and theirs[r]}
        seen = ", ".join(f"{tables.number(ratio)}× on {r} ranks" for r, ratio in ratios.items()) or "nothing"
        lines.append(
            tables.target(
                f"hand-out in map mode over {backend} at least 10 times that of dlp_mpi on mpi4py",
                seen,
                tables.all_met([ratio >= 10 for ratio in ratios.values()], len(ours)),
            )
        )
    if plain:
        ours = [("dlp-lua map", 1)] + [(f"dlp-lua map, {backend}", r) for backend in ("AME", "MPI") for r in (2, 4, 16)]
        over = {}
        for name, ranks in ours:
            each = results.median("empty", name, ranks, "seconds each")
            if each:
                over[f"{name}, {ranks}"] = each * min(ranks, context.cores) - plain
        seen = ", ".join(f"{value * 1e6:.2f} µs ({name})" for name, value in over.items())
        lines.append(
            tables.target(
                "at most 0.3 µs per example and rank over the stock interpreter's plain loop",
                seen or "nothing",
                tables.all_met([value <= 0.3e-6 for value in over.values()], len(ours)),
            )
        )
    return lines
