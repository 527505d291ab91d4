"""Pictures for the UI: Vega-Lite in, SVG and PNG out. None needs a browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]

# An opaque ground, so that the pictures are legible in the UI's light and dark theme alike.
CONFIG: Spec = {
    "background": "#ffffff",
    "aria": False,  # else each mark brings a sentence
    "padding": 12,
    "font": "sans-serif",
    "axis": {"labelColor": "#333", "titleColor": "#333", "gridColor": "#e6e6e6"},
    "title": {"color": "#111", "fontSize": 13, "anchor": "start"},
    "legend": {"labelColor": "#333", "titleColor": "#333"},
    "view": {"stroke": None},
}
PALETTE = {"scheme": "tableau10"}
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def calendar(days: Rows) -> Spec:
    """Draw a heat map: a column a week, a row a weekday. Rows: week (date), weekday, events."""
    return _chart(
        "Events by day",
        days,
        mark={"type": "rect", "cornerRadius": 2},
        encoding={
            "x": {"field": "week", "type": "ordinal", "title": None,
                  "axis": {"labelExpr": "utcFormat(toDate(datum.value), '%d %b %y')",
                           "labelAngle": -45, "labelOverlap": True}},
            "y": {"field": "weekday", "type": "ordinal", "sort": WEEKDAYS, "title": None},
            "color": {"field": "events", "type": "quantitative", "title": "events",
                      "scale": {"scheme": "blues", "domainMin": 0}},
        },
        width={"step": 14},
        height={"step": 14},
    )  # fmt: skip


def weeks(counts: Rows) -> Spec:
    """Draw the coming weeks as bars. Rows: week (date of its Monday), status, events."""
    return _chart(
        "Events in the coming weeks",
        counts,
        mark="bar",
        encoding={
            "x": {"field": "week", "type": "ordinal", "title": "week of",
                  "axis": {"labelAngle": -45}},
            "y": {"field": "events", "type": "quantitative", "aggregate": "sum", "title": "events"},
            "color": {"field": "status", "type": "nominal", "title": "status", "scale": PALETTE},
        },
        width=420,
        height=160,
    )  # fmt: skip


def moves(counts: Rows) -> Spec:
    """Draw what moved, as bars. Rows: what (the change, and its field), change, events."""
    return _chart(
        "What moved since the sync before",
        counts,
        mark="bar",
        encoding={
            "y": {"field": "what", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "events", "type": "quantitative", "title": "events",
                  "axis": {"tickMinStep": 1}},
            "color": {"field": "change", "type": "nominal", "title": "change", "scale": PALETTE},
        },
        width=420,
        height={"step": 18},
    )  # fmt: skip


def history(syncs: Rows) -> Spec:
    """Draw the syncs over time. Rows: started_at, and the FIGURES of each."""
    points = {"size": 18} if len(syncs) <= FEW else False  # each takes room in every run's history
    panels = [
        _chart(
            title,
            [{"at": row["started_at"], "value": row[name]} for row in syncs],
            mark={"type": "line", "point": points, "strokeJoin": "round"},
            encoding={
                "x": {"field": "at", "type": "temporal", "title": None, "scale": {"type": "utc"}},
                "y": {"field": "value", "type": "quantitative", "title": None},
            },
            width=300,
            height=80,
        )
        for name, title in FIGURES.items()
    ]  # fmt: skip
    return {"concat": panels, "columns": 2, "config": CONFIG}


LONGEST = 60  # characters of a text
FEW = 20  # syncs
FIGURES = {
    "rows_read": "rows read",
    "seconds": "duration, seconds",
    "requests": "requests",
    "rejects": "rejects",
}


def save(spec: Spec, file: Path) -> str:
    """Draw a picture into an SVG file, and give it as Markdown that the UI shows."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, vl_version="5.20")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(svg, encoding="utf-8")
    return f"![{file.stem}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _chart(title: str, rows: Rows, **parts: Any) -> Spec:
    data = {"values": [{name: _plain(value) for name, value in row.items()} for row in rows]}
    return {"title": title, "data": data, "config": CONFIG, **parts}


def _plain(value: Any) -> Any:
    if isinstance(value, str):  # control characters, which no SVG can hold, abort the process
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in value)
        return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return value if value is None or isinstance(value, (int, float)) else value.isoformat()
