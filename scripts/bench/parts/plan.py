"""What --plan predicts for other numbers of ranks, and what jobs on these then take."""

import csv
import os
import tempfile

from lib import peers as peers_module
from lib import svg, tables
from lib.measure import Cell, run
from lib.peers import job
from lib.report import Report
from parts.makespan import shapes

TITLE = "Plans, and what jobs then take"
BUDGET = 150
ways = {"in the order of the list": ("seconds", []), "the longest first": ("longest_first", ["known"])}
some = "heavy-tailed"


def measure(context, results):
    peers, numbers = context.peers, ("1", "4", "16")
    if "--plan" not in peers.options:
        return
    lengths = shapes(400)[some]
    scale = (3 if context.quick else 12) / sum(lengths)
    path = os.path.join(peers_module.home, "lengths-plan.txt")
    with open(path, "w") as file:
        file.writelines(f"{length * scale:.9f}\n" for length in lengths)
    script, planned = [job("makespan.lua"), path, "sleep"], {}
    with tempfile.TemporaryDirectory() as directory:
        journal, table = (os.path.join(directory, name) for name in ("run.db", "plan.csv"))
        # The plan comes from a run on one rank, which knows nothing of the later runs.
        run([*peers.ame(1, "--chunk", "1", "--journal", journal), *script], context.environment)
        run([*peers.solo(), "--plan", journal, "-np", ",".join(numbers), "--output", table], context.environment)
        with open(table, newline="") as file:
            for row in csv.DictReader(file):
                for way, (column, _) in ways.items():
                    planned[way, row["ranks"]] = float(row[column])
        # A million examples, of which a thousand are measured.
        sample = ["--sample", "1000", "--journal", os.path.join(directory, "sample.db")]
        text = "function examples() return 1000000 end function work(i) dlp.sleep(0.001 * (1 + i % 7)) return i end"
        run([*peers.ame(8, "--chunk", "1", *sample), "-e", text], context.environment, discard=True)
        ten = ",".join(str(2**power) for power in range(10))
        said = run([*peers.solo(), "--plan", sample[-1], "-np", ten], context.environment)
        results.add("a million examples", "ten numbers of ranks", 0, "seconds", said["wall"])
    cells = []
    for ranks in numbers:
        for way, (_, words) in ways.items():
            results.add(some, way, ranks, "planned", planned[way, ranks])

            def measured(ranks=ranks, words=words, plan=planned[way, ranks]):
                seconds = run([*peers.ame(int(ranks)), *script, *words], context.environment)["seconds"]
                return {"seconds": seconds, "over plan": seconds / plan}

            cells.append(Cell(some, way, ranks, measured, once=ranks == "1"))
    context.alternate(results, cells, min(context.rounds, 3), BUDGET)


def report(context, results):
    ranks, rows = results.ranks(some), []
    for way in ways:
        for number in ranks:
            plan = results.median(some, way, number, "planned")
            cells = [
                tables.with_spread(results, some, way, number, quantity, text)
                for quantity, text in (("seconds", tables.duration), ("over plan", lambda v: f"{v:.3f}"))
            ]
            rows.append([f"{tables.count_of_ranks(number)}, {way}", tables.duration(plan), *cells])
    text = tables.table(["400 examples, heavy-tailed, asleep", "planned", "seen", "over the plan"], rows)
    million = results.median("a million examples", "ten numbers of ranks", "0", "seconds")
    text += (
        "\n\nPlanned by the journal of a run on one rank. Seen is the time from the end of `examples` to `summarize`, "
        "which knows of the hand-out, but not of the start. The longest first: planned as such, seen with a function cost."
    )
    if million:
        text += f" A million examples, by a sample of a thousand, for ten numbers of ranks: {tables.duration(million)}."
    groups = [
        (way, [results.bar(tables.count_of_ranks(r), some, way, r, "over plan") for r in ranks]) for way in ways
    ]
    figure = svg.bars(TITLE, "time over the planned one; 1 is as planned", groups, mark=1)
    return Report(text, {"plan": figure}, targets(results, ranks, million))


def targets(results, ranks, million):
    ratios = {(way, r): results.median(some, way, r, "over plan") for way in ways for r in ranks}
    seen = ", ".join(f"{value - 1:+.1%} ({r}, {way})" for (way, r), value in ratios.items() if value)
    met = tables.all_met([abs(value - 1) <= 0.05 for value in ratios.values() if value], 6)
    yield tables.target("plans within 5 % of what jobs take on 1, 4 and 16 ranks", seen or "nothing", met)
    yield tables.target(
        "a million examples planned for ten numbers of ranks in under 10 s",
        tables.duration(million) if million else "nothing",
        None if million is None else million < 10,
    )
