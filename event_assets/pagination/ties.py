"""Notice rows that share the value by which a link or cursor leads on: others may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from event_assets.pagination.counters import named_values
from event_assets.pagination.totals import members_outside_records

SHORTEST: Final = 6  # characters of a value that is no number of a page


class TieFinder:
    """Compares the end of each page with the start of the next one.

    A cursor may be a value of the last row, such as a time, behind which the next page begins. If
    other rows have the same value, an API that asks for greater ones only leaves them out.
    """

    def __init__(self) -> None:
        self._ties: dict[str, Any] = {}  # members of the last two rows, whose value leads on

    def find(self, rows: Sequence[Any], pointer: Any) -> str:
        """Return the path of a member that rows at the end of the page before share.

        Empty if there is none, or if this page, which leads to `pointer`, begins with its value.
        """
        if not rows or not (pointer or self._ties):
            return ""
        first, last = (dict(members_outside_records(row)) for row in (rows[0], rows[-1]))
        found = next((path for path in self._ties if first.get(path) != self._ties[path]), "")
        before = dict(members_outside_records(rows[-2])) if rows[1:] else {}
        values = {str(pointer), *(value for _, value in named_values(str(pointer)))}
        self._ties = {
            path: value
            for path, value in last.items()
            if str(value) in values and len(str(value)) >= SHORTEST and before.get(path) == value
        }
        return found
