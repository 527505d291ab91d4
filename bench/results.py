"""The results: a file of JSON lines, one for each run of a step, written as soon as it ends."""

import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One run of a step.

    Attributes:
        part: the part of the bench.
        step: what ran, unique in its part.
        label: the step for a reader.
        events: how many events the API had.
        numbers: what was measured, by name.
        problem: why nothing was measured, in one line.
    """

    part: str
    step: str
    label: str
    events: int
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    problem: str = ""


class Results:
    """The runs in a file."""

    def __init__(self, file: Path) -> None:
        """Read the runs that are in the file."""
        self._file = file
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        self.runs = [Run(**json.loads(line)) for line in lines]

    def forget(self, part: str) -> None:
        """Remove the runs of a part."""
        self.runs = [run for run in self.runs if run.part != part]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("".join(map(_format_line, self.runs)), "utf-8")

    def add(self, run: Run) -> None:
        """Append a run."""
        self.runs.append(run)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(_format_line(run))

    def steps(self) -> Iterator[list[Run]]:
        """Yield the runs of each step, in the order of their first."""
        for part, step in dict.fromkeys((run.part, run.step) for run in self.runs):
            yield self.find(part, step)

    def find(self, part: str, step: str) -> list[Run]:
        """Return the runs of a step."""
        return [run for run in self.runs if (run.part, run.step) == (part, step)]


def median(runs: list[Run], number: str) -> float | None:
    """Return the median of a number; None when a run is missing."""
    if not runs or any(run.problem for run in runs):
        return None
    return statistics.median(run.numbers[number] for run in runs)


def _format_line(run: Run) -> str:
    return json.dumps(asdict(run)) + "\n"
