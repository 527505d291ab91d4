"""The printed table: figures and their ratios."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.fault_losses import Loss
from bench.measure import Figures
from bench.scenarios import FEW, Measurement, Scenario

Row = tuple[str, ...]
HEAD: Row = ("figure", "median", "lowest", "highest", "peak memory", "note")
MISSING = "-"


@dataclass(frozen=True)
class Results:
    """All measurements: the steps of each scenario by name, and the losses."""

    scenarios: Mapping[str, Scenario]
    measured: Mapping[str, Mapping[str, Measurement]]
    losses: Sequence[Loss]

    def seconds(self, scenario: str, step: str) -> float | None:
        """Return the median duration of a step."""
        return self._median(scenario, step, lambda figures: figures.seconds[-1])

    def peak_mb(self, scenario: str, step: str) -> float | None:
        """Return the median peak memory of a step, in MB."""
        return self._median(scenario, step, lambda figures: figures.peak_mb)

    def file_mb(self, scenario: str, step: str, sync: int) -> float | None:
        """Return the size of the DuckDB file after a sync (0: first, -1: last), in MB."""
        return self._median(scenario, step, lambda figures: figures.file_mb[sync])

    def _median(self, scenario: str, step: str, value: Callable[[Figures], float]) -> float | None:
        return self.measured[scenario][step].median(value) if scenario in self.measured else None


def build_rows(results: Results) -> Iterator[Row]:
    """Yield the rows of the table: the comparisons, then the measurements."""
    for part, compare in COMPARISONS.items():
        if part in results.measured:
            yield from compare(results, f"{results.scenarios[part].events:,}")
    if results.losses:
        yield _losses_row(results.losses)
    for part, steps in results.measured.items():
        for measurement in steps.values():
            yield _measurement_row(measurement, results.scenarios[part].latency)
    for loss in results.losses:
        yield _row(f"lost: {loss.fault}", _format_share(loss.lost, loss.present), note=loss.note)


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


def _compare_sync(results: Results, events: str) -> Iterator[Row]:
    def seconds(step: str) -> float | None:
        return results.seconds("sync", step)

    whole = _subtract(seconds("b2"), seconds("few"))
    name = "whole `dagster asset materialize`"
    yield _row(
        f"sync in process / raw baseline (a), {events} events",
        _format_ratio(seconds("b1"), seconds("a")),
    )
    yield _row("plain dlt (c) / sync in process", _format_ratio(seconds("c"), seconds("b1")))
    yield _row(
        "plain dlt with Parquet (d) / sync in process", _format_ratio(seconds("d"), seconds("b1"))
    )
    yield _row(f"{name}, {events} less {FEW} events", _format_seconds(whole))
    yield _row(
        f"{name}, {events} less {FEW} events / raw baseline (a)", _format_ratio(whole, seconds("a"))
    )
    yield _row(
        "second sync, nothing changed / first", _format_ratio(seconds("again"), seconds("b1"))
    )
    yield _row(
        f"sync in process: peak memory, {events} events", _format_mb(results.peak_mb("sync", "b1"))
    )


def _compare_stages(results: Results, events: str) -> Iterator[Row]:
    sync = results.seconds("parts", "b1")
    labels = {
        "r": "typing the records",
        "e0": "event_changes, nothing changed",
        "e1": "event_changes, 1 % changed",
    }
    for step, label in labels.items():
        ratio = _format_ratio(results.seconds("parts", step), sync)
        yield _row(f"{label} / sync in process, {events} events", ratio)


def _compare_latency(results: Results, events: str) -> Iterator[Row]:
    ours = results.seconds("latency", "b1")
    label = f"{results.scenarios['latency'].latency * 1000:.0f} ms a page, {events} events"
    for step, name in (("s", "sequential requests (s)"), ("d", "plain dlt (d)")):
        ratio = _format_ratio(results.seconds("latency", step), ours)
        yield _row(f"{label}: {name} / sync in process", ratio)


def _compare_memory(results: Results, events: str) -> Iterator[Row]:
    many, few = results.peak_mb("memory", "b1"), results.peak_mb("sync", "b1")
    base = f"{results.scenarios['sync'].events:,}"
    yield _row(f"sync in process: peak memory, {events} / {base} events", _format_ratio(many, few))
    many, few = (results.seconds("memory", step) for step in ("b1", "a"))
    yield _row(f"sync in process / raw baseline (a), {events} events", _format_ratio(many, few))


def _compare_size(results: Results, events: str) -> Iterator[Row]:
    first, last = (results.file_mb("size", "b1", sync) for sync in (0, -1))
    yield _row(f"DuckDB file after 1 sync, {events} events", _format_mb(first))
    yield _row(f"DuckDB file after 20 unchanged syncs, {events} events", _format_mb(last))
    yield _row("DuckDB file after 20 unchanged syncs / after 1", _format_ratio(last, first))


COMPARISONS: Mapping[str, Callable[[Results, str], Iterator[Row]]] = {
    "sync": _compare_sync,
    "parts": _compare_stages,
    "latency": _compare_latency,
    "memory": _compare_memory,
    "size": _compare_size,
}


def _losses_row(losses: Sequence[Loss]) -> Row:
    broken = sum(loss.lost is None for loss in losses)
    lost = sum(loss.lost or 0 for loss in losses)
    note = f"{broken} of {len(losses)} syncs failed to run" if broken else ""
    present = sum(loss.present for loss in losses if loss.lost is not None)
    return _row(f"events lost over {len(losses)} faults", _format_share(lost, present), note=note)


def _measurement_row(measurement: Measurement, latency: float) -> Row:
    pages = f", {latency * 1000:.0f} ms a page" if latency else ""
    label = f"{measurement.events:,} events{pages}: {measurement.step.label}"
    seconds = measurement.seconds
    return _row(
        label,
        _format_seconds(measurement.median(lambda figures: figures.seconds[-1])),
        _format_seconds(min(seconds, default=None)),
        _format_seconds(max(seconds, default=None)),
        _format_mb(measurement.median(lambda figures: figures.peak_mb)),
        "; ".join(dict.fromkeys(measurement.problems)),
    )


def _row(
    label: str, value: str, low: str = "", high: str = "", peak: str = "", note: str = ""
) -> Row:
    return (label, value, low, high, peak, note)


def _format_seconds(seconds: float | None) -> str:
    return MISSING if seconds is None else f"{seconds:.2f} s"


def _format_mb(size: float | None) -> str:
    return MISSING if size is None else f"{size:,.0f} MB"


def _format_share(part: int | None, whole: int) -> str:
    return MISSING if part is None else f"{part:,} of {whole:,}"


def _format_ratio(value: float | None, base: float | None) -> str:
    return MISSING if value is None or not base else f"{value / base:.2f} x"


def _subtract(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base
