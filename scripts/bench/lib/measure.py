"""Runs programs, one after the other and round by round, and collects what they report."""

import csv
import json
import os
import signal
import statistics
import subprocess
import time


class Failed(Exception):
    """A program that did not do what was asked."""


def run(command, environment, timeout=60, discard=False):
    """Runs a program to its end.

    Returns the JSON object of its last such line, with `wall` added: the seconds from its start to its end.
    """
    begin = time.perf_counter()
    output = subprocess.DEVNULL if discard else subprocess.PIPE
    # A separate session, so that a hanging launcher can be ended with everything that it started.
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, complaint = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        end(process)
        raise Failed(f"not done after {timeout:.0f} s") from None
    except BaseException:
        end(process)
        raise
    wall = time.perf_counter() - begin
    if process.returncode != 0:
        lines = [line for line in complaint.decode(errors="replace").splitlines() if line.strip(" -")]
        raise Failed(f"status {process.returncode}: {lines[-1] if lines else 'no message'}")
    return last_object(out or b"") | {"wall": wall}


def last_object(text):
    for line in reversed(text.decode(errors="replace").splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return {}


def end(process):
    """Ends a program: by SIGTERM first, since only a launcher may know where its ranks are; then by SIGKILL."""
    for number, grace in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.communicate(timeout=grace)
            return
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


class Results:
    """The numbers of a part: rows of case, system, ranks, quantity, value, note.

    The row of something that failed or was skipped has that word as its quantity, and a note instead of a value.
    """

    def __init__(self, rows=()):
        self.rows = list(rows)

    @classmethod
    def read(cls, path):
        with open(path, newline="") as file:
            rows = list(csv.reader(file))[1:]
        return cls((*row[:4], float(row[4]) if row[4] else None, row[5]) for row in rows)

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["case", "system", "ranks", "quantity", "value", "note"])
            for *key, value, note in self.rows:
                writer.writerow([*key, "" if value is None else f"{value:.6g}", note])

    def add(self, case, system, ranks, quantity, value, note=""):
        self.rows.append((str(case), system, str(ranks), quantity, value, note))

    def values(self, case, system, ranks, quantity):
        key = (str(case), system, str(ranks), quantity)
        return [row[4] for row in self.rows if row[:4] == key and row[4] is not None]

    def median(self, case, system, ranks, quantity):
        values = self.values(case, system, ranks, quantity)
        return statistics.median(values) if values else None

    def spread(self, case, system, ranks, quantity):
        values = self.values(case, system, ranks, quantity)
        return (min(values), max(values)) if values else None

    def failure(self, case, system, ranks):
        """Returns why the measurement failed; an empty string if it did not fail."""
        key = (str(case), system, str(ranks), "failed")
        return next((row[5] for row in self.rows if row[:4] == key), "")

    def notes(self, quantity):
        """Returns the notes of a quantity, each with the systems that it is about."""
        notes = {}
        for case, system, ranks, found, _, note in self.rows:
            if found == quantity:
                notes.setdefault(note, {})[f"{system} on {ranks} ({case})"] = None
        return {note: list(where) for note, where in notes.items()}

    def systems(self, *cases):
        """Returns the systems that were measured, in the order of measurement: of some cases, or of all."""
        return list(dict.fromkeys(row[1] for row in self.rows if (row[0] in cases if cases else row[0] != "run")))

    def ranks(self, *cases):
        """Returns the numbers of ranks in these cases, ascending."""
        return sorted({row[2] for row in self.rows if row[0] in cases}, key=int)

    def bar(self, label, case, system, ranks, quantity, scale=1):
        """Returns a bar of a figure: a label, the median, the smallest and the largest value."""
        values = [scale * value for value in self.values(case, system, ranks, quantity)]
        return (label, statistics.median(values), min(values), max(values)) if values else (label, None, 0, 0)


class Cell:
    """One thing to measure. `measure()` gives quantities and their values. `once`: in the first round only."""

    def __init__(self, case, system, ranks, measure, once=False):
        self.case, self.system, self.ranks, self.measure, self.once = case, system, ranks, measure, once


def alternate(results, cells, rounds, budget, say):
    """Measures all cells in turn, `rounds` times, or fewer times if these would take more than `budget` seconds.

    A cell that fails is not tried again, and its reason is recorded.
    """
    begin = time.monotonic()
    failed = set()
    for number in range(rounds):
        elapsed = time.monotonic() - begin
        if number and elapsed * (number + 1) / number > budget:
            break
        for cell in cells:
            if cell in failed or (cell.once and number):
                continue
            if time.monotonic() - begin > 1.1 * budget:
                if not number:
                    results.add(cell.case, cell.system, cell.ranks, "skipped", None, "no time was left")
                continue
            say(f"round {number + 1}: {cell.case}, {cell.system}, {cell.ranks} ranks")
            try:
                for quantity, value in cell.measure().items():
                    results.add(cell.case, cell.system, cell.ranks, quantity, value)
            except (Failed, OSError, ValueError, KeyError) as error:
                failed.add(cell)
                results.add(cell.case, cell.system, cell.ranks, "failed", None, " ".join(str(error).split())[:200])
