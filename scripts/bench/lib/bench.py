"""One run of the benchmarks: sets up the peers, measures part by part, writes the results."""

import datetime
import importlib
import os
import sys
import time

from . import machine, peers, report
from . import measure as measuring
from .measure import Results

# In the order of the report. Each is a module of parts/ with TITLE, BUDGET (its seconds in a run of 30 minutes),
# measure(context, results), and report(context, results), which gives a Report.
names = ["handout", "granularity", "makespan", "plan", "transfer", "codec", "startup", "idle", "options", "programs"]
names += ["inputs", "results", "jobs"]


class Context:
    """What the parts share."""

    def __init__(self, arguments):
        self.quick, self.rounds = arguments.quick, 1 if arguments.quick else arguments.rounds
        self.peers = peers.Peers()
        self.environment = self.peers.environment()
        self.cores = machine.cores
        self.scale = arguments.minutes / 30
        self.line = 0

    def alternate(self, results, cells, rounds, budget):
        measuring.alternate(results, cells, rounds, budget * self.scale, self.say)

    def say(self, words):
        """Overwrites one line on a terminal, so that the user sees what is going on."""
        if sys.stderr.isatty():
            print(f"\r{words:<{self.line}}", end="", file=sys.stderr, flush=True)
            self.line = len(words)

    def be_quiet(self):
        if sys.stderr.isatty():
            print(f"\r{'':<{self.line}}\r", end="", file=sys.stderr, flush=True)


def measure(context, name, part, directory):
    begin, results = time.monotonic(), Results()
    results.add("run", "load before", 0, "load", machine.load())
    results.add("run", "date", 0, "date", None, datetime.date.today().isoformat())
    try:
        part.measure(context, results)
    except measuring.Failed as error:
        print(f"bench: {name} cannot be measured: {error}", file=sys.stderr)
    finally:
        # Values that were measured before an interrupt are kept.
        results.write(os.path.join(directory, f"{name}.csv"))
        context.be_quiet()
        print(f"bench: {name} took {time.monotonic() - begin:.0f} s", file=sys.stderr)


def run(arguments, parser):
    # All are imported now: a run is long, and it should measure the files that were here at its start.
    parts = {name: importlib.import_module(f"parts.{name}") for name in names}
    if arguments.list:
        for name, part in parts.items():
            print(f"{name:12} {part.TITLE}")
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
        for name in [] if arguments.report else arguments.parts or names:
            measure(context, name, parts[name], directory)
    except KeyboardInterrupt:
        context.be_quiet()
        print("bench: interrupted; the report has what was measured until then", file=sys.stderr)
    path, text = report.write(context, parts, directory)
    print(text)
    print(f"bench: {path}", file=sys.stderr)
    return 0
