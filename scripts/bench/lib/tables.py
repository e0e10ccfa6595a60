"""Numbers as text, and Markdown tables that are readable without a renderer too."""

import math


def number(value, digits=3):
    """Returns a number with `digits` significant digits, thousands separated: 0.0123, 1.23, 12.3, 123, 12,300."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(0, places)}f}"


def compact(value):
    """Returns a short form for figures: 950, 1.2k, 35k, 4.1M."""
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= scale:
            return f"{value / scale:.3g}{unit}"
    return f"{value:.3g}"


def count_of_ranks(ranks):
    return f"{ranks} rank{'s' * (str(ranks) != '1')}"


def duration(seconds):
    """Returns a length of time with its unit."""
    if seconds is None:
        return "–"
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{number(seconds / scale)} {unit}"
    return f"{number(seconds / 1e-9)} ns"


def with_spread(results, case, system, ranks, quantity, text=number):
    """Returns the median, with the smallest and largest value in parentheses if they differ."""
    middle = results.median(case, system, ranks, quantity)
    if middle is None:
        return "failed" if results.failure(case, system, ranks) else "–"
    low, high = results.spread(case, system, ranks, quantity)
    if low == high:
        return text(middle)
    return f"{text(middle)} ({text(low)}–{text(high)})"


def ratio(value, base):
    return "–" if value is None or not base else f"{number(value / base)}×"


def table(head, rows):
    """Returns a Markdown table with aligned columns: the first to the left, the others to the right."""
    lines = [head] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def line(cells):
        padded = [
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = (
        "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    )
    return "\n".join([line(head), rule] + [line(cells) for cells in lines[1:]])


def glance(results, what, case, quantity, ranks, ours, theirs, text=number):
    """Returns a row of the short table: our value, dlp_mpi's, larger over smaller; no row if a value is missing."""
    values = [results.median(case, name, ranks, quantity) for name in (ours, theirs)]
    if None in values:
        return []
    return [[what, text(values[0]), text(values[1]), ratio(max(values), min(values))]]


def all_met(single, expected):
    """Returns whether a target of several parts is met: False if a part is missed, None if not all were measured."""
    return False if False in single else True if len(single) == expected else None


def target(asked, seen, met):
    """Returns a line on a target: what was asked, what was seen, and whether it is met. `met` is None if unknown."""
    verdict = "not known" if met is None else "met" if met else "NOT met"
    return f"asked: {asked}; seen: {seen}; {verdict}"
