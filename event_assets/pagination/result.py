"""What a walk through an API's pages can say of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

IGNORED = "the reading stopped at an answer that response_actions ignore"


@dataclass(frozen=True, slots=True)
class PaginationResult:
    """Whether every row came, and the figures behind the answer.

    `complete` is True: every row that stayed in the API from the first request to the last was
    delivered; False: rows are missing, or the walk did not finish; None: nothing speaks against
    it, but the API gives no way to verify it. `reason` says why in one plain sentence.
    """

    complete: bool | None
    reason: str
    pages: int = 0
    """Answers received."""
    rows: int = 0
    """Rows in delivered pages, repeats (the seams) included."""
    distinct_ids: int = 0
    """Different ids among them; while the walk is under way an upper estimate."""
    overlaps_confirmed: int = 0
    """Pages in which a row of an earlier page came back as it should."""
    shifts_recovered: int = 0
    """Times the list had moved, and the place was found again by stepping back."""
    passes: int = 1
    """Passes over the list; further ones look for rows that moved."""
    total_reported: int | None = None
    """The last total the API sent, believed or not."""


def mark_truncated(outcome: PaginationResult) -> PaginationResult:
    """Correct the outcome of a list that is longer than what the API lets be read, as it says."""
    if outcome.complete is False:
        return outcome
    came = outcome.distinct_ids
    reason = (
        f"{came:,} rows came, and the API says that there are more than it shows "
        "(`overflow: true`): ask for less, or set `windows`."
    )
    return replace(outcome, complete=False, reason=reason)


OnResult = Callable[[PaginationResult], None]


def no_report(outcome: PaginationResult) -> None:
    """A report that goes nowhere, for walks whose outcome nobody reads."""
