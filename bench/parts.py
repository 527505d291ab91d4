"""The parts of the bench in which contenders run in turn against a server."""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, PAGE
from bench.measure import ContenderError, measure, require_complete
from bench.results import Run
from event_assets.sandbox import Sandbox

FEW = 100  # events: measures the fixed cost of a command
CONCURRENCY = 32
GROWTH = (10_000, 100_000, 1_000_000, 3_000_000)  # events
Fields = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A contender in a part.

    Attributes:
        contender: its key in `CONTENDERS`.
        runs: how many times it is measured.
        name: of the step, when it differs from the contender's key.
        note: added to the contender's label.
        events: the number of events, when it differs from the part's.
        after: the step that leaves its folder, and so its database, to this one.
        times: syncs in one process.
    """

    contender: str
    runs: int = 5
    name: str = ""
    note: str = ""
    events: int | None = None
    after: str = ""
    times: int = 1

    @property
    def key(self) -> str:
        """Its name."""
        return self.name or self.contender

    @property
    def label(self) -> str:
        """The contender's label with the note."""
        label = CONTENDERS[self.contender].label
        return f"{label}, {self.note}" if self.note else label


@dataclass(frozen=True)
class Part:
    """Steps that run in turn, so that noise on the machine affects all of them.

    Attributes:
        events: how many the API has.
        latency: seconds before each response.
        fields: what each record has besides its contract; None for the sandbox's events.
    """

    name: str
    events: int
    steps: Sequence[Step]
    latency: float = 0.0
    fields: Fields | None = None

    def run(self, scale: float, most_runs: int) -> Iterator[Run]:
        """Measure each step, with `scale` times the events, and yield each run as it ends."""
        sizes = {step.key: _scale(step.events or self.events, scale) for step in self.steps}
        with self._serve(set(sizes.values())) as urls:
            for number in range(1, min(most_runs, max(step.runs for step in self.steps)) + 1):
                with tempfile.TemporaryDirectory(prefix="event_assets_bench_") as home:
                    for step in self.steps:
                        if number <= step.runs:
                            events = sizes[step.key]
                            folder = Path(home, step.after or step.key)
                            print_progress(f"{self.name} {number}: {events:,} events, {step.label}")
                            yield self._measure(step, events, urls[events], folder)

    def _measure(self, step: Step, events: int, url: str, folder: Path) -> Run:
        folder.mkdir(exist_ok=True)
        numbers: dict[str, float] = {}
        problem = ""
        try:
            numbers = require_complete(measure(step.contender, url, folder, step.times), events)
            numbers["cpu_per_event"] = numbers["cpu"] / events
            numbers["possible"] = events / PAGE * self.latency / CONCURRENCY  # seconds
        except ContenderError as error:
            problem = str(error)
        return Run(self.name, step.key, step.label, events, numbers, problem)

    @contextlib.contextmanager
    def _serve(self, sizes: set[int]) -> Iterator[dict[int, str]]:
        """Run a server process for each number of events and yield their URLs."""
        with contextlib.ExitStack() as stack:
            if self.fields is not None:  # in this process
                (events,) = sizes
                records = _build_records(events, self.fields)
                yield {events: stack.enter_context(Sandbox(records)).url}
                return
            yield {
                size: stack.enter_context(_run_server(size, self.latency)) for size in sorted(sizes)
            }


@contextlib.contextmanager
def _run_server(events: int, latency: float) -> Iterator[str]:
    """Serve events in a process of its own, and yield the URL."""
    options = [f"--events={events}", "--frozen", f"--fault=latency={latency}"]
    command = [sys.executable, "-m", "event_assets.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={}) as server:
        assert server.stdout
        try:
            yield re.findall(r"http://[\d.:]+", server.stdout.readline())[0]
        finally:
            server.terminate()


PARTS = (
    Part(
        "sync",
        100_000,
        (
            Step("by hand"),
            Step("floor"),
            Step("project"),
            Step("project", name="again", note="again, nothing changed", after="project"),
            Step("command"),
            Step("command", name="few", events=FEW),
            Step("bare", events=FEW),
            Step("validate", events=FEW),
            Step("bare validate", events=FEW),
            Step("duckdb"),
            Step("duckle"),
            Step("dlt parquet", runs=3),
            Step("singer", runs=3),
            Step("airbyte", runs=3),
            Step("sling", runs=3),
            Step("dlt", runs=3),
        ),
    ),
    Part(
        "stages",
        100_000,
        (
            Step("project"),
            Step("typing"),
            Step("none changed"),
            Step("some changed"),
            Step("all changed"),
        ),
    ),
    Part("latency", 20_000, (Step("project"), Step("dlt parquet", runs=1)), latency=0.2),
    *(
        Part(shape, 10_000, (Step("project"), Step("dlt parquet")), fields=fields)
        for shape, fields in (
            ("wide", {f"field_{n}": n for n in range(200)}),
            ("deep", {"a": {"b": {"c": {"d": {"e": {"f": 1, "g": "text"}}}}}}),
            ("long", {"text": "a long text of words " * 1000}),
        )
    ),
    Part(
        "size", 20_000, (Step("project", runs=1, note="the last of 20, nothing changed", times=20),)
    ),
    Part(
        "million",
        1_000_000,
        tuple(
            Step(contender, runs=3)
            for contender in ("by hand", "floor", "project", "command", "duckdb")
        ),
    ),
    Part(
        "growth",
        0,
        tuple(Step("project", runs=1, name=str(events), events=events) for events in GROWTH),
    ),
)


def print_progress(progress: str) -> None:
    """Print progress to standard error."""
    print(progress, "...", file=sys.stderr, flush=True)


def _scale(events: int, scale: float) -> int:
    return events if events == FEW else max(FEW, int(events * scale))


def _build_records(count: int, fields: Fields) -> list[Fields]:
    times = {"start_time": "2026-05-01T18:30:00Z", "end_time": "2026-05-01T20:30:00Z"}
    return [{"id": f"e{n}", "name": f"Event {n}", **times, **fields} for n in range(count)]
