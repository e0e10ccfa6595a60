"""Gather, broadcast and map of results: megabytes per second, beside dlp_mpi with pickle, memcpy and a bare socket."""

from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "Large values between ranks"
BUDGET = 110

# The kinds in words, and sizes in millions of bytes: of a value that is gathered or broadcast, and of one of the 16
# results of a map.
kinds = {
    "numbers": ("floats", 8, 1),
    "strings": ("short strings", 4, 1),
    "records": ("nested records", 4, 1),
    "string": ("one long string", 256, 16),
}


def measure(context, results):
    peers, cells = context.peers, []
    ranks = max(2, min(context.cores, 8))
    repeats = "1" if context.quick else "3"
    starts = {"dlp-lua, AME": ([*peers.ame(ranks), job("transfer.lua")], False)}
    starts["dlp-lua, AME, --encrypt"] = ([*peers.ame(ranks, "--encrypt"), job("transfer.lua")], False)
    if peers.mpiexec:
        starts["dlp-lua, MPI"] = ([*peers.mpi(ranks, peers.dlp, "--backend", "mpi"), job("transfer.lua")], False)
    if peers.mpiexec and peers.python:
        starts["dlp_mpi, mpi4py"] = ([*peers.mpi(ranks, peers.python), job("transfer.py")], False)
    if peers.dlp_mpi_clone and peers.python:
        starts["dlp_mpi, its AME"] = ([*peers.dlp_mpi_ame(ranks, peers.python), job("transfer.py")], True)
    for kind, (_, size, piece) in kinds.items():
        for operation in ("gather", "bcast", "map"):
            amount = max(1, (piece if operation == "map" else size) // (8 if context.quick else 1))
            for name, (start, once) in starts.items():
                if "--encrypt" in name and operation != "gather":
                    continue

                def measured(command=(*start, operation, kind, str(amount), repeats)):
                    said = run(list(command), context.environment, timeout=90)
                    return {"MB/s": said["bytes"] / said["seconds"] / 1e6}

                cells.append(Cell(f"{operation} {kind}", name, ranks, measured, once))
    if peers.limits:
        for kind, (_, size, _) in kinds.items():

            def measured(count=size * 1_000_000):
                said = run([peers.limits, str(count)], context.environment)
                return {"memcpy MB/s": count / said["memcpy"] / 1e6, "socket MB/s": count / said["socket"] / 1e6}

            cells.append(Cell(f"limits {kind}", "bytes", 1, measured))
    context.alternate(results, cells, min(context.rounds, 3), BUDGET)


def report(context, results):
    names = [name for name in results.systems() if name.startswith("dlp")]
    ranks = next(iter(results.ranks("gather numbers")), "2")
    base = "dlp_mpi, mpi4py"

    def cell(case, name):
        value, other = results.median(case, name, ranks, "MB/s"), results.median(case, base, ranks, "MB/s")
        text = tables.with_spread(results, case, name, ranks, "MB/s")
        return f"{text}, {tables.ratio(value, other)}" if value and other and name != base else text

    rows, groups = [], []
    for operation in ("gather", "bcast", "map"):
        for kind, (words, _, _) in kinds.items():
            case = f"{operation} {kind}"
            rows.append([f"{operation}, {words}"] + [cell(case, name) for name in names])
            groups.append((rows[-1][0], [results.bar(name, case, name, ranks, "MB/s") for name in names]))
    text = tables.table([f"MB/s, {ranks} ranks"] + names, rows)
    limits = [
        [words]
        + [tables.with_spread(results, f"limits {kind}", "bytes", 1, f"{way} MB/s") for way in ("memcpy", "socket")]
        for kind, (words, _, _) in kinds.items()
    ]
    text += "\n\n" + tables.table(["MB/s of as many bytes", "memcpy", "Unix-domain socket"], limits)
    text += (
        "\n\nFrom a table on one rank to a table on another: encoding, transport, decoding. A number counts eight bytes, a "
        "string its length; keys and format do not count. Gather and broadcast are of 8 MB of floats, 4 MB of strings or "
        "records, and 256 MB in one string; a map is of 16 results of 1 MB, or of 16 MB in one string. dlp_mpi's are all "
        "made by the other ranks, of ours the root makes its share. What is encrypted is gathered only. × is over dlp_mpi on mpi4py."
    )
    glance = []
    for kind, (words, _, _) in kinds.items():
        glance += tables.glance(
            results, f"gather of {words}, MB/s", f"gather {kind}", "MB/s", ranks, "dlp-lua, AME", base
        )
    return Report(
        text,
        {"transfer": svg.bars("Large values between ranks", "MB/s", groups, logarithmic=True)},
        targets(results, ranks),
        glance,
    )


def targets(results, ranks):
    for backend in ("AME", "MPI"):
        ratios = {}
        for operation in ("gather", "bcast"):
            for kind in kinds:
                case = f"{operation} {kind}"
                ours, theirs = (
                    results.median(case, name, ranks, "MB/s") for name in (f"dlp-lua, {backend}", "dlp_mpi, mpi4py")
                )
                if ours and theirs:
                    ratios[case] = ours / theirs
        seen = ", ".join(f"{case} {tables.number(ratio)}×" for case, ratio in ratios.items()) or "nothing"
        yield tables.target(
            f"gather and broadcast over {backend} faster than dlp_mpi on mpi4py with pickle",
            seen,
            tables.all_met([ratio > 1 for ratio in ratios.values()], 2 * len(kinds)),
        )
    plain, sealed = (
        results.median("gather string", f"dlp-lua, AME{option}", ranks, "MB/s") for option in ("", ", --encrypt")
    )
    if plain and sealed:
        yield tables.target(
            "gather of one long string with --encrypt at 1,000 MB/s, or at 0.9 of the pace without",
            f"{tables.number(sealed)} MB/s, {tables.number(sealed / plain)} of the pace without",
            sealed >= min(1000, 0.9 * plain),
        )
