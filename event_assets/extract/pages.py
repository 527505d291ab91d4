"""The loop of a sync: send a request, see what its page says of the list, go on to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dlt.sources.helpers.rest_client.exceptions import IgnoreResponseException
from requests import HTTPError, Request

from event_assets.extract.empty_page import UNCLEAR, has_nothing, leaves_list_out, quote_page
from event_assets.extract.records_selector import RecordsSelector
from event_assets.extract.refusal import limit_text, says_end
from event_assets.extract.response_check import error_beside_rows, is_unready, lists_left_out
from event_assets.http.adapter import replace_parts
from event_assets.http.client import ApiClient
from event_assets.http.error_text import error_text
from event_assets.http.window import CAUTIOUS
from event_assets.pagination.list_paginator import REFUSALS, ListPaginator
from event_assets.pagination.time_windows import Paginator
from event_assets.values.errors import ContentError, ExpiredJournalError
from event_assets.values.wording import names_rate_limit

NO_MESSAGE = " It gives no message."


@dataclass(frozen=True)
class PagedList:
    """A list of records, and what decides which of its pages comes next."""

    request: Request  # which the paginator points at one page after the other
    paginator: Paginator
    parent_fields: Sequence[Mapping[str, Any]] = ({},)  # of each parent, added to each record
    selector: str = ""  # the path of the records


def read_list(
    paged: PagedList,
    client: ApiClient,
    select_records: RecordsSelector,
    next_lists: Callable[[int], Sequence[PagedList]],
) -> Iterator[list[Any]]:
    """Yield the records of a list, page by page.

    Args:
        client: sends the requests, and fetches ahead what is expected to follow.
        next_lists: returns up to this many lists that are read after this one.

    Raises:
        ApiError, requests.HTTPError: a page cannot be read.
        ExpiredJournalError: the API rejects a request made from a recorded response.
    """
    request, paginator = paged.request, paged.paginator

    def pages(start: int, stop: int) -> Iterator[Request]:
        facts = paginator.facts
        if next_lists(1):
            stop = min(stop, facts.pages // 4)  # of many lists, most are short
        if facts.reported == facts.rows:  # these are all, unless it is the length of the page
            stop = 0
        elif (facts.reported or 0) < facts.rows:  # the end may be near
            stop = min(stop, max(min(facts.pages, CAUTIOUS), facts.pages // 8))
        for params in paginator.upcoming(stop)[start:]:
            yield replace_parts(request, params={**(request.params or {}), **params})

    def lists(start: int, stop: int) -> Iterator[Request]:
        return (paged.request for paged in next_lists(stop)[start:])

    is_nothing = False
    while paginator.has_next_page:
        was_nothing, is_nothing = is_nothing, False
        try:
            response = client.fetch(request, pages, lists)
        except IgnoreResponseException:  # `response_actions` say so
            paginator.stopped_early()
        except ContentError as error:
            is_nothing = error.problem != UNCLEAR and has_nothing(error.response)
            if not _is_end(error, paginator, may_lack_list=not (is_nothing and was_nothing)):
                raise
        except HTTPError as error:
            status = error.response.status_code
            # the first request of a list is made from no response
            has_expired = paginator.facts.pages > 0 and client.has_expired(status)
            if not _is_refused_page(error, paginator, has_expired=has_expired):
                if has_expired:
                    raise ExpiredJournalError(
                        "The API rejects a recorded cursor or link."
                    ) from None
                raise
        else:
            records = select_records(response)
            said = error_beside_rows(response, records) if records else ""
            said = said or lists_left_out(response, paged.selector)
            yield paginator.receive(response, records, said=said)
        paginator.update_request(request)


def _is_end(error: ContentError, paginator: Paginator, *, may_lack_list: bool) -> bool:
    """Take a response without a list for a page behind the last one; return False if it is none.

    `may_lack_list`: False after a response that held nothing either: that may be a quota.
    """
    response = error.response
    if error.problem == UNCLEAR:
        paginator.receive(response, [], said=quote_page(response))
        return True
    if is_unready(response):
        return False
    is_told = response.status_code == HTTPStatus.NO_CONTENT or says_end(response)
    said = (error_text(response) or NO_MESSAGE) if is_told else ""
    if has_nothing(response) and paginator.refused(HTTPStatus.NO_CONTENT, said=said):
        return True
    is_bare = response.status_code == HTTPStatus.NO_CONTENT and not paginator.facts.pages
    if is_bare and isinstance(paginator, ListPaginator):  # a window without content is a doubt
        paginator.receive_nothing()
        return True
    if not (may_lack_list and paginator.facts.pages and leaves_list_out(response)):
        return False
    paginator.receive(response, [], said=NO_MESSAGE)
    return True


def _is_refused_page(error: HTTPError, paginator: Paginator, *, has_expired: bool) -> bool:
    """Take an error status for a page behind the last one; return False if it is none."""
    response = error.response
    words = error_text(response)
    if names_rate_limit(words):
        return False
    is_end = response.status_code in REFUSALS and says_end(response)
    status = HTTPStatus.NO_CONTENT if is_end else response.status_code
    said = "" if has_expired else words or NO_MESSAGE
    return paginator.refused(status, limit=limit_text(response), said=said)
