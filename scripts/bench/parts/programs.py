"""Programs started per second, and gzip over files, compared with the usual ways to start many programs."""

import os
import shlex
import shutil
import tempfile

from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report

TITLE = "Programs as work"
BUDGET = 120
FILES = 200


def measure(context, results):
    peers, cells = context.peers, []
    count = 400 if context.quick else 4_000
    # Some tools start no more than 50 programs a second.
    few = count // 20

    with tempfile.TemporaryDirectory() as directory:
        for number in range(FILES):
            with open(os.path.join(directory, f"{number}.txt"), "w") as file:
                file.write("".join(f"{line * number % 9973} and a line of text\n" for line in range(20_000)))

        def add(case, system, ranks, command, number, once=False):
            def measured():
                said = run(command, context.environment, timeout=300, discard=True)
                return {"seconds": said["wall"], "per second": number / said["wall"]}

            cells.append(Cell(case, system, ranks, measured, once))

        def shell(text):
            return ["sh", "-c", text]

        where = shlex.quote(directory)
        for ranks in sorted({1, max(2, min(context.cores, 8))}):
            start = peers.solo() if ranks == 1 else peers.ame(ranks)
            add("true", "dlp-lua", ranks, [*start, job("programs.lua"), str(count)], count)
            add("true", "xargs -P", ranks, shell(f"seq {count} | xargs -P {ranks} -n 1 true"), count)
            if peers.starts:
                # With both outputs piped, as dlp-lua does, and with those of the benchmark.
                for name, piped in (("C, outputs piped", "1"), ("C", "0")):
                    add("true", name, ranks, [peers.starts, str(ranks), str(count), piped, shutil.which("true")], count)
            add("gzip", "dlp-lua", ranks, [*start, job("programs.lua"), directory], FILES)
            gzip = f"ls {where} | xargs -P {ranks} -I% gzip -c {where}/%"
            add("gzip", "xargs -P", ranks, shell(gzip), FILES)
            if peers.parallel:
                parallel = f"{peers.parallel} --will-cite -j {ranks}"
                add("true", "GNU parallel", ranks, shell(f"seq {few} | {parallel} true"), few)
                add("gzip", "GNU parallel", ranks, shell(f"ls {where} | {parallel} gzip -c {where}/{{}}"), FILES)
            if peers.python:
                for name in ("joblib", "hyperqueue"):
                    script = [peers.python, job(f"programs_{name}.py"), str(ranks)]
                    title = {"joblib": "joblib, subprocess", "hyperqueue": "HyperQueue"}[name]
                    add("true", title, ranks, [*script, str(count)], count)
                    add("gzip", title, ranks, [*script, directory], FILES)
            if peers.hypershell:
                site = f"HYPERSHELL_SITE={shlex.quote(directory)}.hypershell"
                hypershell = f"{site} {peers.hypershell} -N {ranks} -t"
                add("true", "HyperShell", ranks, shell(f"seq {few} | {hypershell} true"), few, once=True)
                gzip = shlex.quote(f"gzip -c {where}/{{}}")
                add("gzip", "HyperShell", ranks, shell(f"ls {where} | {hypershell} {gzip}"), FILES, once=True)
        context.alternate(results, cells, context.rounds, BUDGET)


def report(context, results):
    ranks = results.ranks("true")

    def cell(case, name, r):
        return tables.with_spread(results, case, name, r, "per second", lambda v: f"{v:.0f}")

    text = []
    for case, head in (("true", "programs per second (true)"), ("gzip", f"files per second (gzip of {FILES})")):
        rows = [[name] + [cell(case, name, r) for r in ranks] for name in results.systems(case)]
        text.append(tables.table([head] + [tables.count_of_ranks(r) for r in ranks], rows))
    text.append(
        "From the start of the first process to the end of the last. C is vfork, exec and wait in as many processes and "
        "nothing else: the limit of this machine."
    )
    groups = [
        (name, [results.bar(tables.count_of_ranks(r), "true", name, r, "per second", 1) for r in ranks])
        for name in results.systems("true")
    ]
    figure = svg.bars(TITLE, "programs (true) per second", groups, logarithmic=True)
    return Report("\n\n".join(text), {"programs": figure}, targets(results, ranks))


def targets(results, ranks):
    """Yields the line on the target: the share of the pace of C with piped outputs. The table has the other systems."""
    shares = {}
    for r in ranks:
        ours, limit = (results.median("true", name, r, "per second") for name in ("dlp-lua", "C, outputs piped"))
        if ours and limit:
            shares[r] = ours / limit
    seen = ", ".join(f"{share:.2f} on {tables.count_of_ranks(r)}" for r, share in shares.items()) or "nothing"
    met = tables.all_met([share >= 0.85 for share in shares.values()], len(ranks))
    yield tables.target("programs started at 0.85 or more of the pace of C with both outputs piped", seen, met)
