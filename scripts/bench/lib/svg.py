"""Figures without a library: bars, and lines over an axis. They follow the reader's theme, light or dark."""

import math
from xml.sax.saxutils import escape

from .tables import compact

width, left, right = 860, 250, 90
light = ["#0b63c5", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be185d", "#475569", "#65a30d", "#9f1239"]
dark = ["#6db3ff", "#ff9a62", "#5fd38a", "#c995ff", "#e7c252", "#5ed3e6", "#ff85b8", "#a9b8cc", "#bef264", "#fda4af"]


def style():
    def rules(colours, ink, faint, paper):
        series = "".join(f".s{i}{{fill:{colour};stroke:{colour}}}" for i, colour in enumerate(colours))
        return f".paper{{fill:{paper}}}text{{fill:{ink}}}.grid{{stroke:{faint}}}.mark{{stroke:{ink}}}" + series

    return (
        "<style>text{font:13px system-ui,sans-serif;stroke:none}.title{font-weight:600;font-size:15px}"
        ".line{fill:none;stroke-width:2}.grid{stroke-width:1}.mark{stroke-width:1}"
        + rules(light, "#1f2328", "#d8dee4", "#ffffff")
        + "@media (prefers-color-scheme:dark){"
        + rules(dark, "#e6edf3", "#30363d", "#0d1117")
        + "}</style>"
    )


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def page(height, title, body):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">\n{style()}\n<rect class="paper" width="{width}" height="{height}"/>\n'
        + text(16, 26, title, kind="title")
        + "\n"
        + "\n".join(body)
        + "\n</svg>\n"
    )


class Axis:
    """Maps values to places, on a logarithmic or a linear scale, with ticks at round values."""

    def __init__(self, values, begin, end, logarithmic):
        self.begin, self.end, self.logarithmic = begin, end, logarithmic
        if logarithmic:
            self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0**power for power in range(self.low, self.high + 1)]
        else:
            step = 10 ** math.floor(math.log10(max(values)))
            step = next(s for s in (step / 5, step / 2, step, 2 * step) if max(values) / s <= 6)
            count = math.ceil(max(values) / step)
            self.low, self.high = 0, count * step
            self.ticks = [step * i for i in range(count + 1)]

    def place(self, value):
        if self.logarithmic:
            value = math.log10(max(value, 10.0**self.low))
        return self.begin + (self.end - self.begin) * (value - self.low) / (self.high - self.low)


def legend(names, y, colours):
    body, x = [], 16.0
    for name in names:
        if x + 34 + 7.2 * len(name) > width:
            x, y = 16.0, y + 20
        body.append(
            f'<rect x="{x}" y="{y - 10}" width="12" height="12" class="s{colours[name]}"/>' + text(x + 18, y, name)
        )
        x += 34 + 7.2 * len(name)
    return body, y


def bars(title, unit, groups, logarithmic=False, mark=None):
    """Returns horizontal bars: `groups` are pairs of a label and a list of (series, median, smallest, largest).

    `mark` is a value at which a line is drawn: a target or a limit.
    """
    groups = [(label, [bar for bar in bars if bar[1] is not None]) for label, bars in groups]
    groups = [(label, bars) for label, bars in groups if bars]
    if not groups:
        return None
    names = list(dict.fromkeys(bar[0] for _, group in groups for bar in group))
    colours = {name: i % len(light) for i, name in enumerate(names)}
    body, y = legend(names, 50, colours) if len(names) > 1 else ([], 34)
    top = y + 16
    height = top + sum(18 * len(group) + 10 for _, group in groups) + 44
    values = [value for _, group in groups for bar in group for value in bar[1:] if value > 0] or [1]
    axis = Axis(values + ([mark] if mark else []), left, width - right, logarithmic)
    bottom = height - 40
    for tick in axis.ticks:
        x = axis.place(tick)
        body += [line(x, top, x, bottom, "grid"), text(x, bottom + 16, compact(tick), "middle")]
    body.append(text((left + width - right) / 2, bottom + 33, unit, "middle"))
    if mark:
        body.append(line(axis.place(mark), top, axis.place(mark), bottom, "mark"))
    y = top + 6
    for label, group in groups:
        body.append(text(left - 10, y + 9 * len(group) + 4, label, "end"))
        for name, middle, low, high in group:
            end = axis.place(middle)
            body.append(
                f'<rect x="{left}" y="{y}" width="{max(1, end - left):.1f}" height="15" class="s{colours[name]}"/>'
            )
            if high > low:
                body.append(line(axis.place(low), y + 7.5, axis.place(high), y + 7.5, "mark"))
            body.append(text(max(end, axis.place(high)) + 6, y + 12, compact(middle)))
            y += 18
        y += 10
    return page(height, title, body)


def lines(title, x_unit, y_unit, series, logarithmic_y=False, marks=()):
    """Returns lines over a logarithmic axis. `series` maps a name to its points. `marks` are y values with a line."""
    series = {name: sorted(points) for name, points in series.items() if points}
    if not series:
        return None
    colours = {name: i % len(light) for i, name in enumerate(series)}
    body, y = legend(series, 50, colours)
    top, bottom, begin = y + 36, y + 366, 70
    height = bottom + 44
    points = [point for line in series.values() for point in line]
    across = Axis([point[0] for point in points], begin, width - 30, True)
    up = Axis([point[1] for point in points] + list(marks), bottom, top, logarithmic_y)
    for tick in across.ticks:
        x = across.place(tick)
        body += [line(x, top, x, bottom, "grid"), text(x, bottom + 16, compact(tick), "middle")]
    for tick in up.ticks:
        body += [line(begin, up.place(tick), width - 30, up.place(tick), "grid")]
        body.append(text(begin - 6, up.place(tick) + 4, compact(tick), "end"))
    body += [line(begin, up.place(mark), width - 30, up.place(mark), "mark") for mark in marks]
    body += [text((begin + width) / 2, bottom + 34, x_unit, "middle"), text(16, top - 10, y_unit)]
    for name, points in series.items():
        path = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in points)
        body.append(f'<polyline points="{path}" class="line s{colours[name]}" style="fill:none"/>')
        body += [
            f'<circle cx="{across.place(x):.1f}" cy="{up.place(y):.1f}" r="3" class="s{colours[name]}"/>'
            for x, y in points
        ]
    return page(height, title, body)
