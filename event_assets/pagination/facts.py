"""What the pages of a list show; conclusions are drawn in `evidence`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

USUAL_SIZES: Final = frozenset((10, 20, 25, 50, 100, 200, 250, 500, 1000))


class PageFacts(NamedTuple):
    """A page, and what its response says of the list.

    Attributes:
        is_total_certain: whether the total cannot be a number of pages.
        is_total_sure: whether the total, or the number of pages, cannot count something else.
        page_count: the number of pages of the list, as far as the response says.
        counts: what may be a number of rows or, second, of pages; by path, the surest first.
        is_flag_beside: whether `has_more` is in the same object as the followed pointer.
        pointer: what the followed path or header holds; None: nothing.
        is_pointer_found: whether the followed path exists, also with null.
        unfollowed: what looks like a pointer to more, and is not followed.
        at_least: a total that the response calls a lower bound or an estimate; `total` is None.
        flag: the path of what `has_more` was read from.
        before: the path of what said in the first response that a page comes before it.
        truncated: what says that the response is only a part.
        is_backwards: whether the followed path leads to the page before, by its name.
    """

    ids: Sequence[Hashable] = ()
    total: int | None = None
    is_total_certain: bool = False
    is_total_sure: bool = True
    page_count: int | None = None
    counts: tuple[Mapping[str, int], ...] = ()
    has_more: bool | None = None
    is_flag_beside: bool = False
    pointer: Any = None
    is_pointer_found: bool = False
    unfollowed: str = ""
    truncated: str = ""
    is_backwards: bool = False
    size_asked: int | None = None
    at_least: int | None = None
    flag: str = ""
    before: str = ""

    @property
    def has_usual_size(self) -> bool:
        """Whether the page is as long as was asked for, or as pages usually are."""
        size = len(self.ids)
        return size in USUAL_SIZES or size == self.size_asked or (bool(size) and size % 500 == 0)

    @property
    def promises_more(self) -> bool:
        """Whether the response says that there are other pages, if not how many."""
        return bool(self.pointer or self.has_more or self.unfollowed or self.before)


NO_PAGE: Final = PageFacts()


class ListSettings(NamedTuple):
    """How a list is requested, as far as sentences name it.

    Attributes:
        asked_by: offset or page_number, whose `total_path` is a setting; empty: other paginators.
        pointer: the paginator's path of the pointer, as the configuration calls it.
        total: the paginator's path of a total of rows, if one is configured.
        parameter: of the requests, by which they ask for a page.
        maximum: the configured limit.
        first_page: the number of the first page, before which others may be.
    """

    asked_by: str = ""
    pointer: str = ""
    total: str = ""
    parameter: str = "cursor"
    maximum: str = ""
    first_page: int = 0


NO_SETTINGS: Final = ListSettings()


@dataclass
class ListFacts:
    """What was seen of a list.

    Attributes:
        end: the name of the evidence with which paging ended; of several, the table decides.
        values: what the sentence of `end` needs besides these counts.
        rows: in delivered pages, including overlaps.
        distinct: an upper bound until the end.
        rows_read: in the last reading, without overlaps: more than ids if several share one.
        largest: rows of a page.
        pages_with_rows: in the last reading, up to the last one; of page numbers, links or cursors.
        shifts: of the list after which an overlapping page was found.
        totals: the lowest and the highest one of the last reading.
        is_to_and_fro: whether that total changed between the same two several times.
        passes: over the list; further passes look for rows that moved.
        least_total: of the last reading; None: there is no total that was seen to be one.
        reported: the last total, whether seen to be one or not.
        last: the last page of the list.
        pointers: pages whose response had the pointer that is followed.
        said: the words of an empty page, as a sentence, if they may not be about an end.
        error: the words about an error beside rows, as a sentence.
        tie: the path of a value that leads on, and that other rows have.
        is_total_reached: whether a total that did not change is the number of rows.
        size_left_out: rows asked for in page 1, if links that count pages leave that out; else 0.
        is_last_page_empty: whether the last of the pages that are counted has no rows.
        settings: how it is requested.
        first_rows: of the first page.
    """

    end: str = "unfinished"
    values: Mapping[str, Any] = field(default_factory=dict)
    pages: int = 0
    rows: int = 0
    distinct: int = 0
    rows_read: int = 0
    largest: int = 0
    pages_with_rows: int = 0
    overlaps: int = 0
    shifts: int = 0
    is_to_and_fro: bool = False
    totals: tuple[int, int] = (0, 0)
    passes: int = 1
    least_total: int | None = None
    reported: int | None = None
    last: PageFacts = NO_PAGE
    pointers: int = 0
    is_pointer_found: bool = False
    truncated: str = ""
    said: str = ""
    error: str = ""
    tie: str = ""
    is_total_reached: bool = False
    size_left_out: int = 0
    is_last_page_empty: bool = False
    settings: ListSettings = NO_SETTINGS
    first_rows: Sequence[Any] = ()

    @property
    def promised(self) -> int:
        """Rows that there are at least, by a trusted total."""
        return max(self.least_total or 0, self.last.at_least or 0)

    @property
    def is_short_of_total(self) -> bool:
        """Whether fewer rows came than a trusted total says."""
        return max(self.distinct, self.rows_read) < self.promised

    @property
    def is_only_page(self) -> bool:
        """Whether the response says that its rows are all, by more than their number alone."""
        is_sure = self.last.is_total_sure and not self.last.has_usual_size
        return self.distinct == self.last.total and (is_sure or self.last.page_count == 1)

    @property
    def is_short_of_pages(self) -> bool:
        """Whether a list ends where a number of pages promises more, and no total speaks."""
        pages = self.last.page_count or 0
        is_open = {
            "offset": self.end in ("overlaps", "readings agree") and self.last.total is None,
            "page_number": self.least_total is None and 0 < self.pages_with_rows < pages,
        }.get(self.settings.asked_by, False)
        return is_open and pages > 1 and self.distinct <= (pages - 1) * self.largest


def begin_again(facts: ListFacts) -> ListFacts:
    """Return the facts of a list of which one page was read, before that page is taken again."""
    return replace(facts, pages=0, rows=0, pointers=0, passes=1)


def add_counts(facts: ListFacts, other: ListFacts) -> ListFacts:
    """Return the facts with the counts of another list added."""
    names = ("pages", "rows", "distinct", "overlaps", "shifts", "pointers")
    sums: dict[str, Any] = {name: getattr(facts, name) + getattr(other, name) for name in names}
    return replace(facts, **sums)
