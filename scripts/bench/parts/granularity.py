"""The smallest granularity that pays: METG of Task Bench (Slaughter et al., SC20)."""

import math
import statistics

from lib import handing, svg, tables
from lib.measure import Cell, run
from lib.report import Report

TITLE = "Minimum effective task granularity (METG)"
BUDGET = 250
LONGEST = 4  # A point that would take more seconds is left out.


def calibrated(context, language):
    """Returns the seconds per turn of the kernel in the language's plain loop."""
    turns = {handing.PYTHON: 1_000_000}.get(language, 10_000_000)
    times = [
        run(handing.plain(context.peers, language, 4, turns), context.environment)["seconds"] / (4 * turns)
        for _ in range(1 if context.quick else 3)
    ]
    return min(times)


def points(context, system, ranks, turn):
    """Returns a function that measures the efficiency at some granularities around the cost of a hand-out."""
    cores = min(ranks, context.cores)
    total = (0.1 if context.quick else 0.3) * cores

    def at(work, overhead):
        turns = max(1, round(work / turn))
        work = turns * turn
        count = int(min(max(total / (work + overhead), 2 * ranks * system.chunk), 2e6))
        if count * (work + overhead) / cores > LONGEST:
            return None
        seconds = run(system.command(ranks, count, turns), context.environment)["seconds"]
        return seconds * cores / count, count * work / (seconds * cores)

    def measured():
        found, overhead = {}, cores / system.guess

        def measure_at(factor):
            point = at(factor * overhead, overhead)
            if point:
                found[f"efficiency at {point[0]:.4g}"] = point[1]
            return point or (0, 1)

        # The first point shows the real cost of a hand-out; the others are placed around the expected 50 % and 90 %.
        granularity, efficiency = measure_at(1)
        overhead = max(granularity * (1 - efficiency), overhead / 100)
        for factor in (0.3, 4, 12, 30):
            if factor < 1 and efficiency < 0.5:
                continue
            if measure_at(factor)[1] > 0.93:
                break
        points = sorted((float(quantity.split()[-1]), value) for quantity, value in found.items())
        metg = {f"METG {share:.0%}": smallest(points, share) for share in (0.5, 0.9)}
        return found | {quantity: value for quantity, value in metg.items() if value is not None}

    return measured


def measure(context, results):
    cells = []
    turn = {}
    for system in handing.systems(context.peers):
        if system.language not in turn:
            turn[system.language] = calibrated(context, system.language)
            results.add("kernel", system.language, 1, "seconds a turn", turn[system.language])
        for ranks in system.ranks:
            found = points(context, system, ranks, turn[system.language])
            cells.append(Cell("metg", system.name, ranks, found, system.once))
    context.alternate(results, cells, min(context.rounds, 3), BUDGET)


def curve(results, name, ranks):
    """Returns the points (granularity, efficiency) of all rounds, sorted by granularity."""
    found = [
        (float(quantity.split()[-1]), value)
        for case, system, r, quantity, value, _ in results.rows
        if case == "metg" and system == name and r == str(ranks) and quantity.startswith("efficiency")
    ]
    return sorted(found)


def smooth(points):
    """Returns the median point of each octave of granularity, over all rounds."""
    octaves = {}
    for point in points:
        octaves.setdefault(round(math.log2(point[0])), []).append(point)
    return [tuple(statistics.median(column) for column in zip(*group)) for group in octaves.values()]


def smallest(points, efficiency):
    """Returns the smallest granularity that reaches the efficiency, or None. It interpolates on a logarithmic scale."""
    before = None
    for granularity, reached in points:
        if reached >= efficiency:
            if before is None:
                return granularity
            share = (efficiency - before[1]) / (reached - before[1])
            return math.exp(math.log(before[0]) + share * (math.log(granularity) - math.log(before[0])))
        before = (granularity, reached)
    return None


def report(context, results):
    ranks, names = results.ranks("metg"), results.systems("metg")

    def cell(name, r):
        points = curve(results, name, r)
        if not points:
            return "failed" if results.failure("metg", name, r) else "–"
        reached = [
            tables.with_spread(results, "metg", name, r, f"METG {share}", tables.duration) for share in ("50%", "90%")
        ]
        if reached[1] == "–":
            reached[1] = f"{points[-1][1]:.0%} at {tables.duration(points[-1][0])}"
        return reached[1] if reached[0] == "–" else " / ".join(reached)

    head = ["METG at 50 % / at 90 %"] + [tables.count_of_ranks(r) for r in ranks]
    text = tables.table(head, [[name] + [cell(name, r) for r in ranks] for name in names])
    text += (
        "\n\nThe smallest average granularity (time × cores used / examples) at which that share of the time is the "
        "kernel's, by the pace of the same kernel in the language's plain loop; cores used: as many as ranks, "
        f"{context.cores} at most. Where a share was not reached, what was reached at the largest granularity tried, some "
        "30 times the cost of a hand-out. A system that gives up a rank for handing out never gets above 50 % on 2 ranks."
    )
    # The other modes are only in the table: their lines would lie on those of map.
    drawn = [name for name in names if not name.startswith(("dlp-lua managed", "dlp-lua round-robin"))]
    figure = svg.lines(
        "Efficiency by granularity, 4 ranks",
        "microseconds per example",
        "efficiency",
        {name: [(x * 1e6, min(y, 1.2)) for x, y in smooth(curve(results, name, 4))] for name in drawn},
        marks=(0.5, 0.9),
    )
    glance = tables.glance(
        results,
        "granularity for 50 % efficiency (METG), 4 ranks",
        "metg",
        "METG 50%",
        "4",
        "dlp-lua map, AME",
        "dlp_mpi, mpi4py",
        tables.duration,
    )
    return Report(text, {"granularity": figure}, glance=glance)
