"""The CPU time of ranks that have nothing to do. Examples sleep, so all CPU time is the cost of waiting."""

from lib import svg, tables
from lib.measure import Cell
from lib.peers import job
from lib.processes import cpu_of_ranks
from lib.report import Report

TITLE = "CPU used by waiting"
BUDGET = 90
RANKS = 4


def measure(context, results):
    peers, cells = context.peers, []
    starts = {"dlp-lua, AME": [*peers.ame(RANKS), job("idle.lua")]}
    starts["dlp-lua, AME, root does not work"] = [*peers.ame(RANKS, "--root-works", "no"), job("idle.lua")]
    if peers.mpiexec:
        starts["dlp-lua, MPI"] = [*peers.mpi(RANKS, peers.dlp, "--backend", "mpi"), job("idle.lua")]
    if peers.mpiexec and peers.python:
        starts["dlp_mpi, mpi4py"] = [*peers.mpi(RANKS, peers.python), job("idle.py")]
    if peers.dlp_mpi_clone and peers.python:
        starts["dlp_mpi, its AME"] = [*peers.dlp_mpi_ame(RANKS, peers.python), job("idle.py")]
    # One rank has a single long example, or each rank has examples of 0.1 s one after the other.
    for case, work in (("one works", ["1", "6"]), ("all work", [str(40 * RANKS), "0.1"])):
        for name, start in starts.items():

            def measured(command=(*start, *work)):
                shares = cpu_of_ranks(list(command), context.environment, 2, 1.5)
                return {"root": shares.pop(0), "rank": max(shares.values())}

            cells.append(Cell(case, name, RANKS, measured))
    context.alternate(results, cells, min(context.rounds, 2), BUDGET)


def report(context, results):
    names = results.systems()
    columns = [(case, who) for case in ("one works", "all work") for who in ("root", "rank")]

    def percent(value):
        return f"{100 * value:.2f} %"

    rows = [
        [name] + [tables.with_spread(results, case, name, RANKS, who, percent) for case, who in columns]
        for name in names
    ]
    said = {"root": "root", "rank": "largest other"}
    head = [f"% of a core, {RANKS} ranks"] + [f"{case}: {said[who]}" for case, who in columns]
    text = tables.table(head, rows)
    text += (
        "\n\nEvery example sleeps, so that all CPU time is the price of waiting. *One works*: one example of six seconds, the "
        "other ranks have none. *All work*: one example of 0.1 s after the other on every rank; the root hands them out."
    )
    groups = [
        (name, [results.bar(f"{case}: {said[who]}", case, name, RANKS, who, 100) for case, who in columns])
        for name in names
    ]
    glance = tables.glance(
        results,
        "CPU of the root while others work, share of a core",
        "all work",
        "root",
        RANKS,
        "dlp-lua, AME",
        "dlp_mpi, mpi4py",
        percent,
    )
    return Report(text, {"idle": svg.bars(TITLE, "% of a core", groups)}, targets(results), glance)


def targets(results):
    for asked, column, cases in (
        ("an idle rank uses no CPU", "rank", ("one works",)),
        ("nor does the root while others work", "root", ("one works", "all work")),
    ):
        seen = {}
        ours = ("dlp-lua, AME", "dlp-lua, AME, root does not work", "dlp-lua, MPI")
        for case in cases:
            for name in ours:
                value = results.median(case, name, RANKS, column)
                if value is not None:
                    seen[f"{name}, {case}"] = value
        text = ", ".join(f"{100 * value:.2f} % ({name})" for name, value in seen.items()) or "nothing"
        met = tables.all_met([value < 0.01 for value in seen.values()], len(cases) * len(ours))
        yield tables.target(f"{asked} (below 1 % of a core)", text, met)
