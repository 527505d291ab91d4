"""How a list is paged, as far as it was found out, and what makes that believable."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from event_assets.pagination.totals import AUTO
from event_assets.probe.connection import Fact
from event_assets.probe.pages_read import PagesRead

PAGES_TO_BELIEVE = 3


@dataclass
class Paging:
    """How a list is paged.

    Attributes:
        paginator: dlt's configuration; None: nothing was believed.
        settings: parameters of each request, such as the page size.
        evidence: what showed it.
        is_stable: whether the same request brings the same records in the same order.
        is_strict: whether the API refuses unknown parameters.
        moving_param: a parameter that brings other records, though not page by page.
    """

    paginator: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    evidence: str = ""
    size_param: str | None = None
    size: int | None = None
    is_stable: bool = True
    is_strict: bool = False
    moving_param: str = ""
    facts: list[Fact] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The type of the paginator."""
        config = self.paginator
        return str(config.get("type")) if isinstance(config, Mapping) else str(config or "")

    @property
    def is_numbered(self) -> bool:
        """Whether any page can be requested by its number, or by that of its first row."""
        return self.kind in ("offset", "page_number")

    @property
    def total_path(self) -> Any:
        """Where the paginator looks for the total; None: it looks for none."""
        return self.paginator.get("total_path", AUTO) if self.is_numbered else AUTO

    @property
    def written_params(self) -> list[str]:
        """The parameters that the paginator itself writes."""
        names = ("offset_param", "limit_param", "page_param")
        written = [self.paginator.get(name, "") for name in names if self.is_numbered]
        return [*written, (self.size_param or "") if self.kind == "offset" else ""]

    @property
    def sent_settings(self) -> dict[str, Any]:
        """The parameters that are sent beside those of the paginator."""
        written = self.written_params
        return {name: value for name, value in self.settings.items() if name not in written}


def compare(before: Sequence[Hashable], after: Sequence[Hashable]) -> str:
    """Return how a page differs from another: `same`, `fewer`, `more`, `shifted N`, `fresh`, ...

    The first of these that fits; `empty`, `shuffled` and `mixed` are the others.
    """
    old, new = list(before), list(after)
    if old == new:
        return "same"
    if not new:
        return "empty"
    if old[: len(new)] == new:
        return "fewer"
    if new[: len(old)] == old:
        return "more"
    if not {*old} & {*new}:
        return "fresh"
    for shift in range(1, len(old)):
        kept = old[shift:]
        if new[: len(kept)] == kept[: len(new)] and not {*new[len(kept) :]} & {*old}:
            return f"shifted {shift}"
    return "shuffled" if {*old} == {*new} else "mixed"


def is_believed(walk: PagesRead) -> bool:
    """Return whether each page of a walk goes on with fresh records behind the pages before.

    It may begin with the last of these, the overlap by which a sync reads a list of offsets; or
    with more of them where a sync finds that the list changes.
    """
    pages, facts = [page for page in walk.pages if page], walk.facts
    if walk.error or len(pages) < 2 or (len(pages) < PAGES_TO_BELIEVE and not walk.is_done):
        return False
    is_connected = facts.overlaps + facts.shifts >= PAGES_TO_BELIEVE - 1
    seen: set[Hashable] = set()
    last: Hashable = object()
    for page in pages:
        again = sum(key in seen for key in page)
        if is_connected and seen and not again:
            continue  # from here, a sync stepped back
        is_behind = {*page[:again]} <= (seen if is_connected else {last})
        if not is_behind or again == len(page) or len({*page}) < len(page):
            return False
        seen |= {*page}
        last = page[-1]
    return True
