"""What proves that a list was read completely, and the verdict that follows from the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from event_assets.pagination.page_facts import PageFacts
from event_assets.pagination.result import PaginationResult

USUAL_SIZES: Final = frozenset((10, 20, 25, 50, 100, 200, 250, 500, 1000))
FIRST: Final = PageFacts(())


@dataclass
class ListFacts:
    """What a paginator saw of a list; it draws no conclusion.

    Attributes:
        end: the name of the evidence with which paging ended; of several, the table decides.
        values: what the sentence of `end` needs besides these counts.
        rows: in delivered pages, including overlaps.
        distinct: an upper bound until the end.
        totals: the least and the greatest total of the last reading; None: there is none that was
            seen to be one.
        reported: the last total, whether seen to be one or not.
        last: the last page of the list.
        pointers: pages whose response had the pointer that is followed.
        setting: the paginator's path of the pointer, as it is called in the configuration.
    """

    end: str = "unfinished"
    values: Mapping[str, Any] = field(default_factory=dict)
    pages: int = 0
    rows: int = 0
    distinct: int = 0
    overlaps: int = 0
    shifts: int = 0
    passes: int = 1
    totals: tuple[int, int] | None = None
    reported: int | None = None
    last: PageFacts = FIRST
    pointers: int = 0
    is_pointer_found: bool = False
    is_truncated: bool = False
    is_numbered: bool = False  # whether requests or links count pages
    is_total_reached: bool = False  # whether a total that did not change is the number of rows
    setting: str = ""

    @property
    def done(self) -> bool:
        """Whether paging ended."""
        return self.end not in ("not started", "unfinished")

    @property
    def may_go_on(self) -> bool:
        """Whether the only page is as long as was asked for, or as pages usually are."""
        size = len(self.last.ids)
        return size in USUAL_SIZES or size == self.last.size_asked


def _is_below_total(facts: ListFacts) -> bool:
    low = facts.totals and facts.totals[0]
    return low is not None and facts.distinct < low


class Evidence(NamedTuple):
    """A kind of evidence: for completeness (True), against it (False), or none (None).

    It holds for a list whose paging ended with it, or by the facts.
    """

    name: str
    complete: bool | None
    sentence: str
    holds: Callable[[ListFacts], bool] | None = None


NOT_NUMBERED_ENDS: Final = (
    "pointer ended",
    "no pointer",
    "single page",
    "no paginator",
    "below the cap",
)
# How paging ended by itself: a total or has_more may say more of it.
OPEN_ENDS: Final = (
    *NOT_NUMBERED_ENDS,
    "same pointer",
    "page behind",
    "page repeated",
    "lap",
    "ignored response",
)
ALL = "All {distinct:,} rows were received"

# The first that holds decides.
TABLE: Final = (
    Evidence("not started", False, "No response was read."),
    Evidence("unfinished", False, "The sync did not finish."),
    Evidence(
        "truncated",
        False,
        "{distinct:,} rows received, but the API says that there are more (`overflow: true`): "
        "request fewer rows, or set `windows`.",
        lambda facts: facts.is_truncated,
    ),
    Evidence(
        "ignored parameter",
        False,
        "The server sends the same {size:,} rows for every page: it ignores the parameter "
        "'{parameter}', or its first page has another number (base_page). Set `paginator: "
        "single_page` if the API has no pages.",
    ),
    Evidence(
        "empty pages",
        False,
        "{empty} consecutive pages are empty, but the API says that more follow.",
    ),
    Evidence(
        "gaps",
        False,
        "The API {claim} but sent {distinct:,} distinct ids: the pages at offsets {gaps} are "
        "empty.",
    ),
    Evidence(
        "too fast",
        False,
        "The list changes faster than it can be read: the last {idle:,} of {pages:,} pages had no "
        "new rows.",
    ),
    Evidence("rows missing", False, "Rows are missing: {counts}. {cause}"),
    Evidence("limit", None, "{distinct:,} rows received; stopped at {limit}."),
    Evidence(
        "total reached",
        True,
        f"{ALL}, as the API reports{{standing}}.",
        lambda facts: facts.is_total_reached and facts.end in OPEN_ENDS,
    ),
    Evidence(
        "ignored response",
        None,
        "{distinct:,} rows received; paging stopped at a response that response_actions ignore.",
    ),
    Evidence(
        "total not reached",
        False,
        "The API reports {low:,} rows but sent {distinct:,}.",
        _is_below_total,
    ),
    Evidence(
        "has_more is true",
        False,
        "{distinct:,} rows received, but the API says that more follow (`has_more`).",
        lambda facts: (
            facts.last.has_more is True
            and not facts.is_total_reached
            and facts.end != "same pointer"
            and facts.end in (*OPEN_ENDS, "readings agree", "overlaps")
        ),
    ),
    Evidence(
        "has_more is false",
        True,
        f"{ALL}, as the API says that no more follow{{standing}}.",
        lambda facts: (
            facts.last.has_more is False
            and facts.end in OPEN_ENDS
            and (not facts.is_numbered or facts.pages == 1)
        ),
    ),
    Evidence(
        "same pointer",
        False,
        "The API returned the same cursor or link to the next page twice, with no new rows.",
    ),
    Evidence(
        "unfollowed",
        False,
        "{distinct:,} rows received, but {unfollowed} in the response leads to more, and the "
        "paginator does not follow it{missing_path}: correct the `paginator` in defs.yaml.",
        lambda facts: bool(
            facts.last.unfollowed and not facts.pointers and facts.end in NOT_NUMBERED_ENDS
        ),
    ),
    Evidence(
        "many to an id",
        None,
        "{distinct:,} rows received: {counts}, each with the same pages. Several rows share an id "
        "(check the primary key), or the API takes rows out of its pages.",
    ),
    Evidence("growing", None, "Rows are added faster than they can be counted: {counts}."),
    Evidence(
        "pages of one row",
        None,
        "{distinct:,} rows received, one row per page: such pages do not overlap, so missed rows "
        "cannot be detected. Set a larger limit.",
    ),
    Evidence(
        "echo of the limit",
        None,
        "{distinct:,} rows received, and the API reports {limit:,}, which may be the requested "
        "limit: set another limit, or total_path.",
    ),
    Evidence(
        "unstable order",
        None,
        "{distinct:,} rows received, but the order is not stable: rows were repeated in another "
        "order. Set a sort parameter.",
    ),
    Evidence(
        "unconnected",
        None,
        "{distinct:,} rows received, but pages in the middle of the list are empty, and those "
        "behind them do not overlap: rows that moved cannot be ruled out.",
    ),
    Evidence(
        "lap",
        None,
        "{distinct:,} rows received; then the API began again with the first of them: it wraps "
        "round behind its end.",
    ),
    Evidence(
        "depth",
        None,
        "{distinct:,} rows received; the API refused the next page, which may be its limit.",
    ),
    Evidence(
        "changed",
        None,
        "{distinct:,} rows received in {passes} readings, no two of which agree: the list changes, "
        "and page numbers cannot show whether rows were missed.",
    ),
    Evidence(
        "empty list",
        True,
        "The list is empty.",
        lambda facts: (
            not facts.rows and facts.end in (*OPEN_ENDS, "overlaps") and not facts.last.pointer
        ),
    ),
    Evidence(
        "no pointer",
        None,
        "{distinct:,} rows received; {setting} was not found in any response, so whether more "
        "follow is not known.",
        lambda facts: (
            facts.end == "no pointer"
            and not facts.is_pointer_found
            and (facts.may_go_on or facts.last.size_asked is None)
        ),
    ),
    Evidence(
        "full page",
        None,
        "{distinct:,} rows received in one page, as many as a page has; nothing shows that no more "
        "follow.",
        lambda facts: facts.end in ("no pointer", "single page") and facts.may_go_on,
    ),
    Evidence(
        "no paginator",
        None,
        "{distinct:,} rows received in one page: no `paginator` is set, and none was detected. Set "
        "it, or `single_page` if the API has no pages.",
    ),
    Evidence(
        "short page", True, f"{ALL}.", lambda facts: facts.end in ("no pointer", "single page")
    ),
    Evidence("pointer ended", True, f"{ALL}."),
    Evidence("readings agree", True, f"{ALL}, the same in two readings."),
    Evidence("page behind", True, f"{ALL}."),
    Evidence("page repeated", True, f"{ALL} (the last page was repeated)."),
    Evidence("below the cap", True, f"{ALL}, fewer than the API's maximum."),
    Evidence("window incomplete", False, "{distinct:,} rows received in {windows}. {problem}."),
    Evidence("window unverified", None, "{distinct:,} rows received in {windows}. {problem}."),
    Evidence(
        "outside windows",
        None,
        "{distinct:,} rows received in {windows}, but the API reports {reported:,}: rows without a "
        "time, or outside `since` and `until`, are in no window.",
    ),
    Evidence(
        "windows without total",
        None,
        "{distinct:,} rows received in {windows}; without a total, rows without a time cannot be "
        "ruled out. Set `since` and `until` to the range you need.",
    ),
    Evidence("windows", True, f"{ALL}, in {{windows}}."),
    Evidence("overlaps", True, f"{ALL}."),
)


def judge(facts: ListFacts) -> PaginationResult:
    """Derive the verdict on a list from the facts: the first evidence of the table that holds."""
    found = next(row for row in TABLE if (row.holds(facts) if row.holds else facts.end == row.name))
    standing = facts.last.pointer or facts.last.unfollowed
    setting = facts.setting if facts.setting and not facts.is_pointer_found else ""
    reason = found.sentence.format(
        **{**vars(facts), "setting": setting or "a link or cursor", **facts.values},
        low=facts.totals and facts.totals[0],
        unfollowed=facts.last.unfollowed,
        missing_path=f" ({setting} was not found)" if setting else "",
        standing=f", though {_name(standing)} still leads on" if standing else "",
    )
    return PaginationResult(
        complete=found.complete,
        reason=reason,
        pages=facts.pages,
        rows=facts.rows,
        distinct_ids=facts.distinct,
        overlaps_confirmed=facts.overlaps,
        shifts_recovered=facts.shifts,
        passes=facts.passes,
        total_reported=facts.reported,
    )


def _name(pointer: Any) -> str:
    return pointer if str(pointer).startswith(("`", "the ")) else "the cursor or link"


def add_counts(facts: ListFacts, other: ListFacts) -> ListFacts:
    """Return the facts with the counts of another list added."""
    names = ("pages", "rows", "distinct", "overlaps", "shifts")
    sums: dict[str, Any] = {name: getattr(facts, name) + getattr(other, name) for name in names}
    return replace(facts, **sums)
