"""The scenarios: contenders in turn against a server."""

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, PAGE
from bench.measure import ContenderError, Figures, measure, require_complete
from event_assets import sandbox
from event_assets.sandbox import Faults, Sandbox

START_SECONDS = 600.0  # for a server to generate its events
FEW = 100  # events: measures the fixed cost of a command
SLOW_EVENTS = 20_000  # where every page waits or every sync is repeated
LATENCY_SECONDS = 0.2  # before each response
GROWTH = (10_000, 100_000, 1_000_000, 3_000_000)  # events
SHAPE_EVENTS = 10_000
CONCURRENCY = 32
Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """A contender in a scenario.

    Attributes:
        contender: its key in `CONTENDERS`.
        note: added to the label.
        events: the number of events, when it differs from the scenario's.
        after: the step that leaves its folder, and so its database, to this one.
        times: syncs in one process.
    """

    contender: str
    note: str = ""
    events: int | None = None
    after: str | None = None
    times: int = 1

    @property
    def label(self) -> str:
        """The contender's label with the note."""
        label = CONTENDERS[self.contender].label
        return f"{label}, {self.note}" if self.note else label


@dataclass(frozen=True)
class Scenario:
    """Steps run in turn, so that noise on the machine affects all of them."""

    events: int
    steps: dict[str, Step]
    runs: int = 1
    latency: float = 0.0  # seconds per page
    records: Records | None = None  # instead of the sandbox's events

    @property
    def possible_seconds(self) -> float:
        """The time for all pages with as many requests at a time as `concurrency` allows."""
        return self.events / PAGE * self.latency / CONCURRENCY


@dataclass
class Measurement:
    """The figures of a step, and why some are missing."""

    step: Step
    events: int
    figures: list[Figures] = field(default_factory=list[Figures])
    problems: list[str] = field(default_factory=list[str])

    def median(self, value: Callable[[Figures], float]) -> float | None:
        """Return the median of the runs, or None when a run is missing."""
        if self.problems or not self.figures:
            return None
        return statistics.median(value(figures) for figures in self.figures)


SYNC = {
    "a": Step("a"),
    "b1": Step("b1"),
    "again": Step("b1", "again, nothing changed", after="b1"),
    "b2": Step("b2", "whole process"),
    "few": Step("b2", "whole process", events=FEW),
    "x": Step("x"),
    "v": Step("v"),
    "xv": Step("xv"),
    "h": Step("h"),
    "k": Step("k"),
    "c": Step("c"),
    "d": Step("d"),
}
LATENCY = {step: Step(step) for step in ("a", "b1", "s", "d")}
STAGES = {step: Step(step) for step in ("b1", "r", "e0", "e1", "e2")}
MILLION_STEPS = {step: Step(step) for step in ("a", "b1", "b2", "h")}
GROWTH_STEPS = {str(events): Step("b1", events=events) for events in GROWTH}
SHAPE_STEPS = {step: Step(step) for step in ("b1", "d")}
SHAPES: dict[str, Callable[[], Records]] = {
    "wide": lambda: _build_records({f"field_{n}": n for n in range(200)}),
    "deep": lambda: _build_records({"a": {"b": {"c": {"d": {"e": {"f": 1, "g": "text"}}}}}}),
    "long": lambda: _build_records({"text": "a long text of words " * 1000}),
}
SIZE = {"b1": Step("b1", "the last of 20, nothing changed", times=20)}


def run(scenario: Scenario) -> dict[str, Measurement]:
    """Run a scenario and return the measurement of each step."""
    measurements = {
        name: Measurement(step, step.events or scenario.events)
        for name, step in scenario.steps.items()
    }
    with _run_servers({step.events for step in measurements.values()}, scenario) as urls:
        for number in range(1, scenario.runs + 1):
            with tempfile.TemporaryDirectory(prefix="event_assets_bench_") as home:
                for name, measurement in measurements.items():
                    step, events = measurement.step, measurement.events
                    print_progress(f"{events:,} events, {step.label}, {number} of {scenario.runs}")
                    _measure_step(measurement, urls[events], _make_folder(Path(home), name, step))
    return measurements


def print_progress(progress: str) -> None:
    """Print progress to standard error."""
    print(progress, "...", file=sys.stderr, flush=True)


def _measure_step(measurement: Measurement, url: str, folder: Path) -> None:
    try:
        figures = measure(measurement.step.contender, url, folder, measurement.step.times)
        measurement.figures.append(require_complete(figures, measurement.events))
    except ContenderError as error:
        measurement.problems.append(str(error))


def _make_folder(home: Path, name: str, step: Step) -> Path:
    folder = home / (step.after or name)
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def _run_servers(sizes: set[int], scenario: Scenario) -> Iterator[dict[int, str]]:
    """Run a server process for each number of events and yield their URLs."""
    faults = Faults(latency=scenario.latency)
    with contextlib.ExitStack() as stack:
        if scenario.records is not None:  # in this process
            yield {scenario.events: stack.enter_context(Sandbox(scenario.records)).url}
            return
        yield {
            size: stack.enter_context(
                sandbox.run_sandbox(size, frozen=True, faults=faults, timeout=START_SECONDS)
            )
            for size in sorted(sizes)
        }


def _build_records(fields: dict[str, Any]) -> Records:
    times = {"start_time": "2026-05-01T18:30:00Z", "end_time": "2026-05-01T20:30:00Z"}
    return [{"id": f"e{n}", "name": f"Event {n}", **times, **fields} for n in range(SHAPE_EVENTS)]
