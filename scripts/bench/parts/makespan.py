"""How long examples of unequal lengths take, relative to a lower bound of any schedule."""

import heapq
import math
import os
import random
import statistics

from lib import peers as peers_module
from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "Makespan of unequal examples"
BUDGET = 220
free = "one by one, at no cost (computed)"
longest_first = "the longest first, at no cost (computed)"
known = "dlp-lua map, AME, costs known"


def shapes(count):
    """Returns relative lengths by shape. A shuffle with a fixed seed stands for an arbitrary order."""
    # Quantiles of a log-normal distribution, sigma 1.2: the longest is about 15 times as long as the mean.
    normal = statistics.NormalDist()
    heavy = [math.exp(1.2 * normal.inv_cdf((i + 0.5) / count)) for i in range(count)]
    bimodal = [20.0 if i % 10 == 0 else 1.0 for i in range(count)]
    for lengths in (heavy, bimodal):
        random.Random(1).shuffle(lengths)
    return {
        "constant": [1.0] * count,
        "bimodal": bimodal,
        "heavy-tailed": heavy,
        "ascending": sorted(heavy),
        "descending": sorted(heavy, reverse=True),
    }


def write_lengths(ranks, total):
    """Writes the lengths for each shape, `total` seconds per rank. Returns file name, lengths and bound by shape."""
    files = {}
    for shape, lengths in shapes(60 * ranks).items():
        scale = total * ranks / sum(lengths)
        lengths = [length * scale for length in lengths]
        path = os.path.join(peers_module.home, f"lengths-{shape}-{ranks}.txt")
        with open(path, "w") as file:
            file.writelines(f"{length:.9f}\n" for length in lengths)
        files[shape] = path, lengths, max(max(lengths), sum(lengths) / ranks)
    return files


def list_schedule(lengths, ranks):
    """Returns the makespan if each free rank takes the next example, at no cost. That is the best without knowing the
    lengths. If they are known and the longest comes first, it is a good one."""
    busy_until = [0.0] * ranks
    for length in lengths:
        heapq.heapreplace(busy_until, busy_until[0] + length)
    return max(busy_until)


def commands(peers, ranks, path, way):
    """Yields systems and their commands for these lengths. "One rank more" makes up for a rank that only hands out."""
    lua, python = [job("makespan.lua"), path, way], [job("makespan.py")]
    yield "dlp-lua map, AME", [*peers.ame(ranks), *lua]
    yield known, [*peers.ame(ranks), *lua, "known"]
    yield "dlp-lua managed, AME", [*peers.ame(ranks, "--mode", "managed"), *lua]
    yield "dlp-lua round-robin, AME", [*peers.ame(ranks, "--mode", "round-robin"), *lua]
    for chunk in (1, 8):
        yield f"dlp-lua map, AME, chunk {chunk}", [*peers.ame(ranks, "--chunk", str(chunk)), *lua]
    if peers.mpiexec:
        yield "dlp-lua map, MPI", [*peers.mpi(ranks, peers.dlp, "--backend", "mpi"), *lua]
    tool = [*python, "dlp_mpi", path, way]
    if peers.mpiexec and peers.python:
        yield "dlp_mpi, mpi4py, one rank more", [*peers.mpi(ranks + 1, peers.python), *tool]
        yield "dlp_mpi, mpi4py", [*peers.mpi(ranks, peers.python), *tool]
    if peers.dlp_mpi_clone and peers.python:
        yield "dlp_mpi, its AME, one rank more", [*peers.dlp_mpi_ame(ranks + 1, peers.python), *tool]
    tool = [peers.python, *python, "joblib", path, way, str(ranks)]
    if peers.python:
        yield "joblib", tool
        yield "joblib, batch 1", [*tool, "1"]


def measure(context, results):
    cells = []
    # Busy ranks, as many as there are cores; and eight sleeping ranks, because more ranks than cores cannot be busy
    # at once.
    for way, ranks in (("spin", max(2, context.cores)), ("sleep", 8)):
        for shape, (path, lengths, bound) in write_lengths(ranks, 0.1 if context.quick else 0.5).items():
            for name, order in ((free, lengths), (longest_first, sorted(lengths, reverse=True))):
                results.add(f"{shape}, {way}", name, ranks, "over bound", list_schedule(order, ranks) / bound)
            for name, command in commands(context.peers, ranks, path, way):

                def measured(command=command, bound=bound):
                    return {"over bound": run(command, context.environment)["seconds"] / bound}

                # With 90 ms for each example, all shapes are alike.
                slow = name.startswith("dlp_mpi, its AME")
                if not slow or shape == "heavy-tailed":
                    cells.append(Cell(f"{shape}, {way}", name, ranks, measured, once=slow))
    context.alternate(results, cells, min(context.rounds, 3), BUDGET)


def report(context, results):
    texts, figures, shapes_seen = [], {}, ["constant", "bimodal", "heavy-tailed", "ascending", "descending"]
    for way, words in (("spin", "busy"), ("sleep", "asleep")):
        rows = [row for row in results.rows if row[0].endswith(way)]
        if not rows:
            continue
        ranks, names = rows[0][2], list(dict.fromkeys(row[1] for row in rows))

        def cell(name, shape):
            return tables.with_spread(results, f"{shape}, {way}", name, ranks, "over bound", lambda v: f"{v:.2f}")

        head = [f"{ranks} ranks, {words}"] + shapes_seen
        texts.append(tables.table(head, [[name] + [cell(name, shape) for shape in shapes_seen] for name in names]))
        # dlp_mpi's AME is only in the table; in the figure it would make all others look alike.
        groups = [
            (name, [results.bar(shape, f"{shape}, {way}", name, ranks, "over bound") for shape in shapes_seen])
            for name in names
            if not name.startswith("dlp_mpi, its AME")
        ]
        figures[f"makespan-{way}"] = svg.bars(
            f"Makespan over max(longest, total / ranks), {ranks} ranks, {words}",
            "1 is the best possible",
            groups,
            mark=1,
        )
    texts.append(
        "Time over max(longest example, total / ranks); 1.00 cannot be beaten. A busy example uses up its length of its "
        "thread's CPU time, on as many ranks as cores, so that what the hand-out itself costs counts, too; eight ranks "
        "sleep for it, since they could not all be busy. An example takes 0.5 s / 60 "
        "on average; bimodal is one in ten 20 times as long, shuffled; heavy-tailed a log-normal distribution, shuffled, and "
        "sorted ascending and descending. The first row is what no "
        "hand-out can beat that does not know the lengths beforehand, the second what one does that knows them; with costs "
        "known the script has a function cost. Round-robin does not react to lengths at all."
    )
    ranks = next(iter(results.ranks("heavy-tailed, spin")), 0)
    glance = tables.glance(
        results,
        f"makespan over the bound, heavy-tailed, {ranks} busy ranks (dlp_mpi: one more)",
        "heavy-tailed, spin",
        "over bound",
        ranks,
        "dlp-lua map, AME",
        "dlp_mpi, mpi4py, one rank more",
        lambda value: f"{value:.2f}",
    )
    return Report("\n\n".join(texts), figures, targets(results, shapes_seen), glance)


def targets(results, shapes_seen):
    for backend in ("AME", "MPI"):
        seen = {}
        for shape in shapes_seen:
            case = f"{shape}, spin"
            for ranks in results.ranks(case):
                value, least = (
                    results.median(case, name, ranks, "over bound") for name in (f"dlp-lua map, {backend}", free)
                )
                if value and least:
                    seen[f"{shape} {value - 1:+.1%} (one by one at no cost {least - 1:+.1%})"] = value
        text = ", ".join(seen) or "nothing"
        yield tables.target(
            f"makespan over {backend} within 5 % of max(longest, total / ranks) on the cores there are",
            text,
            tables.all_met([value <= 1.05 for value in seen.values()], len(shapes_seen)),
        )
