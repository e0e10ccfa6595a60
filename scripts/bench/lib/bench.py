"""One run of the benchmarks: sets up the peers, measures part by part, writes down what came out."""
import csv
import datetime
import importlib
import os
import sys
import time

from . import machine, peers, tables
from . import measure as measuring
from .measure import Results

# In the order of the report. Each module has TITLE, BUDGET (seconds of a run of 18 minutes), measure(context, results) and
# report(context, results), which gives a Report.
parts = ["handout", "granularity", "makespan", "transfer", "codec", "startup", "idle", "options"]


class Report:
    """What a part has to say: Markdown, figures by name, lines on the targets, and rows of the short table."""

    def __init__(self, text, figures=None, targets=(), glance=()):
        self.text, self.figures, self.targets, self.glance = text, figures or {}, list(targets), list(glance)


class Context:
    """What the parts share."""

    def __init__(self, arguments):
        self.quick, self.rounds = arguments.quick, 1 if arguments.quick else arguments.rounds
        self.peers = peers.Peers()
        self.environment = self.peers.environment()
        self.cores = machine.cores
        self.scale = arguments.minutes / 18
        self.line = 0

    def alternate(self, results, cells, rounds, budget):
        measuring.alternate(results, cells, rounds, budget * self.scale, self.say)

    def say(self, words):
        """One line that is overwritten on a terminal, so that whoever waits sees what is going on."""
        if sys.stderr.isatty():
            print(f"\r{words:<{self.line}}", end="", file=sys.stderr, flush=True)
            self.line = len(words)

    def be_quiet(self):
        if sys.stderr.isatty():
            print(f"\r{'':<{self.line}}\r", end="", file=sys.stderr, flush=True)


def write_rows(path, results):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "system", "ranks", "quantity", "value", "note"])
        for case, system, ranks, quantity, value, note in results.rows:
            writer.writerow([case, system, ranks, quantity, "" if value is None else f"{value:.6g}", note])


def read_rows(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    return Results((*row[:4], float(row[4]) if row[4] else None, row[5]) for row in rows)


def measure(context, name, directory):
    module = importlib.import_module(f"parts.{name}")
    begin, results = time.monotonic(), Results()
    results.add("run", "load before", 0, "load", machine.load())
    results.add("run", "date", 0, "date", None, datetime.date.today().isoformat())
    try:
        module.measure(context, results)
    except measuring.Failed as error:
        print(f"bench: {name} cannot be measured: {error}", file=sys.stderr)
    finally:
        # What was measured until an interrupt counts.
        write_rows(os.path.join(directory, f"{name}.csv"), results)
        context.be_quiet()
        print(f"bench: {name} took {time.monotonic() - begin:.0f} s", file=sys.stderr)


def summary(context, directory):
    """Renders all that is there, whichever run it came from."""
    sections, targets, glance = [], [], []
    for name in parts:
        path = os.path.join(directory, f"{name}.csv")
        if not os.path.exists(path):
            continue
        module, results = importlib.import_module(f"parts.{name}"), read_rows(path)
        report = module.report(context, results)
        load = results.median("run", "load before", 0, "load")
        date = results.note("run", "date", 0)
        lines = [f"## {module.TITLE}", report.text]
        for figure, svg in report.figures.items():
            if svg:
                with open(os.path.join(directory, f"{figure}.svg"), "w") as file:
                    file.write(svg)
                lines.append(f"![{module.TITLE}]({figure}.svg)")
        failures = dict.fromkeys((row[1], row[2], row[5]) for row in results.rows if row[3] == "failed")
        lines += [f"- {system}, {ranks} ranks: {note}" for system, ranks, note in failures]
        lines.append(f"Measured on {date}; load of the machine before: {load:.1f}.")
        sections.append("\n\n".join(lines))
        targets += [f"- {line}" for line in report.targets]
        glance += report.glance
    head = ["# Benchmarks", "Written by `scripts/bench/run`. Median (smallest–largest) of the rounds; – is not measured."]
    head.append("\n".join(f"- {name}: {value}" for name, value in machine.description(context.peers)))
    if glance:
        head.append(tables.table(["one machine, one run", "dlp-lua, AME", "dlp_mpi on mpi4py", "ratio"], glance))
    text = "\n\n".join(head + ["## Targets", "\n".join(targets) or "None was measured."] + sections) + "\n"
    path = os.path.join(directory, "summary.md")
    with open(path, "w") as file:
        file.write(text)
    return path, text


def run(arguments, parser):
    if arguments.list:
        for name in parts:
            print(f"{name:12} {importlib.import_module(f'parts.{name}').TITLE}")
        return 0
    unknown = [name for name in arguments.parts if name not in parts]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; the parts are {', '.join(parts)}")
    if not os.access(os.path.join(peers.root, ".build", "release", "dlp-lua"), os.X_OK):
        parser.error("there is no .build/release/dlp-lua; run scripts/build first")
    default = os.path.join(peers.home, "quick") if arguments.quick else os.path.join(peers.here, "results")
    directory = arguments.output or default
    os.makedirs(directory, exist_ok=True)
    if not arguments.report:
        peers.install()
    context = Context(arguments)
    try:
        for name in [] if arguments.report else arguments.parts or parts:
            measure(context, name, directory)
    except KeyboardInterrupt:
        context.be_quiet()
        print("bench: interrupted; the report has what was measured until then", file=sys.stderr)
    path, text = summary(context, directory)
    print(text)
    print(f"bench: {path}", file=sys.stderr)
    return 0
