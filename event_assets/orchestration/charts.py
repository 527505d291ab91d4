"""Charts for the UI, drawn as SVG: small, and without anything to install or start."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Rows = Sequence[Mapping[str, Any]]
COLORS = {"scheduled": "#7a8fa8", "cancelled": "#d62f2f", "canceled": "#d62f2f"}
OTHER_COLORS = ["#4f9d69", "#e08a1e", "#9467bd", "#3ba3a0", "#8c6d4f", "#c9a227", "#c774b0"]
BLUES = ["#eef2f7", "#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c"]  # none to most events
MAX_TEXT_LENGTH = 60
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
LETTER = 6.5  # pixels, about the width of one
TOP, STEP, LENGTH = 34, 14, 420  # pixels: of the title, of a day, of the longest bar
HEIGHT, BAR = 160, 18  # pixels: of the weeks, of a horizontal bar


def calendar(days: Rows) -> str:
    """Draw a heat map, a column a week. Rows: week (date), weekday, events."""
    weeks = sorted({_text(day["week"]) for day in days})
    most = max(day["events"] for day in days) or 1
    cells: dict[str, str] = {}  # lines by color: a day is a short one
    for day in days:
        color = BLUES[-(-day["events"] * (len(BLUES) - 1) // most)]
        if color != BLUES[0]:
            at = f"M{weeks.index(_text(day['week']))} {WEEKDAYS.index(day['weekday'])}h.93"
            cells[color] = cells.get(color, "") + at
    bottom = TOP + STEP * len(WEEKDAYS)
    ground = _bar(40, TOP, STEP * len(weeks) - 1, STEP * len(WEEKDAYS) - 1, BLUES[0])
    names = [_label(34, TOP + STEP * n + 10, name, "end") for n, name in enumerate(WEEKDAYS)]
    months = [next(group) for _, group in groupby(weeks, lambda week: week[:7])]
    below = [_label(40 + STEP * weeks.index(week), bottom + 14, week[:7]) for week in months[::2]]
    shades = [_bar(40 + STEP * n, bottom + 24, 13, 13, color) for n, color in enumerate(BLUES)]
    scale = _label(46 + STEP * len(BLUES), bottom + 35, f"0 to {most:,} events a day")
    drawn = [f'<path stroke="{color}" d="{path}"/>' for color, path in cells.items()]
    place = f"translate(40 {TOP + STEP / 2:g}) scale({STEP})"
    grid = f'<g stroke-width=".93" transform="{place}">{"".join(drawn)}</g>'
    width = max(90 + STEP * len(weeks), 300)
    parts = [ground, grid, *names, *below, *shades, scale]
    return _svg("Events by day", width, bottom + 50, parts)


def weeks(counts: Rows) -> str:
    """Draw the coming weeks as bars. Rows: week (date of its Monday), status, events."""
    colors = colors_of(row["status"] for row in counts)
    found = _grouped(counts, "week")
    most = max(sum(row["events"] for row in rows) for rows in found.values())
    step = min(LENGTH / len(found), 60)
    drawn = []
    for tick in _ticks(most):
        y = TOP + HEIGHT * (1 - tick / most)
        drawn += [_bar(50, y, LENGTH, 1, "#e6e6e6"), _label(44, y + 4, f"{tick:,}", "end")]
    bars = dict.fromkeys(colors, "")  # lines by status
    for n, (week, rows) in enumerate(found.items()):
        x, y = 50 + step * (n + 0.5), float(TOP + HEIGHT)
        drawn.append(_label(x, y + 14, week[5:], "middle"))
        for row in sorted(rows, key=lambda row: _text(row["status"])):
            size = HEIGHT * row["events"] / most
            bars[_text(row["status"])] += f"M{x:.4g} {y:.4g}v-{size:.4g}"
            y -= size
    drawn += [f'<path stroke="{colors[name]}" d="{path}"/>' for name, path in bars.items()]
    drawn += _legend(colors, 62 + LENGTH)
    height = TOP + max(HEIGHT + 28, BAR * len(colors))
    parts = [f'<g stroke-width="{step - 2:.4g}">', *drawn, "</g>"]
    return _svg("Events in the coming weeks", 200 + LENGTH, height, parts)


def moves(counts: Rows) -> str:
    """Draw the changes as bars. Rows: what (the change and its field), change, events."""
    colors = colors_of(row["change"] for row in counts)
    found = _grouped(counts, "what")
    sums = {what: sum(row["events"] for row in rows) for what, rows in found.items()}
    most, left = max(sums.values()), 20 + LETTER * max(map(len, found))
    bottom = TOP + BAR * len(found)
    drawn = []
    for tick in _ticks(most):
        x = left + LENGTH * tick / most
        drawn += [_bar(x, TOP, 1, bottom - TOP, "#e6e6e6")]
        drawn += [_label(x, bottom + 14, f"{tick:,}", "middle")]
    for n, what in enumerate(sorted(found, key=sums.__getitem__, reverse=True)):
        x, y = left, TOP + BAR * n
        drawn.append(_label(left - 6, y + 13, what, "end"))
        for row in found[what]:
            size = LENGTH * row["events"] / most
            drawn.append(_bar(x, y + 1, size, BAR - 2, colors[_text(row["change"])]))
            x += size
    drawn += _legend(colors, left + LENGTH + 20)
    height = max(bottom + 28, TOP + BAR * len(colors))
    return _svg("Changes since the previous sync", left + LENGTH + 170, height, drawn)


def save(svg: str, file: Path) -> str:
    """Write a chart into a file, and return it as Markdown for the UI."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(svg, encoding="utf-8")
    return f"![{file.stem}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def colors_of(values: Iterable[Any]) -> dict[str, str]:
    """Return a color for each value; those in COLORS keep theirs in every chart."""
    rest = cycle(OTHER_COLORS)
    shown = sorted({_text(value) for value in values})
    return {value: COLORS.get(value.lower()) or next(rest) for value in shown}


def _grouped(rows: Rows, name: str) -> dict[str, list[Mapping[str, Any]]]:
    keyed = sorted(((_text(row[name]), row) for row in rows), key=itemgetter(0))
    return {key: [row for _, row in group] for key, group in groupby(keyed, itemgetter(0))}


def _ticks(most: int) -> range:
    """Return at most six round numbers up to the largest."""
    steps = (digit * 10**power for power in range(20) for digit in (1, 2, 5))
    return range(0, most + 1, next(step for step in steps if most <= 5 * step))


def _legend(colors: Mapping[str, str], x: float) -> list[str]:
    lines = [(TOP + BAR * n, name, color) for n, (name, color) in enumerate(colors.items())]
    return [
        _bar(x, y + 2, 11, 11, color) + _label(x + 17, y + 12, name) for y, name, color in lines
    ]


def _bar(x: float, y: float, width: float, height: float, color: str) -> str:
    sizes = f'width="{width:.4g}" height="{height:.4g}"'
    return f'<rect x="{x:.5g}" y="{y:.5g}" {sizes} fill="{color}"/>'


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.5g}" y="{y:.5g}"{aligned}>{escape(text)}</text>'


def _svg(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    """Return the drawing on a ground that is legible in the light and the dark theme of the UI."""
    size = f'width="{width:.4g}" height="{height:.4g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11" '
        f'fill="#333"><rect {size} fill="#ffffff"/>'
        f'<text x="12" y="20" font-size="13" font-weight="bold">{title}</text>'
        f"{''.join(parts)}</svg>"
    )


def _text(value: Any) -> str:
    """Return a value as it is shown: without control characters, which no SVG can hold."""
    text = value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return shown if len(shown) <= MAX_TEXT_LENGTH else f"{shown[:MAX_TEXT_LENGTH]}…"
