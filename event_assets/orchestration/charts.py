"""Charts for the UI: Vega-Lite specifications, drawn as SVG without a browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]

# Opaque, so that charts are legible in the light and the dark theme of the UI.
CONFIG: Spec = {
    "background": "#ffffff",
    "aria": False,  # else each mark carries a sentence
    "padding": 12,
    "font": "sans-serif",
    "axis": {"labelColor": "#333", "titleColor": "#333", "gridColor": "#e6e6e6"},
    "title": {"color": "#111", "fontSize": 13, "anchor": "start"},
    "legend": {"labelColor": "#333", "titleColor": "#333"},
    "view": {"stroke": None},
}
COLORS = {"scheduled": "#7a8fa8", "cancelled": "#d62f2f", "canceled": "#d62f2f"}
OTHER_COLORS = ["#4f9d69", "#e08a1e", "#9467bd", "#3ba3a0", "#8c6d4f", "#c9a227", "#c774b0"]
MAX_TEXT_LENGTH = 60
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def calendar(days: Rows) -> Spec:
    """Return a heat map, a column a week. Rows: week (date), weekday, events."""
    return _chart(
        "Events by day",
        days,
        mark="rect",
        encoding={
            "x": {"field": "week", "type": "ordinal", "title": None,
                  "scale": {"paddingInner": 0.08},
                  "axis": {"labelExpr": "utcFormat(toDate(datum.value), '%d %b %y')",
                           "labelAngle": -45, "labelOverlap": True}},
            "y": {"field": "weekday", "type": "ordinal", "sort": WEEKDAYS, "title": None,
                  "scale": {"paddingInner": 0.08}},
            "color": {"field": "events", "type": "quantitative", "title": "events",
                      "scale": {"scheme": "blues", "domainMin": 0}},
        },
        width={"step": 14},
        height={"step": 14},
    )  # fmt: skip


def weeks(counts: Rows) -> Spec:
    """Return the coming weeks as bars. Rows: week (date of its Monday), status, events."""
    return _chart(
        "Events in the coming weeks",
        counts,
        mark="bar",
        encoding={
            "x": {"field": "week", "type": "ordinal", "title": "week of",
                  "axis": {"labelAngle": -45}},
            "y": {"field": "events", "type": "quantitative", "aggregate": "sum", "title": "events"},
            "color": _color(counts, "status"),
        },
        width=420,
        height=160,
    )  # fmt: skip


def moves(counts: Rows) -> Spec:
    """Return the changes as bars. Rows: what (the change and its field), change, events."""
    return _chart(
        "Changes since the previous sync",
        counts,
        mark="bar",
        encoding={
            "y": {"field": "what", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "events", "type": "quantitative", "title": "events",
                  "axis": {"tickMinStep": 1}},
            "color": _color(counts, "change"),
        },
        width=420,
        height={"step": 18},
    )  # fmt: skip


def draw_svg(spec: Spec, file: Path) -> str:
    """Draw a chart into an SVG file, and return it as Markdown for the UI."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, vl_version="5.20")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(svg, encoding="utf-8")
    return f"![{file.stem}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _chart(title: str, rows: Rows, **parts: Any) -> Spec:
    data = {"values": [{name: _to_json(value) for name, value in row.items()} for row in rows]}
    return {"title": title, "data": data, "config": CONFIG, **parts}


def _color(rows: Rows, field: str) -> Spec:
    """Color the values of a field; those in COLORS keep theirs in every chart."""
    values = sorted({str(_to_json(row[field])) for row in rows})
    rest = cycle(OTHER_COLORS)
    colors = [COLORS.get(value.lower()) or next(rest) for value in values]
    scale = {"domain": values, "range": colors}
    return {"field": field, "type": "nominal", "title": field, "scale": scale}


def _to_json(value: Any) -> Any:
    if isinstance(value, str):  # control characters, which no SVG can hold, abort the process
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in value)
        return shown if len(shown) <= MAX_TEXT_LENGTH else f"{shown[:MAX_TEXT_LENGTH]}…"
    return value if value is None or isinstance(value, (int, float)) else value.isoformat()
