"""The result of paginating a list."""

from __future__ import annotations

from typing import NamedTuple


class PaginationResult(NamedTuple):
    """Whether all rows of a list were received, and the counts.

    `complete` is True: every row that was in the list from the first request to the last was
    delivered; False: rows are missing, or the sync did not finish; None: the API provides no way
    to verify it. `reason` explains it in a sentence for the user.
    """

    complete: bool | None
    reason: str
    pages: int  # responses received
    rows: int  # in delivered pages, including overlaps
    distinct_ids: int  # an upper bound until the end
    overlaps_confirmed: int  # pages that overlap with a previous page, as expected
    shifts_recovered: int  # shifts of the list after which an overlapping page was found
    passes: int  # over the list; further passes look for rows that moved
    total_reported: int | None  # the last one, trusted or not


def mark_changed_while_interrupted(result: PaginationResult) -> PaginationResult:
    """Return a complete result as unverified: the list changed between the runs of its sync."""
    if result.complete is not True:
        return result
    reason = (
        f"{result.distinct_ids:,} rows received, but the list changed while the sync was "
        "interrupted: rows that moved may be missing. The next sync reads them."
    )
    return result._replace(complete=None, reason=reason)
