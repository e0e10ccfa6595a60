"""Start-up and teardown from 1 to 1,000 ranks, and resident memory."""

from lib import handing, svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "Start-up, teardown and memory"
BUDGET = 110


def measure(context, results):
    peers, cells = context.peers, []

    def add(case, name, ranks, command, once=False):
        def measured():
            said = run(command, context.environment, timeout=100)
            found = {"seconds": said["wall"]}
            return found | {f"{who} MB": said[who] / 1024 for who in ("root", "rank", "own") if said.get(who)}

        cells.append(Cell(case, name, ranks, measured, once))

    # A single start takes about a millisecond, so it is repeated.
    for _ in range(1 if context.quick else 6):
        add("empty", "lua5.4", 1, ["lua5.4", "-e", ""])
        add("empty", "dlp-lua", 1, [peers.dlp, "-e", ""])
    add("empty", "dlp-lua, AME", 64, [*peers.ame(64), "-e", ""])
    lua, python = job("startup.lua"), job("startup.py")
    add("gather", "dlp-lua", 1, [*peers.solo(), lua])
    for ranks in (2, 16, 64, 256, 1000):
        add("gather", "dlp-lua, AME", ranks, [*peers.ame(ranks), lua], once=ranks == 1000)
    if peers.mpiexec:
        for ranks in (2, 16, 64):
            add(
                "gather",
                "dlp-lua, MPI",
                ranks,
                [*peers.mpi(ranks, peers.dlp, "--backend", "mpi"), lua],
                once=ranks == 64,
            )
        if peers.manager:
            for ranks in (2, 16, 64):
                add("gather", "C on MPI", ranks, [*peers.mpi(ranks, peers.manager), "0", "0"], once=ranks == 64)
    if peers.python:
        for ranks in (2, 16, 64):
            if peers.mpiexec:
                add("gather", "dlp_mpi, mpi4py", ranks, [*peers.mpi(ranks, peers.python), python], once=ranks == 64)
            if peers.dlp_mpi_clone:
                add(
                    "gather",
                    "dlp_mpi, its AME",
                    ranks,
                    [*peers.dlp_mpi_ame(ranks, peers.python), python],
                    once=ranks == 64,
                )
        systems = {system.name: system for system in handing.systems(peers)}
        for ranks in (2, 16):
            add("gather", "joblib", ranks, systems["joblib"].command(ranks, 0, 0))
        if "Dask" in systems:
            add("gather", "Dask", 2, systems["Dask"].command(2, 0, 0), once=True)
    context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    ranks, names = results.ranks("gather"), results.systems("gather")
    rows = [
        [f"{name}, -e ''", tables.with_spread(results, "empty", name, r, "seconds", tables.duration), r]
        for name, r in (("lua5.4", 1), ("dlp-lua", 1), ("dlp-lua, AME", 64))
    ]
    texts = [tables.table(["an empty script", "start to finish", "ranks"], rows)]
    head = ["start, one gather, end"] + [tables.count_of_ranks(r) for r in ranks]
    texts.append(
        tables.table(
            head,
            [
                [name] + [tables.with_spread(results, "gather", name, r, "seconds", tables.duration) for r in ranks]
                for name in names
            ],
        )
    )

    def memory(name, r):
        sizes = [results.median("gather", name, r, f"{who} MB") for who in ("root", "rank", "own")]
        return " / ".join(tables.number(size) for size in sizes) if sizes[0] else "–"

    head = ["MB at most: root / largest other / its own"] + head[1:]
    texts.append(
        tables.table(
            head,
            [
                [name] + [memory(name, r) for r in ranks]
                for name in names
                if any(results.median("gather", name, r, "root MB") for r in ranks)
            ],
        )
    )
    texts.append(
        "The C program starts, has a barrier, and ends; joblib and Dask start their workers and give each one empty call. Memory "
        "is resident memory, which counts pages that processes share in each of them; *its own* is what a rank shares with "
        "nobody."
    )
    groups = [
        (name, [results.bar(tables.count_of_ranks(r), "gather", name, r, "seconds") for r in ranks]) for name in names
    ]
    figure = svg.bars("Start, one gather, end", "seconds", groups, logarithmic=True)
    glance = tables.glance(
        results,
        "start, one gather, end: 16 ranks",
        "gather",
        "seconds",
        "16",
        "dlp-lua, AME",
        "dlp_mpi, mpi4py",
        tables.duration,
    )
    glance += tables.glance(
        results, "MB resident per rank, 16 ranks", "gather", "rank MB", "16", "dlp-lua, AME", "dlp_mpi, mpi4py"
    )
    return Report("\n\n".join(texts), {"startup": figure}, targets(results), glance)


def targets(results):
    lua, ours = (results.median("empty", name, 1, "seconds") for name in ("lua5.4", "dlp-lua"))
    many = results.median("empty", "dlp-lua, AME", 64, "seconds")
    over = ours - lua if ours and lua else None
    yield tables.target(
        "an empty script no more than 3 ms over the stock lua5.4",
        tables.duration(over),
        over <= 3e-3 if over is not None else None,
    )
    yield tables.target("ameexec -np 64 of it under a second", tables.duration(many), many < 1 if many else None)
    sizes = [results.median("gather", name, r, "rank MB") for name, r in (("dlp-lua, AME", 2), ("dlp-lua, AME", 64))]
    sizes = [size for size in sizes if size]
    yield tables.target(
        "under 10 MB resident per rank",
        f"{tables.number(max(sizes, default=None))} MB",
        max(sizes) < 10 if sizes else None,
    )
    thousand = results.median("gather", "dlp-lua, AME", 1000, "seconds")
    reason = results.failure("gather", "dlp-lua, AME", 1000)
    yield tables.target(
        "the root serves 1,000 ranks",
        f"start, gather and end in {tables.duration(thousand)}" if thousand else reason or "nothing",
        True if thousand else False if reason else None,
    )
