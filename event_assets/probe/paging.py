"""How a list is paged, its first pages as a sync reads them, and what makes that believable."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from dlt.sources.helpers.rest_client.paginators import RangePaginator
from requests import HTTPError, Request, Response

from event_assets.extract.pages import PagedList, read_list
from event_assets.extract.response_check import is_named
from event_assets.http.client import ApiClient
from event_assets.pagination.facts import ListFacts
from event_assets.pagination.list_paginator import ListPaginator
from event_assets.pagination.totals import AUTO
from event_assets.probe.client import Client, Settings
from event_assets.probe.discovery import Fact
from event_assets.probe.page import NOT_SENT, Page
from event_assets.values.errors import ContentError, PaginationError

PAGES_TO_BELIEVE = 3


@dataclass
class Paging:
    """How a list is paged."""

    paginator: Any = None  # dlt's configuration; None: nothing was believed
    settings: dict[str, Any] = field(default_factory=dict)  # other parameters of each request
    evidence: str = ""  # what showed it
    size_param: str | None = None
    size: int | None = None
    is_stable: bool = True  # the same request brings the same records in the same order
    is_strict: bool = False  # the API refuses unknown parameters
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

    def keep(self, paginator: Any, evidence: str) -> None:
        """Page the list so from now on; a paginator of offsets writes the page size itself."""
        self.paginator, self.evidence = paginator, evidence
        size = self.size_param if self.kind == "offset" else None
        self.settings = {name: value for name, value in self.settings.items() if name != size}


MAX_USELESS = 2  # pages without records, or before which the list moved: others are read, too
MAX_EMPTY = 2  # in a row, behind which a sync's further ones are taken for empty
READINGS = 3  # of a list, by a paginator that wants two to agree


@dataclass
class PagesRead:
    """What a paginator brought."""

    read: list[Page] = field(default_factory=list)
    facts: ListFacts = field(default_factory=ListFacts)
    is_done: bool = False  # the paginator ended by itself
    error: str = ""  # why it could not go on

    @property
    def pages(self) -> list[Sequence[Hashable]]:
        """The ids of each page; none of one that was refused, which is taken for the end."""
        return [page.ids for page in self.read if page.is_ok or not self.error]

    @property
    def rows(self) -> list[Any]:
        """The records of all pages, each once."""
        found = {
            key: row for page in self.read for key, row in zip(page.ids, page.rows, strict=True)
        }
        return [*found.values()]

    @property
    def ids(self) -> set[Hashable]:
        """The ids of all pages."""
        return {key for page in self.pages for key in page}


class StopReadingError(Exception):
    """These are enough pages, or there is none: why."""


class PageFetcher:
    """Fetches the pages of a list for the loop of a sync, up to a number of them."""

    def __init__(self, client: Client, pages: ListPaginator, found: PagesRead, most: int) -> None:
        self._client, self._pages, self._found, self._most = client, pages, found, most
        self._check = client.check()
        self._known: set[str] = set()
        self._left = READINGS * (most + MAX_USELESS)
        self._page = NOT_SENT

    def fetch(self, request: Request, *_: Any) -> Response:
        """Return the response to a request.

        Raises:
            StopReadingError: there are enough pages, or the first one is none.
            IgnoreResponseException, ContentError, HTTPError: as a sync's client raises them.
        """
        found, name = self._found, self._client.name(request)
        found.facts = self._pages.facts
        useless = found.facts.shifts + sum(not page for page in found.pages)
        most, is_new = self._most + min(MAX_USELESS, useless), name not in self._known
        last = found.read[-MAX_EMPTY:]
        is_behind = len(last) == MAX_EMPTY and not any(one.rows or one.problem for one in last)
        if is_new and is_behind and isinstance(self._pages.active, RangePaginator):
            self._page = last[-1]
            return cast("Response", self._page.response)
        self._left -= 1
        if self._left < 0 or (is_new and len(self._known) >= most):
            raise StopReadingError
        page = self._page = self._client.fetch(request, self._check)
        response, problem = page.response, page.error or f"The response {page.problem}."
        if is_new:
            found.read.append(page)
            self._known.add(name)
        if response is not None and any(is_named(response, one) for one in self._client.ignored):
            raise IgnoreResponseException
        is_good = page.is_ok and not page.problem
        if response is None or not (is_good or found.read[1:]):
            raise StopReadingError(problem)
        if not page.is_ok:
            raise HTTPError(problem, response=response)
        if not is_good:
            raise ContentError(problem, response, page.problem)
        return response

    def has_expired(self, _status: int) -> bool:
        """Return whether a recorded cursor may have expired: none is recorded."""
        return False

    def select(self, _response: Response) -> list[Any]:
        """Return the records of the last page."""
        return [*self._page.rows]


def read_pages(client: Client, paginator: Any, settings: Settings, most: int) -> PagesRead:
    """Read up to `most` pages with a paginator of a configuration, as a sync does.

    A second reading sends no request again.
    """
    found = PagesRead()
    try:
        pages, request = client.start(paginator, settings)
        fetcher = PageFetcher(client, pages, found, most)
        sync = cast("ApiClient", fetcher)
        for _ in read_list(PagedList(request, pages), sync, fetcher.select, lambda _: ()):
            pass
        found.facts, found.is_done = pages.facts, True
    except (StopReadingError, ContentError, HTTPError, PaginationError) as error:
        found.error = str(error)
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # of dlt
        kind = type(error).__name__  # its text may hold the whole response
        found.error = f"The paginator cannot read the response ({kind}); check its paths."
    return found


def find_shift(before: Sequence[Hashable], after: Sequence[Hashable]) -> int | None:
    """Return how many records behind the beginning of a page another one begins.

    0: at the same record. The length of the page: at fresh records. None: it does not go on like
    the first one.
    """
    old, new = list(before), list(after)
    for shift in range(len(old) + 1):
        kept = old[shift:]
        if new[: len(kept)] == kept[: len(new)] and not {*new[len(kept) :]} & {*old}:
            return shift
    return None


def is_believed(walk: PagesRead) -> bool:
    """Return whether each page of a walk goes on with fresh records behind the pages before.

    It may begin with the last of these: the overlap by which a sync reads a list of offsets, or
    records of the second from which a link leads on. With more of them, or with others, where a
    sync finds that the list changes.
    """
    pages, facts = [page for page in walk.pages if page], walk.facts
    if walk.error or len(pages) < 2 or (len(pages) < PAGES_TO_BELIEVE and not walk.is_done):
        return False
    is_connected = facts.overlaps + facts.shifts >= PAGES_TO_BELIEVE - 1
    seen: set[Hashable] = set()
    previous: Sequence[Hashable] = ()
    for page in pages:
        again = sum(key in seen for key in page)
        if is_connected and seen and not again:
            continue  # from here, a sync stepped back
        if facts.overlaps and [*page] == [*previous[-1:]]:
            continue  # of a list of offsets, behind whose last record there is none
        is_overlap = again <= len(page) // 2 and [*page[:again]] == [*previous[-again:]]
        is_behind = {*page[:again]} <= seen if is_connected else not again or is_overlap
        if not is_behind or again == len(page) or len({*page}) < len(page):
            return False
        seen |= {*page}
        previous = page
    return True
