"""The printed tables: figures with their bars, contenders, faults; and the chart of growth."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench import losses, soak
from bench.line_chart import Panel, draw_chart
from bench.parts import GROWTH
from bench.results import Results, Run, median

Address = tuple[str, str, str]  # part, step, number
Row = Sequence[str]
MISSING = "-"
RATIO, SECONDS, MB, COUNT = "{:.2f}", "{:.2f} s", "{:,.0f} MB", "{:,.0f}"


@dataclass(frozen=True)
class Figure:
    """A number, or one divided by another, and what it may be at the most."""

    label: str
    of: Address
    by: Address | None = None
    at_most: float | None = None
    unit: str = RATIO


def _cpu(label: str, part: str, step: str, base: str, at_most: float | None = None) -> Figure:
    return Figure(label, (part, step, "cpu"), (part, base, "cpu"), at_most)


FIGURES = (
    _cpu("in process / the floor", "sync", "project", "floor", 1.7),
    _cpu("in process / the floor", "million", "project", "floor", 1.6),
    _cpu("in process / plain dlt", "sync", "project", "dlt", 0.1),
    _cpu("in process / plain dlt with Parquet", "sync", "project", "dlt parquet"),
    _cpu("command / DuckDB SQL alone", "million", "command", "duckdb", 0.75),
    _cpu("command / duckle", "sync", "command", "duckle", 1.0),
    _cpu("command with 100 events / one bare asset", "sync", "few", "bare", 1.5),
    _cpu("`definitions validate` / one bare asset", "sync", "validate", "bare validate", 1.25),
    _cpu("second sync, nothing changed / first", "sync", "again", "project", 0.7),
    Figure(
        "DuckDB file after 20 unchanged syncs / after 1",
        ("size", "project", "file_mb"),
        ("size", "project", "first_file_mb"),
        1.3,
    ),
    Figure(
        "200 ms a page: wall time / (pages x 200 ms / 32)",
        ("latency", "project", "seconds"),
        ("latency", "project", "possible"),
        2,
    ),
    Figure(
        "200 ms a page: wall time / plain dlt",
        ("latency", "project", "seconds"),
        ("latency", "dlt parquet", "seconds"),
    ),
    Figure(
        f"refused requests, {losses.SLOWLY}",
        (losses.PART, losses.SLOWLY, "refused"),
        (losses.PART, losses.SLOWLY, "requests"),
        0.1,
    ),
    Figure("events lost, all faults", (losses.PART, losses.ALL, "lost"), None, 0, COUNT),
    _cpu("typing the records / sync", "stages", "typing", "project"),
    _cpu("event_changes, nothing changed / sync", "stages", "none changed", "project"),
    _cpu("event_changes, 1 % changed / sync", "stages", "some changed", "project"),
    _cpu("event_changes, every event changed / sync", "stages", "all changed", "project", 0.25),
    *(
        _cpu(
            f"{shape} records: in process / plain dlt with Parquet",
            shape,
            "project",
            "dlt parquet",
            0.4,
        )
        for shape in ("wide", "deep", "long")
    ),
    Figure("peak memory, in process", ("million", "project", "peak_mb"), None, 520, MB),
    Figure("DAGSTER_HOME after 300 syncs", (soak.PART, soak.STEP, "home_mb"), None, 60, MB),
    *(
        Figure(
            f"CPU per event, {many:,} / {few:,}",
            ("growth", str(many), "cpu_per_event"),
            ("growth", str(few), "cpu_per_event"),
            1.1,
        )
        for few, many in pairwise(GROWTH)
    ),
)


def format_tables(results: Results) -> str:
    """Return the tables of what was measured, as Markdown."""
    timed = [runs for runs in results.steps() if runs[0].part not in (losses.PART, soak.PART)]
    faults = [runs[0] for runs in results.steps() if runs[0].part == losses.PART]
    tables = (
        _format_table("figure | events | measured | at most", _figure_rows(results)),
        _format_table(
            "part | events | contender | wall | lowest, highest | CPU | peak memory | note",
            map(_timed_row, timed),
        ),
        _format_table("fault | events | lost | requests | refused | note", map(_fault_row, faults)),
    )
    return "\n".join(table for table in tables if table)


def draw_growth(results: Results) -> str:
    """Return a chart of CPU time and memory by the number of events, as SVG; "" without any."""
    found = [run for events in GROWTH for run in results.find("growth", str(events)) if run.numbers]
    if not found:
        return ""
    ticks = {math.log10(run.events): f"{run.events / 1000:,g}" for run in found}

    def panel(title: str, number: str, factor: float) -> Panel:
        points = [(math.log10(run.events), run.numbers[number] * factor) for run in found]
        return Panel(title, {title: points}, ticks)

    return draw_chart(
        [
            panel("CPU per event in µs, by thousands of events", "cpu_per_event", 1e6),
            panel("peak memory in MB, by thousands of events", "peak_mb", 1),
        ]
    )


def _figure_rows(results: Results) -> Iterator[Row]:
    for figure in FIGURES:
        runs = results.find(*figure.of[:2])
        if not runs:
            continue
        value = median(runs, figure.of[2])
        if figure.by is not None:
            base = median(results.find(*figure.by[:2]), figure.by[2])
            value = value / base if value is not None and base else None
        at_most = "" if figure.at_most is None else figure.unit.format(figure.at_most)
        yield figure.label, f"{runs[0].events:,}", _format(figure.unit, value), at_most


def _timed_row(runs: list[Run]) -> Row:
    run = runs[0]
    seconds = [run.numbers["seconds"] for run in runs if run.numbers]
    return (
        run.part,
        f"{run.events:,}",
        run.label,
        _format(SECONDS, median(runs, "seconds")),
        f"{min(seconds):.2f}, {max(seconds):.2f}" if seconds else "",
        _format(SECONDS, median(runs, "cpu")),
        _format(MB, median(runs, "peak_mb")),
        "; ".join(dict.fromkeys(run.problem for run in runs if run.problem)),
    )


def _fault_row(run: Run) -> Row:
    numbers = (run.numbers.get(name) for name in ("lost", "requests", "refused"))
    return (
        run.label,
        f"{run.events:,}",
        *(_format(COUNT, number) for number in numbers),
        run.problem,
    )


def _format(unit: str, value: float | None) -> str:
    return MISSING if value is None else unit.format(value)


def _format_table(head: str, rows: Iterable[Row]) -> str:
    """Return a Markdown table; nothing without rows."""
    lines = [" | ".join(cell.replace("|", "/") for cell in row) for row in rows]
    rule = " | ".join("---" for _ in head.split(" | "))
    return "".join(f"| {line} |\n" for line in (head, rule, *lines)) if lines else ""
