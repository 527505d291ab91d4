"""What proves that a list was read completely, and the verdict that follows from the facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from event_assets.pagination.facts import ListFacts
from event_assets.pagination.result import PaginationResult


class Evidence(NamedTuple):
    """A kind of evidence: for completeness (True), against it (False), or none (None).

    It holds by the facts, or without `holds`, for a list whose paging ended with it.
    """

    name: str
    complete: bool | None
    sentence: str
    holds: Callable[[ListFacts], Any] | None = None


# How paging ended where nothing but the pointer, or its absence, says so.
UNCHECKED_ENDS: Final = (
    *("pointer ended", "no pointer", "single page", "no paginator", "below the cap"),
)
# How paging ended by itself: a total or has_more may say more of it.
OPEN_ENDS: Final = (
    *UNCHECKED_ENDS,
    *("same pointer", "page behind", "page repeated", "lap", "ignored response"),
)
RECEIVED: Final = "{distinct:,} rows received"
ALL: Final = "All {distinct:,} rows were received"
# By a paginator that has no `total_path`, and by one that has.
SOURCE: Final = (" Its response has {}.", " If {} counts something else, set `total_path: null`.")


def _find_promise(facts: ListFacts) -> str:
    """Return what the last response promises beyond what came; empty if nothing."""
    pages = max(1, -(-facts.distinct // max(1, facts.largest)))
    rows = max(facts.distinct, facts.rows_read)
    for counts, known in zip(facts.last.counts, (rows, pages), strict=False):
        for path, count in counts.items():
            if count > known:
                return f"`{path}` of {count:,}"
    return ""


# The first that holds decides.
TABLE: Final = (
    Evidence("not started", False, "No response was read."),
    Evidence("unfinished", False, "The sync did not finish."),
    Evidence(
        "truncated",
        False,
        f"{RECEIVED}, but the API says that this is a part ({{truncated}}): request fewer rows, or "
        "set `windows`.",
        lambda facts: facts.truncated,
    ),
    Evidence(
        "ignored parameter",
        False,
        "The server sends the same {size:,} rows for every page: it ignores the parameter "
        "'{parameter}', or its first page has another number (base_page). Set `paginator: "
        "single_page` if the API has no pages.",
    ),
    Evidence(
        "unsure total",
        None,
        f"{RECEIVED}, but the API may have more.{{source}}",
        lambda facts: (
            facts.is_short_of_pages
            or (
                not facts.last.is_total_sure
                and (facts.pointers or facts.end not in UNCHECKED_ENDS)
                and (facts.end in ("gaps", "empty pages") or facts.is_short_of_total)
            )
        ),
    ),
    Evidence(
        "empty pages",
        False,
        "{empty} consecutive pages are empty, but the API says that more follow.{source}",
    ),
    Evidence(
        "gaps",
        False,
        "The API {claim} but sent {distinct:,} distinct ids: pages are empty, the first at offsets "
        "{gap}.{source}",
    ),
    Evidence(
        "too fast",
        False,
        "The list changes faster than it can be read: the last {idle:,} of {pages:,} pages had no "
        "new rows.",
    ),
    Evidence(
        "rows missing",
        False,
        "Rows are missing: the list has {length:,} rows, but {distinct:,} distinct ids were "
        "received in {passes} passes. Set a sort parameter, if the order is not stable.",
    ),
    Evidence(
        "size of the list",
        None,
        f"{RECEIVED} in several pages, as many as one was asked for: the parameter may limit the "
        "whole list.",
        lambda facts: (
            facts.pointers
            and facts.largest < facts.distinct == facts.last.size_asked != facts.least_total
        ),
    ),
    Evidence("limit", None, f"{RECEIVED}; stopped at {{maximum}}."),
    Evidence(
        "total reached",
        True,
        f"{ALL}, as the API reports{{standing}}.",
        lambda facts: facts.is_total_reached and facts.end in OPEN_ENDS,
    ),
    Evidence(
        "ignored response",
        None,
        f"{RECEIVED}; paging stopped at a response that response_actions ignore.",
    ),
    Evidence(
        "total not reached",
        False,
        "The API reports {least_total:,} rows but sent {distinct:,}.{source}",
        lambda facts: facts.is_short_of_total,
    ),
    Evidence(
        "has_more is true",
        False,
        f"{RECEIVED}, but the API says that more follow (`has_more`).",
        lambda facts: facts.last.has_more and facts.end in (*OPEN_ENDS, "overlaps"),
    ),
    Evidence(
        "has_more is false",
        True,
        f"{ALL}, as the API says that no more follow{{standing}}.",
        lambda facts: facts.last.has_more is False and facts.end in OPEN_ENDS,
    ),
    Evidence(
        "same pointer",
        False,
        "The API returned the same cursor or link to the next page twice, with no new rows.",
    ),
    Evidence(
        "unfollowed",
        False,
        f"{RECEIVED}, but {{unfollowed}} in the response leads to more, and the paginator does not "
        "follow it{missing_path}: correct the `paginator` in defs.yaml.",
        lambda facts: (
            (facts.last.unfollowed or _find_promise(facts))
            and facts.end in UNCHECKED_ENDS
            and (
                not facts.pointers or (facts.last.is_backwards and facts.distinct == facts.largest)
            )
        ),
    ),
    Evidence(
        "repeated ids",
        None,
        f"{RECEIVED}, but the list has {{rows_read:,}}: several share an id, or have none and are "
        "equal. Check the `primary_key`.",
        lambda facts: (
            facts.distinct < facts.rows_read
            and (facts.end == "readings agree" or facts.distinct < (facts.least_total or 0))
        ),
    ),
    Evidence(
        "pages of one row",
        None,
        f"{RECEIVED}, one row per page: such pages do not overlap, so missed rows cannot be "
        "detected. Set a larger limit.",
    ),
    Evidence(
        "echo of the limit",
        None,
        f"{RECEIVED}, and the API reports {{limit:,}}, which may be the requested limit: set "
        "another limit, or total_path.",
    ),
    Evidence(
        "unstable order",
        None,
        f"{RECEIVED}, but the order is not stable: rows were repeated in another order. Set a sort "
        "parameter.",
    ),
    Evidence(
        "lap",
        None,
        f"{RECEIVED}; then the API began again with the first of them: it wraps round behind its "
        "end.",
    ),
    Evidence("depth", None, f"{RECEIVED}; the API refused the next page, which may be its limit."),
    Evidence(
        "changed",
        None,
        f"{RECEIVED} in {{passes}} readings, no two of which agree: the list changes while it is "
        "read, so that missed rows cannot be ruled out.",
    ),
    Evidence(
        "empty list",
        True,
        "The list is empty.",
        lambda facts: not facts.rows and facts.end in (*OPEN_ENDS, "overlaps"),
    ),
    Evidence(
        "no pointer",
        None,
        f"{RECEIVED}; {{setting}} was not found in any response, so whether more follow is not "
        "known.",
        lambda facts: (
            facts.end == "no pointer"
            and not facts.is_pointer_found
            and (facts.last.has_usual_size or facts.last.size_asked is None)
        ),
    ),
    Evidence(
        "full page",
        None,
        f"{RECEIVED} in one page, as many as a page has; nothing shows that no more follow.",
        lambda facts: facts.end in ("no pointer", "single page") and facts.last.has_usual_size,
    ),
    Evidence(
        "no paginator",
        None,
        f"{RECEIVED} in one page: no `paginator` is set, and none was detected. Set it, or "
        "`single_page` if the API has no pages.",
    ),
    Evidence(
        "short page", True, f"{ALL}.", lambda facts: facts.end in ("no pointer", "single page")
    ),
    Evidence(
        "smaller pages",
        None,
        f"{RECEIVED} in pages of {{largest}}, but more were asked for: ask for {{largest}}, or "
        "rows between the pages may be missing.",
        lambda facts: (
            facts.asked_by == "page_number"
            and facts.end in ("readings agree", "page behind", "page repeated")
            and facts.largest < min(facts.distinct, facts.last.size_asked or 0)
        ),
    ),
    Evidence("pointer ended", True, f"{ALL}."),
    Evidence("readings agree", True, f"{ALL}, the same in two readings."),
    Evidence("page behind", True, f"{ALL}."),
    Evidence("page repeated", True, f"{ALL} (the last page was repeated)."),
    Evidence("below the cap", True, f"{ALL}, fewer than the API's maximum."),
    Evidence("window incomplete", False, f"{RECEIVED} in {{windows}}. {{problem}}."),
    Evidence("window unverified", None, f"{RECEIVED} in {{windows}}. {{problem}}."),
    Evidence(
        "outside windows",
        None,
        f"{RECEIVED} in {{windows}}, but the API reports {{reported:,}}: rows without a time, or "
        "outside `since` and `until`, are in no window.",
    ),
    Evidence(
        "windows without total",
        None,
        f"{RECEIVED} in {{windows}}; without a total, rows without a time cannot be ruled out. Set "
        "`since` and `until` to the range you need.",
    ),
    Evidence("windows", True, f"{ALL}, in {{windows}}."),
    Evidence("overlaps", True, f"{ALL}."),
)


def judge(facts: ListFacts) -> PaginationResult:
    """Derive the verdict on a list from the facts: the first evidence of the table that holds."""
    found = next(row for row in TABLE if (row.holds(facts) if row.holds else facts.end == row.name))
    unfollowed, promise = facts.last.unfollowed, _find_promise(facts)
    standing = unfollowed or ("the cursor or link" if facts.last.pointer else "")
    setting = facts.pointer_setting if not facts.is_pointer_found else ""
    reason = found.sentence.format(
        **{**vars(facts), "setting": setting or "a link or cursor", **facts.values},
        source=promise and SOURCE[bool(facts.asked_by)].format(promise),
        unfollowed=unfollowed or promise,
        missing_path=f" ({setting} was not found)" if setting else "",
        standing=f", though {standing} still leads on" if standing else "",
    )
    if facts.total_setting and facts.reported is None:
        reason += f" No number was found at {facts.total_setting}."
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
