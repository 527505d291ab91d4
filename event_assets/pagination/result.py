"""The result of paginating a list."""

from __future__ import annotations

from typing import NamedTuple

from event_assets.pagination.facts import ListFacts


class PaginationResult(NamedTuple):
    """Whether all rows of a list were received, and what was seen of it.

    `complete` is True: every row that was in the list from the first request to the last was
    delivered; False: rows are missing, or the sync did not finish; None: the API provides no way
    to verify it. `reason` explains it in a sentence for the user.
    """

    complete: bool | None
    reason: str
    facts: ListFacts

    def doubted(self, reason: str) -> PaginationResult:
        """Return a complete result as unverified for a reason, and any other as it is."""
        return self._replace(complete=None, reason=reason) if self.complete else self
