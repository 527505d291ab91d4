"""The printed table: figures and their ratios."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bench.fault_losses import Loss
from bench.measure import Figures
from bench.scenarios import GROWTH, SHAPES, Measurement, Scenario

Value = Callable[[Figures], float]
Row = tuple[str, ...]
HEAD: Row = ("figure", "median", "lowest", "highest", "CPU", "peak memory", "note")
MISSING = "-"


MB, SECONDS, RATIO = "{:,.0f} MB", "{:.2f} s", "{:.2f} x"


@dataclass(frozen=True)
class Figure:
    """A figure of the table: one measurement, or one divided by another.

    Attributes:
        label: with the number of events in `{events}`.
        part: the scenario.
        step: the step in it.
        value: of a run.
        base: a further part and step by which it is divided, or the shortest time of the scenario.
        base_value: of a run of the base.
    """

    label: str
    part: str
    step: str
    value: Value
    base: tuple[str, str] | Literal["possible"] | None = None
    base_value: Value | None = None


def cpu(figures: Figures) -> float:
    """Return the CPU seconds of the last sync."""
    return figures.cpu[-1]


def seconds(figures: Figures) -> float:
    """Return the duration of the last sync."""
    return figures.seconds[-1]


def per_event(figures: Figures) -> float:
    """Return the CPU seconds per event."""
    return figures.cpu[-1] / figures.rows


def peak(figures: Figures) -> float:
    """Return the peak memory in MB."""
    return figures.peak_mb


def first_size(figures: Figures) -> float:
    """Return the size of the file after the first sync, in MB."""
    return figures.file_mb[0]


def last_size(figures: Figures) -> float:
    """Return the size of the file after the last sync, in MB."""
    return figures.file_mb[-1]


FIGURES = (
    Figure("in process / raw baseline (a)", "sync", "b1", cpu, ("sync", "a")),
    Figure("in process / raw baseline (a)", "million", "b1", cpu, ("million", "a")),
    Figure("command / DuckDB SQL alone (h)", "sync", "b2", cpu, ("sync", "h")),
    Figure("command / DuckDB SQL alone (h)", "million", "b2", cpu, ("million", "h")),
    Figure("command / duckle (k)", "sync", "b2", cpu, ("sync", "k")),
    Figure("plain dlt (c) / in process", "sync", "c", cpu, ("sync", "b1")),
    Figure("plain dlt with Parquet (d) / in process", "sync", "d", cpu, ("sync", "b1")),
    Figure("command with 100 events / one bare asset (x)", "sync", "few", cpu, ("sync", "x")),
    Figure("`definitions validate` / one bare asset (x)", "sync", "v", cpu, ("sync", "xv")),
    Figure("second sync, nothing changed / first", "sync", "again", cpu, ("sync", "b1")),
    Figure("event_changes, nothing changed / sync", "parts", "e0", cpu, ("parts", "b1")),
    Figure("event_changes, 1 % changed / sync", "parts", "e1", cpu, ("parts", "b1")),
    Figure("event_changes, every event changed / sync", "parts", "e2", cpu, ("parts", "b1")),
    Figure("typing the records / sync", "parts", "r", cpu, ("parts", "b1")),
    Figure("in process / (pages x 200 ms / 32), wall", "latency", "b1", seconds, "possible"),
    Figure(
        "plain dlt (d) / in process, 200 ms a page, wall",
        "latency",
        "d",
        seconds,
        ("latency", "b1"),
    ),
    *(
        Figure(
            f"{shape} records: in process / plain dlt with Parquet (d)",
            shape,
            "b1",
            cpu,
            (shape, "d"),
        )
        for shape in SHAPES
    ),
    Figure("peak memory, in process", "sync", "b1", peak),
    Figure("peak memory, in process", "million", "b1", peak),
    Figure("DuckDB file after 1 sync", "size", "b1", first_size),
    Figure(
        "DuckDB file after 20 unchanged syncs / after 1",
        "size",
        "b1",
        last_size,
        ("size", "b1"),
        first_size,
    ),
    *(
        Figure(
            f"CPU per event, {many:,} / {few:,} events",
            "growth",
            str(many),
            per_event,
            ("growth", str(few)),
        )
        for few, many in pairwise(GROWTH)
    ),
    *(Figure(f"peak memory, {number:,} events", "growth", str(number), peak) for number in GROWTH),
)


@dataclass(frozen=True)
class Results:
    """All measurements: the steps of each scenario by name, and the losses."""

    scenarios: Mapping[str, Scenario]
    measured: Mapping[str, Mapping[str, Measurement]]
    losses: Sequence[Loss]

    def median(self, part: str, step: str, value: Value) -> float | None:
        """Return the median of a step's runs."""
        return self.measured[part][step].median(value) if part in self.measured else None


def build_rows(results: Results) -> Iterator[Row]:
    """Yield the rows of the table: the comparisons, then the measurements."""
    for figure in FIGURES:
        if figure.part in results.measured:
            yield _figure_row(results, figure)
    if results.losses:
        yield from _losses_rows(results.losses)
    for part, steps in results.measured.items():
        for measurement in steps.values():
            yield _measurement_row(measurement, results.scenarios[part].latency)
    for loss in results.losses:
        yield _row(f"lost: {loss.fault}", _format_share(loss.lost, loss.present), note=loss.note)


def _figure_row(results: Results, figure: Figure) -> Row:
    value = results.median(figure.part, figure.step, figure.value)
    if isinstance(figure.base, tuple):
        base = results.median(*figure.base, figure.base_value or figure.value)
    else:
        base = results.scenarios[figure.part].possible_seconds if figure.base else 1
    value = value / base if value is not None and base else None
    events = (
        "" if figure.part == "growth" else f", {results.scenarios[figure.part].events:,} events"
    )
    return _row(f"{figure.label}{events}", _format(RATIO if figure.base else MB, value))


def format_table(lines: Sequence[Row]) -> str:
    """Format rows as a Markdown table that is readable as plain text."""
    lines = [HEAD, *(tuple(cell.replace("|", "/") for cell in line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text_columns = (0, len(HEAD) - 1)

    def format_line(line: Row) -> str:
        cells = (
            cell.ljust(width) if column in text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return f"| {' | '.join(cells)} |"

    ruler = (
        "-" * width if column in text_columns else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join(
        [format_line(lines[0]), f"| {' | '.join(ruler)} |", *map(format_line, lines[1:])]
    )


def _losses_rows(losses: Sequence[Loss]) -> Iterator[Row]:
    broken = sum(loss.lost is None for loss in losses)
    lost = sum(loss.lost or 0 for loss in losses)
    note = f"{broken} of {len(losses)} syncs failed to run" if broken else ""
    present = sum(loss.present for loss in losses if loss.lost is not None)
    yield _row(f"events lost over {len(losses)} faults", _format_share(lost, present), note=note)
    for loss in losses:
        if loss.requests and "429" in loss.fault:
            yield _row(f"refused requests, {loss.fault}", f"{loss.refused / loss.requests:.0%}")


def _measurement_row(measurement: Measurement, latency: float) -> Row:
    pages = f", {latency * 1000:.0f} ms a page" if latency else ""
    runs = [seconds(figures) for figures in measurement.figures]
    return _row(
        f"{measurement.events:,} events{pages}: {measurement.step.label}",
        _format(SECONDS, measurement.median(seconds)),
        _format(SECONDS, min(runs, default=None)),
        _format(SECONDS, max(runs, default=None)),
        _format(SECONDS, measurement.median(cpu)),
        _format(MB, measurement.median(peak)),
        "; ".join(dict.fromkeys(measurement.problems)),
    )


def _row(label: str, value: str, *others: str, note: str = "") -> Row:
    cells = (label, value, *others)
    return (*cells, *[""] * (len(HEAD) - len(cells) - 1), note) if len(cells) < len(HEAD) else cells


def _format(unit: str, value: float | None) -> str:
    return MISSING if value is None else unit.format(value)


def _format_share(part: int | None, whole: int) -> str:
    return MISSING if part is None else f"{part:,} of {whole:,}"
