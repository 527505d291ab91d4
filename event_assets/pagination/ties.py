"""Find rows that share the value by which a link or cursor leads on: others may be left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from event_assets.pagination.counters import named_values
from event_assets.pagination.totals import members_outside_records
from event_assets.pagination.vocabulary import SIZE, plain_name

SHORTEST: Final = 6  # characters; a shorter value may be a page number


class TieFinder:
    """Compares the end of each page with the start of the next one.

    A cursor may be a value of the last row, such as a time, behind which the next page begins. If
    other rows have the same value, an API that asks for greater ones only leaves them out, unless
    another value of the last row leads on as well, such as its id.

    Args:
        sent: the named values of the first request, which do not lead on.
    """

    def __init__(self, sent: Collection[tuple[str, str]] = ()) -> None:
        self._sent = sent
        self._ties: dict[str, Any] = {}  # members of the last two rows, whose value leads on

    def find(self, rows: Sequence[Any], pointer: Any) -> str:
        """Return the path of a member that rows at the end of the page before share.

        Empty if there is none, or if this page, which leads to `pointer`, begins with its value.
        """
        if not rows or not (pointer or self._ties):
            return ""
        first, last = (dict(members_outside_records(row)) for row in (rows[0], rows[-1]))
        named = named_values(str(pointer)).difference(self._sent)
        in_pointer = {value for name, value in named if not SIZE.fullmatch(plain_name(name))}
        values = {str(pointer), *in_pointer}
        # what stands in the next link as well is a filter
        gone = {path: value for path, value in self._ties.items() if str(value) not in values}
        found = next((path for path, value in gone.items() if first.get(path) != value), "")
        before = dict(members_outside_records(rows[-2])) if rows[1:] else {}
        leading = {path: value for path, value in last.items() if str(value) in values}
        is_shared = all(before.get(path) == value for path, value in leading.items())
        self._ties = {
            path: value
            for path, value in leading.items()
            if is_shared and len(str(value)) >= SHORTEST
        }
        return found
