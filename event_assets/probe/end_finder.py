"""Reach the end of a list once: read it, or look for its last page where it is long."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from event_assets.extract.refusal import limit_text
from event_assets.http.error_text import find_words
from event_assets.pagination.evidence import judge
from event_assets.pagination.facts import ListFacts
from event_assets.probe.client import Client
from event_assets.probe.discovery import Fact
from event_assets.probe.page import Page
from event_assets.probe.paging import PAGES_TO_BELIEVE, PagesRead, Paging, read_pages
from event_assets.values.errors import ConfigError
from event_assets.values.wording import counted

MAX_WALK = 14  # pages that are read one after the other where others can be jumped to
EMPTY_TAIL = 5  # pages in a row, of a list whose links or cursors may never end
# Of pages, beside multiples of 25, and of 10 up to 100.
ODD_SIZES = (12, 15, 16, 18, 24, 28, 32, 36, 42, 48, 64, 72, 84, 96, 99, 108, 120, 128, 144, 180)
ODD_LARGE_SIZES = (192, 199, 240, 249, 256, 360, 384, 480, 499, 512, 999, 1024, 2048, 4096)
LARGE = 1000  # rows that a page is asked for that may be all
MOST_ODD = 100  # rows of a page of any other length; one with more is no page


@dataclass
class End:
    """The end of a list."""

    rows: list[Any] = field(default_factory=list)  # the records that were read, each once
    is_reached: bool = False  # the list was followed to its end
    count: int | None = None  # of the records of the whole list, as far as it is known
    evidence: str = ""  # what showed it
    problem: str = ""  # why records are known to be missing; empty if they are not
    doubt: str = ""  # why it is not known whether that is all; empty if it is
    is_cut_off: bool = False  # the API does not show all of a longer list
    is_short: bool = False  # the list was read to its end, and the API reports more
    ending: Mapping[str, Any] = field(default_factory=dict)  # of the last response, if it may be it


def is_doubted(count: int) -> bool:
    """Return whether so many records may be a page, not a list."""
    is_round = count % 25 == 0 or (count % 10 == 0 and count <= MOST_ODD)
    return count in (*ODD_SIZES, *ODD_LARGE_SIZES) or (count > 0 and is_round)


def reach_end(client: Client, paging: Paging, requests: int) -> End:
    """Follow a list to its end with at most so many requests."""
    most = min(requests, MAX_WALK) if paging.is_numbered else requests
    walk = read_pages(client, paging.paginator, paging.settings, most)
    facts, end = walk.facts, End(walk.rows, count=len(walk.ids))
    if walk.error:
        if not walk.read:
            raise ConfigError(f"The paginator cannot be used as it was set: {walk.error}")
        end.problem, last = walk.error, walk.read[-1]
        if end.rows and last.response is not None and not last.is_ok:
            end.problem = f"Behind {counted(len(end.rows))}, {last.reason}.{last.said}"
            end.is_cut_off = bool(limit_text(last.response))
            is_end = last.status == HTTPStatus.NO_CONTENT or not last.is_answer
            end.ending = {"status_code": last.status} if is_end else {}
        elif end.rows and last.response is not None:
            words = find_words(last.document, is_error=True)
            end.ending = {"content": words} if words and words in last.text else {}
        return end
    if paging.is_numbered and _exceeds_total(client, paging, walk):
        return reach_end(client, paging, requests)
    if walk.is_done:
        return _describe_end(end, walk, facts)
    end.evidence = f"{counted(len(walk.ids))} on {counted(len(walk.pages), 'page')}"
    end.evidence += ", and the end was not reached"
    if paging.is_numbered and facts.reported and facts.reported > len(walk.read[0].rows):
        _ask_last_page(client, paging, end, walk, facts.reported)
    elif paging.is_numbered:
        _search_last_page(client, paging, end, walk, requests - len(walk.pages) - 1)
    else:
        end.count = facts.reported
        if not any(tail := walk.pages[-EMPTY_TAIL:]):
            empty = counted(len(tail), "empty page")
            end.problem = f"Behind {counted(len(walk.ids))}, {empty} in a row lead on all the same"
    return end


def _describe_end(end: End, walk: PagesRead, facts: ListFacts) -> End:
    """Fill in what is known of a list that was read to its end."""
    count, reported = len(walk.ids), facts.reported or 0
    end.is_reached, end.is_cut_off = True, bool(facts.truncated) or facts.end == "depth"
    end.is_short = count < reported
    end.evidence = f"{counted(count)}, to the end"
    end.evidence += f", as the API reports ({reported:,})" if count == reported else ""
    verdict = judge(facts)
    end.problem = verdict.reason if verdict.complete is False else ""
    end.doubt = verdict.reason if verdict.complete is None else ""
    return end


def _exceeds_total(client: Client, paging: Paging, walk: PagesRead) -> bool:
    """Return whether there are more records than a total says, which is not relied on then."""
    total, ids = walk.facts.reported, walk.ids
    if not total or not ids or paging.total_path is None:
        return False
    if not walk.is_done and (len(ids) <= total or paging.kind != "offset"):
        return False  # of page numbers, it may be the number of pages
    if len(ids) <= total:
        size = max(map(len, walk.pages))
        behind = client.ask_page(paging.paginator, paging.settings, -(-len(ids) // size), size)
        if not {*behind.ids} - ids:
            return False
    paging.paginator["total_path"] = None
    evidence = f"the API reports {total:,}, and there are more records"
    paging.facts.append(Fact("total", "none to rely on", evidence))
    return True


def judge_single_page(client: Client, paging: Paging, page: Page) -> End:
    """Decide whether page 1 is all, where nothing leads to another page."""
    is_total_honest, size = False, paging.size_param
    if size:
        small = client.ask(paging.settings)
        totals = [max(one.totals.values(), default=None) for one in (small, page)]
        is_total_honest = totals[0] == totals[1]
        large = client.ask({**paging.settings, size: LARGE})
        if large.is_ok and len(large.rows) >= len(page.rows):
            page = large
            paging.settings[size] = LARGE
        else:
            del paging.settings[size]
    count, total = len(page.ids), max(page.totals.values(), default=None)
    paging.paginator = "single_page"
    paging.evidence = f"{counted(count)}, and nothing leads to more"
    facts = read_pages(client, paging.paginator, paging.settings, 1).facts
    verdict, end = judge(facts), End([*page.rows], True, count, paging.evidence)
    end.is_cut_off = bool(facts.truncated)
    is_told = facts.last.has_more is False or total == count
    auto = read_pages(client, "auto", paging.settings, PAGES_TO_BELIEVE)  # as dlt would
    end.is_reached = is_told or (auto.is_done and judge(auto.facts).complete is not False)
    is_shown = (is_told or bool(size) or count > MOST_ODD) and not is_doubted(count)
    is_shown = (is_shown and end.is_reached) or (total == count and is_total_honest)
    if verdict.complete is False:
        end.problem = verdict.reason
    elif not (paging.is_stable and is_shown):
        end.doubt = (
            f"{counted(count)} came, nothing that was tried brings others, and nothing shows "
            "that these are all"
        )
    if size in paging.settings and (end.problem or end.doubt):
        paging.settings[size] = count  # a sync of fewer rows than were asked for calls it the end
    return end


def _ask_last_page(client: Client, paging: Paging, end: End, walk: PagesRead, total: int) -> None:
    """Ask for the last page that a total promises, and count its records."""
    first = walk.read[0]
    size = len(first.rows)
    before = (math.ceil(total / size) - 1) * size
    page = client.ask_page(paging.paginator, paging.settings, before // size, size)
    path = next((path for path, count in first.totals.items() if count == total), "")
    expected, count = page.totals.get(path, total) - before, len(page.rows)
    if count:
        end.is_reached, end.count = True, total
        end.evidence = f"the last page that the total of {total:,} promises has {counted(count)}"
        end.is_short = count != min(size, max(0, expected))
        end.doubt = f"{end.evidence} instead of {expected:,}" if end.is_short else ""
    elif client.is_patient or page.is_ok or page.is_rejected:
        said = "that page is empty" if page.is_ok else page.reason
        end.is_cut_off = True
        end.problem = f"the API reports {total:,} records, but its last page cannot be read: {said}"
    else:
        end.evidence = f"not verified: {page.reason}"


def _search_last_page(
    client: Client, paging: Paging, end: End, walk: PagesRead, requests: int
) -> None:
    """Look for the last page by doubling and halving."""
    first, last = walk.read[0], max(number for number, page in enumerate(walk.pages) if page)
    size, behind = max(1, len(first.rows)), 0  # the number of a page without records; 0: unknown
    for _ in range(requests):
        if behind == last + 1:
            break
        number = (last + behind) // 2 if behind else 2 * last + 1
        page = client.ask_page(paging.paginator, paging.settings, number, size)
        has_rows = page.is_ok and bool({*page.ids} - {*first.ids})
        last, behind = (number, behind) if has_rows else (last, number)
    if behind == last + 1:
        end.is_reached, end.count = True, behind * size
        end.evidence = f"page {behind:,} has records, page {behind + 1:,} has none: "
        end.evidence += f"about {end.count:,}"
