"""The one table that is printed: figures, and ratios of them; no judgement."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.fault_losses import Loss
from bench.measure import Figures
from bench.scenarios import FEW, Scenario, Taken

Row = tuple[str, ...]
HEAD: Row = ("figure", "median", "lowest", "highest", "peak memory", "note")
MISSING = "-"


@dataclass(frozen=True)
class Results:
    """All that was measured: the steps of each scenario by name, and the losses."""

    scenarios: Mapping[str, Scenario]
    taken: Mapping[str, Mapping[str, Taken]]
    losses: Sequence[Loss]

    def seconds(self, scenario: str, step: str) -> float | None:
        """Give the median time of a step."""
        return self._median(scenario, step, lambda figures: figures.seconds[-1])

    def peak(self, scenario: str, step: str) -> float | None:
        """Give the median peak memory of a step, in MB."""
        return self._median(scenario, step, lambda figures: figures.peak_mb)

    def file(self, scenario: str, step: str, sync: int) -> float | None:
        """Give the size of the DuckDB file after a sync (0 the first, -1 the last), in MB."""
        return self._median(scenario, step, lambda figures: figures.file_mb[sync])

    def _median(self, scenario: str, step: str, value: Callable[[Figures], float]) -> float | None:
        return self.taken[scenario][step].median(value) if scenario in self.taken else None


def rows(results: Results) -> Iterator[Row]:
    """Give the rows of the table: first the comparisons, then what they are made of."""
    for part, make in COMPARISONS.items():
        if part in results.taken:
            yield from make(results, f"{results.scenarios[part].events:,}")
    if results.losses:
        yield _all_losses(results.losses)
    for part, steps in results.taken.items():
        for taken in steps.values():
            yield _measured(taken, results.scenarios[part].latency)
    for loss in results.losses:
        yield _row(f"lost: {loss.fault}", _of(loss.lost, loss.present), note=loss.note)


def table(lines: Sequence[Row]) -> str:
    """Lay rows out as a Markdown table that is also readable as plain text."""
    lines = [HEAD, *(tuple(cell.replace("|", "/") for cell in line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = (0, len(HEAD) - 1)

    def laid(line: Row) -> str:
        cells = (
            cell.ljust(width) if column in texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return f"| {' | '.join(cells)} |"

    ruler = (
        "-" * width if column in texts else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join([laid(lines[0]), f"| {' | '.join(ruler)} |", *map(laid, lines[1:])])


def _sync(results: Results, events: str) -> Iterator[Row]:
    def seconds(step: str) -> float | None:
        return results.seconds("sync", step)

    whole = _less(seconds("b2"), seconds("few"))
    name = "whole `dagster asset materialize`"
    yield _row(f"sync in process / limit (a), {events} events", _x(seconds("b1"), seconds("a")))
    yield _row("plain dlt (c) / sync in process", _x(seconds("c"), seconds("b1")))
    yield _row("plain dlt with Parquet (d) / sync in process", _x(seconds("d"), seconds("b1")))
    yield _row(f"{name}, {events} less {FEW} events", _s(whole))
    yield _row(f"{name}, {events} less {FEW} events / limit (a)", _x(whole, seconds("a")))
    yield _row("second sync, nothing changed / first", _x(seconds("again"), seconds("b1")))
    yield _row(f"sync in process: peak memory, {events} events", _mb(results.peak("sync", "b1")))


def _parts(results: Results, events: str) -> Iterator[Row]:
    sync = results.seconds("parts", "b1")
    labels = {
        "r": "typing the records",
        "e0": "event_changes, nothing changed",
        "e1": "event_changes, 1 % changed",
    }
    for step, label in labels.items():
        ratio = _x(results.seconds("parts", step), sync)
        yield _row(f"{label} / sync in process, {events} events", ratio)


def _latency(results: Results, events: str) -> Iterator[Row]:
    ours = results.seconds("latency", "b1")
    label = f"{results.scenarios['latency'].latency * 1000:.0f} ms a page, {events} events"
    for step, name in (("s", "bare requests one after another (s)"), ("d", "plain dlt (d)")):
        ratio = _x(results.seconds("latency", step), ours)
        yield _row(f"{label}: {name} / sync in process", ratio)


def _memory(results: Results, events: str) -> Iterator[Row]:
    many, few = results.peak("memory", "b1"), results.peak("sync", "b1")
    base = f"{results.scenarios['sync'].events:,}"
    yield _row(f"sync in process: peak memory, {events} / {base} events", _x(many, few))
    many, few = (results.seconds("memory", step) for step in ("b1", "a"))
    yield _row(f"sync in process / limit (a), {events} events", _x(many, few))


def _size(results: Results, events: str) -> Iterator[Row]:
    first, last = (results.file("size", "b1", sync) for sync in (0, -1))
    yield _row(f"DuckDB file after 1 sync, {events} events", _mb(first))
    yield _row(f"DuckDB file after 20 unchanged syncs, {events} events", _mb(last))
    yield _row("DuckDB file after 20 unchanged syncs / after 1", _x(last, first))


COMPARISONS: Mapping[str, Callable[[Results, str], Iterator[Row]]] = {
    "sync": _sync,
    "parts": _parts,
    "latency": _latency,
    "memory": _memory,
    "size": _size,
}


def _all_losses(losses: Sequence[Loss]) -> Row:
    broken = sum(loss.lost is None for loss in losses)
    lost = sum(loss.lost or 0 for loss in losses)
    note = f"{broken} of {len(losses)} syncs broke" if broken else ""
    present = sum(loss.present for loss in losses if loss.lost is not None)
    return _row(f"events lost over {len(losses)} faults", _of(lost, present), note=note)


def _measured(taken: Taken, latency: float) -> Row:
    pages = f", {latency * 1000:.0f} ms a page" if latency else ""
    label = f"{taken.events:,} events{pages}: {taken.step.label}"
    seconds = taken.seconds
    return _row(
        label,
        _s(taken.median(lambda figures: figures.seconds[-1])),
        _s(min(seconds, default=None)),
        _s(max(seconds, default=None)),
        _mb(taken.median(lambda figures: figures.peak_mb)),
        "; ".join(dict.fromkeys(taken.problems)),
    )


def _row(
    label: str, value: str, low: str = "", high: str = "", peak: str = "", note: str = ""
) -> Row:
    return (label, value, low, high, peak, note)


def _s(seconds: float | None) -> str:
    return MISSING if seconds is None else f"{seconds:.2f} s"


def _mb(size: float | None) -> str:
    return MISSING if size is None else f"{size:,.0f} MB"


def _of(part: int | None, whole: int) -> str:
    return MISSING if part is None else f"{part:,} of {whole:,}"


def _x(value: float | None, base: float | None) -> str:
    return MISSING if value is None or not base else f"{value / base:.2f} x"


def _less(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base
