"""What the pages of a list show; conclusions are drawn in `evidence`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from event_assets.pagination.vocabulary import plain_name

USUAL_SIZES: Final = frozenset((10, 20, 25, 50, 100, 200, 250, 500, 1000))


class PageFacts(NamedTuple):
    """A page, and what its response says of the list."""

    ids: Sequence[Hashable] = ()
    total: int | None = None
    is_total_of_rows: bool = False  # whether the total cannot be a number of pages
    is_total_of_list: bool = True  # whether it, or the number of pages, cannot count something else
    page_count: int | None = None  # the number of pages of the list, as far as the response says
    # what may be a number of rows or, second, of pages; by path, the surest first
    counts: tuple[Mapping[str, int], ...] = ()
    has_more: bool | None = None
    is_flag_beside: bool = False  # whether `has_more` is in the same object as the followed pointer
    pointer: Any = None  # what the followed path or header holds; None: nothing
    is_pointer_found: bool = False  # whether the followed path exists, also with null
    unfollowed: str = ""  # what looks like a pointer to more, and is not followed
    truncated: str = ""  # what says that the response is only a part
    is_backwards: bool = False  # whether the followed path leads to the page before, by its name
    size_asked: int | None = None
    at_least: int | None = None  # in place of a total: a lower bound, or an estimate
    flag: str = ""  # the path of what `has_more` was read from
    before: str = ""  # the path of what said in the first response that a page comes before it

    @property
    def has_usual_size(self) -> bool:
        """Whether the page is as long as was asked for, or as pages usually are."""
        size = len(self.ids)
        return size in USUAL_SIZES or size == self.size_asked or (bool(size) and size % 500 == 0)

    @property
    def says_list_is_empty(self) -> bool:
        """Whether a total is 0 that is not the length of the page, as `count` may be."""
        names = map(plain_name, self.counts[0] if self.counts else ())
        return self.total == 0 and next(names, "") != "count"


NO_PAGE: Final = PageFacts()


class ListSettings(NamedTuple):
    """How a list is requested, as far as sentences name it."""

    asked_by: str = ""  # offset or page_number; empty: by a link or cursor, or not at all
    pointer: str = ""  # the paginator's path of the pointer, as the configuration calls it
    total: str = ""  # the paginator's path of a total of rows, if one is configured
    parameter: str = "cursor"  # of the requests, by which they ask for a page
    maximum: str = ""  # the configured limit
    first_page: int = 0  # the number of the first page, before which others may be
    is_alone: bool = False  # whether it is no list of a parent or window, of which many are empty
    end_without_pointer: str = "no pointer"  # the evidence for a list that never had one


NO_SETTINGS: Final = ListSettings()


@dataclass
class ListFacts:
    """What was seen of a list."""

    end: str = "unfinished"  # the name of the evidence with which paging ended
    values: Mapping[str, Any] = field(default_factory=dict)  # for the sentence of `end`
    pages: int = 0  # received
    rows: int = 0  # in delivered pages, including overlaps
    distinct: int = 0  # an upper bound until the end
    rows_read: int = 0  # in the last reading, without overlaps: more than ids if several share one
    largest: int = 0  # rows of a page
    pages_with_rows: int = 0  # in the last reading; unless by offset
    overlaps: int = 0
    shifts: int = 0  # of the list after which an overlapping page was found
    totals: tuple[int, int] = (0, 0)  # the lowest and the highest one of the last reading
    is_to_and_fro: bool = False  # whether that total changed between the same two several times
    passes: int = 1  # over the list; further passes look for rows that moved
    least_total: int | None = None  # of those of the last reading that were seen to be one
    reported: int | None = None  # the last total, whether seen to be one or not
    last: PageFacts = NO_PAGE  # the last page of the list
    pointers: int = 0  # pages whose response had the pointer that is followed
    is_pointer_found: bool = False  # in any page
    truncated: str = ""  # what says that a response is only a part
    said: str = ""  # the words of an empty page, as a sentence, if they may not be about an end
    error: str = ""  # the words about an error beside rows, as a sentence
    tie: str = ""  # the path of a value that leads on, and that other rows have
    is_total_reached: bool = False  # whether a total that did not change is the number of rows
    is_last_page_empty: bool = False  # whether the last of the pages that are counted has no rows
    settings: ListSettings = NO_SETTINGS  # how it is requested
    first_rows: Sequence[Any] = ()  # of the first page

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
        is_sure = self.last.is_total_of_list and not self.last.has_usual_size
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
