"""Find rows that share the value by which a link or cursor leads on: others may be left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, Final

from event_assets.pagination.counters import named_values
from event_assets.pagination.totals import members_outside_records
from event_assets.pagination.vocabulary import SIZE, plain_name

SHORTEST: Final = 6  # characters; a shorter value may be a page number


class TieFinder:
    """Compares the end of each page with the start of the next one.

    A cursor may be a value of the last row, such as a time, behind which the next page begins. If
    rows share such values, an API that asks for greater ones only leaves some out at the end of a
    page, unless another value of the last row leads on as well, such as its id.
    """

    def __init__(self, sent: Collection[tuple[str, str]] = ()) -> None:
        self._sent = sent  # named values of the first request, which do not lead on
        self._leading: dict[str, Any] = {}  # members of the last row, whose value leads on
        self._passed = ""  # the path of one with whose value the next page does not begin
        self._are_shared = False  # whether a row has the same ones as the row before

    def find(self, rows: Sequence[Any], pointer: Any) -> str:
        """Return the path of a member that rows share, and behind whose value a page begins.

        Empty if there is none so far; this page leads to `pointer`.
        """
        if not (self._leading or (rows and pointer)):
            return ""
        ends = (rows[0], rows[-1]) if rows else ({}, {})
        first, last = (dict(members_outside_records(row)) for row in ends)
        named = named_values(str(pointer)).difference(self._sent)
        in_pointer = {value for name, value in named if not SIZE.fullmatch(plain_name(name))}
        values = {str(pointer), *in_pointer}
        for path, value in self._leading.items():
            is_filter = str(value) in values  # it stands in the next link as well
            if first.get(path) != value and not is_filter and len(str(value)) >= SHORTEST:
                self._passed = self._passed or path
        leading = {path: value for path, value in last.items() if str(value) in values}
        paths = [path.split(".") for path in leading or self._leading]
        shown = [[reduce(_member, path, row) for path in paths] for row in rows]
        self._are_shared |= any(one == other != [] for one, other in pairwise(shown))
        self._leading = leading
        return self._passed if self._are_shared else ""


def _member(value: Any, name: str) -> Any:
    """Return a member of an object, which is no other value if it has none."""
    return value.get(name, object()) if isinstance(value, dict) else object()
