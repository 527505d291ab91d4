"""What is measured: which contenders, in turn, against which server."""

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import CONTENDERS
from bench.measure import ContenderError, Figures, expect, measure
from event_assets import sandbox
from event_assets.sandbox import Faults

START_SECONDS = 600.0  # that a server may take to make its events
FEW = 100  # events: what a command costs apart from its events


@dataclass(frozen=True)
class Step:
    """One contender's part in a scenario.

    Attributes:
        contender: its key in the table of contenders.
        note: what is particular about it here.
        events: how many the server has, if not as many as the scenario says.
        after: the step whose folder, and so whose database, it goes on with.
        times: syncs in one process.
    """

    contender: str
    note: str = ""
    events: int | None = None
    after: str | None = None
    times: int = 1

    @property
    def label(self) -> str:
        """The contender, and what is particular."""
        label = CONTENDERS[self.contender].label
        return f"{label}, {self.note}" if self.note else label


@dataclass(frozen=True)
class Scenario:
    """Steps, taken in turn so that the machine's noise hits all alike, over and over."""

    events: int
    steps: dict[str, Step]
    runs: int = 1
    latency: float = 0.0  # seconds a page


@dataclass
class Taken:
    """The figures that a step gave, and why some are missing."""

    step: Step
    events: int
    figures: list[Figures] = field(default_factory=list[Figures])
    problems: list[str] = field(default_factory=list[str])

    @property
    def seconds(self) -> list[float]:
        """How long each run took."""
        return [figures.seconds[-1] for figures in self.figures]

    def median(self, value: Callable[[Figures], float]) -> float | None:
        """Give the median over the runs, or None if a run is missing."""
        if self.problems or not self.figures:
            return None
        return statistics.median(value(figures) for figures in self.figures)


SYNC = {
    "a": Step("a"),
    "b1": Step("b1"),
    "again": Step("b1", "again, nothing changed", after="b1"),
    "b2": Step("b2", "whole process"),
    "few": Step("b2", "whole process", events=FEW),
    "c": Step("c"),
    "d": Step("d"),
}
LATENCY = {step: Step(step) for step in ("a", "b1", "s", "d")}
PARTS = {step: Step(step) for step in ("b1", "r", "e0", "e1")}
MEMORY = {step: Step(step) for step in ("a", "b1")}
SIZE = {"b1": Step("b1", "the last of 20, nothing changed", times=20)}


def take(scenario: Scenario) -> dict[str, Taken]:
    """Run a scenario and give what each step of it took."""
    taken = {
        name: Taken(step, step.events or scenario.events) for name, step in scenario.steps.items()
    }
    with _servers({step.events for step in taken.values()}, scenario.latency) as urls:
        for run in range(1, scenario.runs + 1):
            with tempfile.TemporaryDirectory(prefix="event_assets_bench_") as home:
                for name, step in taken.items():
                    say(f"{step.events:,} events, {step.step.label}, {run} of {scenario.runs}")
                    _take(step, urls[step.events], _folder(Path(home), name, step.step))
    return taken


def say(progress: str) -> None:
    """Tell whoever waits what is going on, apart from the table."""
    print(progress, "...", file=sys.stderr, flush=True)


def _take(taken: Taken, url: str, folder: Path) -> None:
    try:
        figures = measure(taken.step.contender, url, folder, taken.step.times)
        taken.figures.append(expect(figures, taken.events))
    except ContenderError as error:
        taken.problems.append(str(error))


def _folder(home: Path, name: str, step: Step) -> Path:
    folder = home / (step.after or name)
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def _servers(sizes: set[int], latency: float) -> Iterator[dict[int, str]]:
    """Serve so many events each, frozen, from processes of their own, on loopback."""
    faults = Faults(latency=latency)
    with contextlib.ExitStack() as running:
        yield {
            size: running.enter_context(
                sandbox.run_sandbox(size, frozen=True, faults=faults, timeout=START_SECONDS)
            )
            for size in sorted(sizes)
        }
