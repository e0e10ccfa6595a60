"""Whole jobs like those of users, on all cores, compared with a plain loop over the same functions and with Python."""

import os
import subprocess
import tempfile

from lib import peers as peers_module
from lib import svg, tables
from lib.measure import Cell, Failed, run
from lib.peers import job
from lib.report import Report

TITLE = "Real jobs"
BUDGET = 240
cases = {
    "digits": "handwritten digits, nearest neighbours",
    "packages": "closures of Debian's packages",
    "words": "words of a documentation tree",
    "sweep": "a parameter sweep",
}
LUA, OURS, BOTH, PYTHON, JOBLIB, DASK = "lua5.4", "dlp-lua", "plain loops at once", "Python", "joblib", "Dask"
DOCUMENTATION = "/usr/share/doc"
APT_HELPER = "/usr/lib/apt/apt-helper"


def example(name):
    return os.path.join(peers_module.root, "scripts", "examples", name)


def write_digits(path, quick):
    with open(example("data/digits.csv")) as file:
        rows = file.readlines()
    with open(path, "w") as file:
        file.writelines(rows[:300] if quick else rows)


def write_packages(path, quick):
    """Writes the largest package index that apt has, as text."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages"], capture_output=True, text=True
    )
    indices = [name for name in listed.stdout.splitlines() if os.path.exists(name)]
    if not indices:
        raise Failed("apt has no package index here: run apt-get update")
    largest = max(indices, key=os.path.getsize)
    text = subprocess.run([APT_HELPER, "cat-file", largest], capture_output=True, check=True).stdout
    packages = text.split(b"\n\n")
    with open(path, "wb") as file:
        file.write(b"\n\n".join(packages[: 3_000 if quick else len(packages)]).rstrip(b"\n") + b"\n\n")


def write_documents(path, quick):
    """Writes documents, each with a NUL behind it: this project's guide, and the documentation on the machine."""
    megabytes, size = 1 if quick else 30, 0
    trees = [os.path.join(peers_module.root, "Sources", "dlp-lua", "Guide.docc"), DOCUMENTATION]
    with open(path, "wb") as file:
        for tree in trees:
            for directory, _, names in sorted(os.walk(tree)):
                for name in sorted(names):
                    whole = os.path.join(directory, name)
                    if size >= megabytes * 1e6 or os.path.islink(whole) or name.endswith((".gz", ".png", ".svg")):
                        continue
                    with open(whole, "rb") as document:
                        text = document.read()
                    if text and b"\0" not in text:
                        file.write(text + b"\0")
                        size += len(text)


# The data of a job, with the variable that tells Python where they are.
writers = {
    "digits": ("DIGITS", write_digits), "packages": ("PACKAGES", write_packages), "words": ("DOCUMENTS", write_documents),
}


def commands(peers, case, ranks, data):
    """Yields each way to do a job: its name, number of ranks and command."""
    lua = {
        "digits": [example("digits.lua"), "3", data["DIGITS"]],
        "packages": [example("packages.lua"), data["PACKAGES"]],
        "words": [example("wordcount.lua")],
        "sweep": [job("sweep.lua"), *data["SWEEP"].split()],
    }[case]
    plain = ["lua5.4", job("real.lua"), *lua]
    options = ["--input", data["DOCUMENTS"], "--format", "nul"] if case == "words" else []
    yield LUA, 1, plain
    yield BOTH, ranks, ["sh", "-c", at_once(ranks), "sh", *plain]
    yield OURS, ranks, [*peers.ame(ranks, *options), job("real.lua"), *lua]
    if peers.python:
        python = [peers.python, job("real.py"), case]
        yield PYTHON, 1, [*python, "plain"]
        yield JOBLIB, ranks, [*python, "joblib", str(ranks)]
        if peers.dask:
            yield DASK, ranks, [*python, "dask", str(ranks)]


def at_once(ranks):
    """Returns a shell command that runs its arguments `ranks` times at once, and fails if one of these runs fails."""
    return '"$@" & pids="$pids $!"; ' * ranks + "for pid in $pids; do wait $pid || exit 1; done"


def measure(context, results):
    ranks, cells, printed = max(2, context.cores), [], {}
    with tempfile.TemporaryDirectory() as directory:
        data = {name: os.path.join(directory, name.lower()) for name, _ in writers.values()}
        data["SWEEP"] = "8 2000" if context.quick else "24 40000"
        environment = context.environment | data
        for case in cases:
            try:
                if case in writers:
                    name, write = writers[case]
                    write(data[name], context.quick)
            except (Failed, OSError, subprocess.CalledProcessError) as error:
                results.add(case, "all", ranks, "failed", None, str(error))
                continue
            for name, r, command in commands(context.peers, case, ranks, data):

                def measured(case=case, command=command):
                    said = run(command, environment, timeout=180)
                    # A command that prints anything else has not done the same work.
                    if printed.setdefault(case, said["printed"]) != said["printed"]:
                        raise Failed("it printed something else than lua5.4")
                    return {"seconds": said["wall"], "loop": said["loop"]}

                cells.append(Cell(case, name, r, measured, once=name in (PYTHON, JOBLIB, DASK)))
        context.alternate(results, cells, context.rounds, BUDGET)


class Row:
    """What was measured of a job, in seconds."""

    def __init__(self, results, case):
        ranks = next((r for r in results.ranks(case) if r != "1"), "0")
        one = {name: results.median(case, name, 1, "seconds") for name in (LUA, PYTHON)}
        many = {name: results.median(case, name, ranks, "seconds") for name in (OURS, BOTH, JOBLIB, DASK)}
        loop = results.median(case, LUA, 1, "loop")
        self.case, self.ranks, self.times = case, int(ranks), one | many
        self.serial = one[LUA] - loop if loop else None

    def gain(self, name):
        """Returns how many times as fast as the language's plain loop it is. Plain loops at once do a job per rank."""
        alone, time = self.times[LUA if name in (OURS, BOTH) else PYTHON], self.times[name]
        return None if not alone or not time else alone / time * (self.ranks if name == BOTH else 1)

    def most(self):
        """Returns how many times as fast as a plain loop the job can be here (Amdahl, AFIPS 1967). The limits are what
        is done before and behind the loop, which each rank does in full, and the gain of plain loops at once."""
        limit = self.gain(BOTH)
        if not limit or self.serial is None:
            return None
        share = self.serial / self.times[LUA]
        return 1 / (share * self.ranks / limit + (1 - share) / limit)


def report(context, results):
    rows = [Row(results, case) for case in cases if results.median(case, LUA, 1, "seconds")]
    heads = ["job", "lua5.4", "of it before and behind the loop", "dlp-lua", "times as fast", "plain loops at once"]
    heads += ["possible", "Python", "joblib", "times as fast", "Dask", "times as fast"]
    lines = []
    for row in rows:
        cells = [cases[row.case], tables.duration(row.times[LUA]), tables.duration(row.serial)]
        cells += [tables.duration(row.times[OURS]), gain(row.gain(OURS)), gain(row.gain(BOTH)), gain(row.most())]
        cells.append(tables.duration(row.times[PYTHON]))
        for name in (JOBLIB, DASK):
            cells += [tables.duration(row.times[name]), gain(row.gain(name))]
        lines.append(cells)
    ranks = max((row.ranks for row in rows), default=0)
    text = tables.table(heads, lines)
    text += (
        f"\n\nFrom the start of the first process to the end of the last, on {tables.count_of_ranks(ranks)} where there are "
        f"several; all of a line print the same. *Plain loops at once* are {ranks} independent processes of the stock "
        "lua5.4, each of which does the whole job: so many times as much work is done in the same time, for the cores "
        "of a machine share memory and more. *Possible* is what follows from that and from what is done before and "
        "behind the loop, which is not shared out: reading a package index, writing the answer. joblib and Dask do "
        "the same work as it is written in "
        "Python, to be compared with Python's plain loop; Dask is given sixteen parts for each rank."
    )
    names = (OURS, JOBLIB, DASK)
    groups = [(cases[row.case], [(name, *[row.gain(name)] * 3) for name in names if row.gain(name)]) for row in rows]
    title = "Real jobs: times as fast as the plain loop of the language"
    figure = svg.bars(title, f"{ranks} ranks", groups, mark=ranks or None)
    return Report(text, {"jobs": figure}, targets(rows, len(cases)))


def gain(value):
    return "–" if value is None else f"{value:.2f}"


def targets(rows, expected):
    seen, single = [], []
    for row in rows:
        gained, most = row.gain(OURS), row.most()
        if gained is None:
            continue
        met = gained >= 0.95 * row.ranks
        # Jobs of less than two seconds have no target.
        asked_of_it = row.times[LUA] >= 2
        if asked_of_it:
            single.append(met)
        text = f"{row.case} {gained:.2f} (alone {tables.duration(row.times[LUA])})"
        if asked_of_it and not met and most:
            text += (
                f" of {most:.2f} that are possible, since {tables.duration(row.serial)} are before and behind the loop, and "
                f"{row.ranks} plain loops at once do {row.gain(BOTH):.2f} times as much as one"
            )
        seen.append(text)
    ranks = max((row.ranks for row in rows), default=2)
    asked = f"real jobs of two seconds and more at least {0.95 * ranks:.3g} times as fast on {ranks} ranks as in a plain loop"
    yield tables.target(asked, "; ".join(seen) or "nothing", tables.all_met(single, expected))
