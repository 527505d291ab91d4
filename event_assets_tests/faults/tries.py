"""One try after another, and the table of what survived."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Try:
    """One fault, done once.

    Attributes:
        fault: what was done, as the table names it.
        lost, doubled: events that were not there, or twice, after it was over.
        problem: what did not hold, if anything.
    """

    fault: str
    lost: int = 0
    doubled: int = 0
    problem: str | None = None


@dataclass
class Tries:
    """All tries of one test; `trying` notes what does not hold and lets the next try begin."""

    record: Callable[[str, object], None]
    done: list[Try] = field(default_factory=list)

    @contextmanager
    def trying(self, fault: str) -> Iterator[Try]:
        """Do one fault inside."""
        this = Try(fault)
        self.done.append(this)
        try:
            yield this
        except Exception as error:
            this.problem = f"{type(error).__name__}: {error}"
        if this.lost or this.doubled:
            this.problem = this.problem or f"{this.lost} events lost, {this.doubled} doubled"
        self.record("try", [this.fault, this.problem is None, this.lost, this.doubled])
