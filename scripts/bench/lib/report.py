"""The report: all measurements as Markdown, with figures in files beside it."""

import os

from . import machine, tables
from .measure import Results


class Report:
    """The report of a part: Markdown, figures by name, lines on the targets, and rows of the short table."""

    def __init__(self, text, figures=None, targets=(), glance=()):
        self.text, self.figures, self.targets, self.glance = text, figures or {}, list(targets), list(glance)


def section(part, report, results, directory):
    """Returns the report's section on a part, and writes its figures into the directory."""
    lines = [f"## {part.TITLE}", report.text]
    for figure, svg in report.figures.items():
        if svg:
            with open(os.path.join(directory, f"{figure}.svg"), "w") as file:
                file.write(svg)
            lines.append(f"![{part.TITLE}]({figure}.svg)")
    for quantity in ("failed", "skipped"):
        for note, where in results.notes(quantity).items():
            more = f"; and {len(where) - 8} more" if len(where) > 8 else ""
            lines.append(f"{quantity.capitalize()}, {note}: {'; '.join(where[:8])}{more}.")
    date = " and ".join(results.notes("date")) or "an unknown day"
    load = results.median("run", "load before", 0, "load")
    return "\n\n".join(lines + [f"Measured on {date}; load of the machine before: {tables.number(load)}."])


def write(context, parts, directory):
    """Writes the report of all results in the directory, whichever run they came from. Returns its path and text."""
    sections, targets, glance = [], [], []
    for name, part in parts.items():
        path = os.path.join(directory, f"{name}.csv")
        if not os.path.exists(path):
            continue
        results = Results.read(path)
        report = part.report(context, results)
        sections.append(section(part, report, results, directory))
        targets += [f"- {line}" for line in report.targets]
        glance += report.glance
    head = ["# Benchmarks", "By `scripts/bench/run`. Median (smallest–largest) of the rounds; – is not measured."]
    head.append("\n".join(f"- {name}: {value}" for name, value in machine.description(context.peers)))
    if glance:
        head.append(tables.table(["one machine, one run", "dlp-lua, AME", "dlp_mpi on mpi4py", "ratio"], glance))
    text = "\n\n".join(head + ["## Targets", "\n".join(targets) or "None was measured."] + sections) + "\n"
    path = os.path.join(directory, "summary.md")
    with open(path, "w") as file:
        file.write(text)
    return path, text
