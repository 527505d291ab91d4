"""Reach the end of a list once: read it, or look for its last page where it is long."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, cast

from requests import Response

from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import USUAL_SIZES
from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import TOTAL, plain_name
from event_assets.probe.explorer import Explorer, Page, Walk
from event_assets.probe.findings import Fact
from event_assets.probe.formatting import pluralize
from event_assets.probe.paging import Paging
from event_assets.probe.paging_candidates import (
    find_has_more,
    find_pointers,
    members_outside_records,
)

MAX_WALK = 14  # pages that are read one after the other where others can be jumped to
MAX_PAGE = 1 << 20


@dataclass
class End:
    """The end of a list.

    Attributes:
        rows: the records that were read, each once.
        is_reached: whether the list was followed to its end.
        count: the number of records of the whole list, as far as it is known.
        evidence: what showed it.
        problem: why records are known to be missing; empty if they are not.
        doubt: why it is not known whether that is all; empty if it is.
        is_cut_off: whether the API does not show all of a longer list.
        is_likely_all: whether nothing but the length of a page is in doubt, which is not usual.
        is_short: whether the list was read to its end, and the API reports more.
    """

    rows: list[Any] = field(default_factory=list)
    is_reached: bool = False
    count: int | None = None
    evidence: str = ""
    problem: str = ""
    doubt: str = ""
    is_cut_off: bool = False
    is_short: bool = False
    is_likely_all: bool = False


def is_doubted(count: int) -> bool:
    """Return whether so many records may be a page, not a list."""
    return count > 0 and (
        count in USUAL_SIZES
        or count % 10 == 0
        or count % 25 == 0
        or count in (12, 15, 16, 24, 32, 36, 48, 64)
    )


def find_end(explorer: Explorer, paging: Paging, requests: int) -> End:
    """Follow a list to its end with at most so many requests."""
    can_jump = paging.is_numbered
    most = min(requests, MAX_WALK) if can_jump else requests
    walk = explorer.walk(paging.paginator, paging.sent_settings, most)
    ids, size = walk.ids, max(map(len, walk.pages), default=1) or 1
    end = End(_unique(walk.rows, explorer), count=len(ids))
    facts = walk.facts
    if walk.error:
        end.problem = walk.error
        return end
    if walk.is_done and facts is not None:
        verdict = judge(facts)
        end.is_reached = True
        if can_jump and _goes_on(explorer, paging, walk, size):
            return _forget_total(explorer, paging, requests, facts.reported or 0)
        end.evidence = f"{len(ids):,} records, to the end"
        if facts.reported == len(ids):
            end.evidence += f", as the API reports ({facts.reported:,})"
        if verdict.complete is False:
            end.problem = verdict.reason
        elif verdict.complete is None:
            end.doubt = verdict.reason
        end.is_cut_off = facts.is_truncated
        end.is_short = can_jump and len(ids) < (facts.reported or 0)
        return end
    if facts is not None and facts.passes > 1:
        end.is_reached = True
        end.evidence = f"{len(ids):,} records, to the end"
        end.is_short = can_jump and len(ids) < (facts.reported or 0)
        if end.is_short:
            end.problem = f"The API reports {facts.reported:,} records, and sends {len(ids):,}"
        return end
    if can_jump:
        return _jump(explorer, paging, end, requests)
    total = facts.reported if facts is not None else None
    end.count = total
    end.evidence = f"{len(ids):,} records on {_pages(len(walk.pages))}, all of them new"
    end.evidence += f"; the API reports {total:,}" if total else "; the end was not reached"
    return end


def _goes_on(explorer: Explorer, paging: Paging, walk: Walk, size: int) -> bool:
    """Return whether there are records behind the page that a total calls the last one."""
    reported = walk.facts.reported if walk.facts else None
    if not reported or paging.paginator.get("total_path", "auto") is None or not walk.ids:
        return False
    if len(walk.ids) > reported:
        return True
    behind = _ask_page(explorer, paging, -(-len(walk.ids) // size), size)
    return behind.is_ok and bool({*behind.ids} - walk.ids)


def _forget_total(explorer: Explorer, paging: Paging, requests: int, total: int) -> End:
    """Go on without a total that is less than the records."""
    paging.paginator["total_path"] = None
    paging.facts.append(
        Fact("total", "none to rely on", f"the API reports {total:,}, and there are more records")
    )
    return find_end(explorer, paging, requests)


def judge_single_page(explorer: Explorer, paging: Paging, page: Page) -> End:
    """Decide whether page 1 is all, where nothing leads to another page."""
    is_total_honest = False
    size = paging.size_param
    if size:
        is_total_honest = _largest_total(explorer.ask(paging.settings)) == _largest_total(page)
        large = explorer.ask({**paging.settings, size: 1000})
        if large.is_ok and len(large.rows) >= len(page.rows):
            page = large
            paging.settings[size] = 1000
        else:
            del paging.settings[size]
    count = len(page.ids)
    paging.paginator = "single_page"
    paging.evidence = f"{pluralize(count)}, and nothing leads to more"
    end = End([*page.rows], True, count)
    total = _largest_total(page)
    if paging.moving_param:
        end.problem = f"`{paging.moving_param}` brings other records, but not page by page"
    elif total is not None and total > count:
        end.problem = f"The API reports {total:,} records, and page 1 has {count:,}"
    elif more := find_has_more(page.response.document):
        end.problem = f"`{more}` in the answer says that there are more than {pluralize(count)}"
    elif not (paging.is_stable and _shows_end(page, count, total, size, is_total_honest)):
        shown = find_pointers(cast("Response", page.response.response), page.response.document)
        end.doubt = (
            f"{pluralize(count)} came, nothing that was tried brings others, and nothing shows "
            "that these are all"
        )
        end.is_likely_all = paging.is_stable and not is_doubted(count) and not shown
        if shown:
            paging.evidence = f"{pluralize(count)}, and `{shown[0].path}` leads nowhere"
            end.doubt = (
                f"`{shown[0].path}` in the answer seems to lead to more, but nothing that was "
                "tried takes it"
            )
    if size in paging.settings and (end.problem or end.doubt):
        paging.settings[size] = count  # a sync of fewer rows than were asked for calls it the end
    return end


def _shows_end(
    page: Page, count: int, total: int | None, size: str | None, is_total_honest: bool
) -> bool:
    """Return whether a lone page shows that it is all: by a total, a flag, or its own length."""
    if total == count and is_total_honest:
        return True
    if is_doubted(count):
        return False
    is_said = find_has_more(page.response.document, False) is not None
    return is_said or size is not None or total == count


def _largest_total(page: Page) -> int | None:
    """Return the largest number in a response that may be a total by its name."""
    found = [page.total] + [
        parse_count(value)
        for names, value in members_outside_records(page.response.document, lists=True)
        if TOTAL.fullmatch(plain_name(names[-1]))
    ]
    return max((count for count in found if count is not None), default=None)


def _unique(rows: list[Any], explorer: Explorer) -> list[Any]:
    found: dict[Hashable, Any] = {}
    for key, row in zip(explorer.read_ids(rows), rows, strict=True):
        found.setdefault(key if isinstance(key, Hashable) else repr(key), row)
    return [*found.values()]


def _jump(explorer: Explorer, paging: Paging, end: End, requests: int) -> End:
    """Look for the last page: where a total says, or by doubling and halving."""
    size = max(1, paging.size or 0, 1)
    first = _ask_page(explorer, paging, 0, size)
    size = len(first.rows) or size
    total = first.total
    left = requests - MAX_WALK - 1
    if total and total > size:
        last = math.ceil(total / size) - 1
        page = _ask_page(explorer, paging, last, size)
        expected = total - last * size
        if page.is_ok and page.rows and abs(len(page.rows) - expected) <= size:
            end.is_reached, end.count = True, total
            end.evidence = f"the last page that the total of {total:,} promises has records"
            return end
        end.is_cut_off = True
        said = page.response.reason if not page.is_ok else "that page is empty"
        end.problem = f"the API reports {total:,} records, but its last page cannot be read: {said}"
        return end

    def has_rows(number: int) -> bool:
        page = _ask_page(explorer, paging, number, size)
        return page.is_ok and bool({*page.ids} - {*first.ids})

    low, high = MAX_WALK - 1, MAX_WALK  # pages that have records, and that may not
    while left > 0 and high < MAX_PAGE and has_rows(high):
        low, high, left = high, high * 2, left - 1
    while left > 0 and high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if has_rows(middle) else (low, middle)
        left -= 1
    end.is_reached = high - low == 1
    end.count = (low + 1) * size
    end.evidence = f"page {low + 1:,} has records, page {high + 1:,} has none: about {end.count:,}"
    return end


def _ask_page(explorer: Explorer, paging: Paging, number: int, size: int) -> Page:
    return explorer.ask_page(paging.paginator, paging.sent_settings, number, size)


def _pages(count: int) -> str:
    return "one page" if count == 1 else f"{count:,} pages"
