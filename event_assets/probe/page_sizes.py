"""Find the parameter of the page size, and the largest size that an API really gives."""

from __future__ import annotations

import re

from event_assets.http.error_text import error_text
from event_assets.pagination.facts import USUAL_SIZES
from event_assets.probe.facts import Fact
from event_assets.probe.page import Page
from event_assets.probe.paging_candidates import SIZES, find_pointers
from event_assets.probe.parameter_search import ParameterSearch

LARGE_SIZES = (1000, 500, 200, 100)
SMALL, MIN_SMALL = 10, 3  # rows of the pages of experiments
MIN_ROWS = 4  # of a page that smaller ones can be told from


def find_size(search: ParameterSearch) -> None:
    """Look for the parameter of the page size: with it, fewer records come.

    Small pages make several of a short list, whose next pages can be looked for.
    """
    count = len(search.base.rows)
    if count < MIN_ROWS:
        return
    small = SMALL if count > 3 * SMALL else max(MIN_SMALL, count // 3)
    small -= small == count

    def is_smaller(page: Page) -> bool:
        return page.is_ok and len(page.rows) == small

    paging = search.paging
    if name := search.search(search.places(SIZES), small, is_smaller):
        paging.size_param, paging.size = name, small
        paging.settings[name] = small
        search.base = search.ask({})


def find_largest_size(search: ParameterSearch) -> None:
    """Ask for larger pages, and keep the largest that the API really sends."""
    paging, name = search.paging, search.paging.size_param
    if not name:
        return
    usual, best = len(search.first.rows), 0
    sizes, tried = [*LARGE_SIZES], set[int]()
    while sizes:
        asked = sizes.pop(0)
        if asked in tried:
            continue
        tried.add(asked)
        page = search.ask({name: asked})
        if not page.is_ok:  # the API may say how many it allows
            said = re.findall(r"\d+", "" if page.response is None else error_text(page.response))
            sizes = [*(int(n) for n in said if MIN_SMALL < int(n) < asked), *sizes]
            continue
        got = len(page.rows)
        if got > best:
            best = got
            is_cut = bool(find_pointers(page)) or (page.total or 0) > got or got in USUAL_SIZES
            paging.size = got if is_cut else _size_for(got)
        if got > usual or got >= asked:
            break
    if not best:
        paging.size = usual
    paging.settings[name] = paging.size
    evidence = f"of {asked} that were asked for, {best} came"
    paging.facts.append(Fact("page size", f"{name}={paging.size}", evidence))
    if paging.kind == "offset":
        paging.paginator["limit"] = paging.size


def _size_for(count: int) -> int:
    """Return the page size of a list that came whole: it has two pages, if it is long enough."""
    return next((size for size in (500, 200, 100) if size < count), 100)
