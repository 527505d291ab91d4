"""Reach an API: its address, its key, and the list in its first answer."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from event_assets.http.error_text import error_text
from event_assets.probe.authentication import complete_auth, describe_refusal, needs_key
from event_assets.probe.connection import Connection
from event_assets.probe.key_search import UNKNOWN_NAMES, KeySearch, follow
from event_assets.probe.page import Page
from event_assets.probe.paging_candidates import OFFSETS, PAGES, SIZES
from event_assets.probe.records_finder import find_empty_list, find_records, find_unreadable
from event_assets.values.errors import ApiError
from event_assets.values.urls import redact_url
from event_assets.values.wording import counted

EVENT_PATHS = ("events", "v1/events", "api/events", "api/v1/events", "v2/events")
FIRST_PAGE = {  # by the names of parameters that an API may demand
    **dict.fromkeys(SIZES, 50),
    **dict.fromkeys(OFFSETS, 0),
    **dict.fromkeys(PAGES, 1),
}
NO_PATHS = ("", "api", "v1", "v2", "v3", "api/v1", "api/v2")


def reach(connection: Connection) -> Page | None:
    """Return page 1, with the key if there is one; None if a question must be answered first.

    Raises:
        ApiError: the API cannot be reached, or does not accept the key.
    """
    client, keys = connection.client, connection.options.keys
    given = complete_auth(connection.given, keys, _wanted_auth(connection))
    if connection.options.get("auth") == "none" or not (given.secrets if given else keys):
        page = follow(connection, client.ask(with_key=False))
        if (refusal := page.response) is not None and needs_key(refusal):
            connection.question("key", f"The API wants a key: {describe_refusal(refusal)}")
            return None
        return _require(connection, page)
    search = KeySearch(connection)
    found = search.find([[given]] if given else search.groups(keys[0]))
    anonymous = search.anonymous
    if found:
        connection.attempt, page = found
        connection.variables.update(connection.attempt.variables(connection.source))
        without = "otherwise" if anonymous.is_ok else str(anonymous.status)
        evidence = f"accepted; without it the API answers {without}"
        connection.add("key", connection.attempt.name, evidence)
        return _require(connection, page)
    if anonymous.is_ok:
        return _read_without_key(connection)
    refusal = anonymous.response
    if refusal is None or not needs_key(refusal):
        return _require(connection, anonymous)
    raise ApiError(
        f"The API at {connection.given.base_url} did not accept the key, sent as "
        f"{', '.join(search.tried)}: {describe_refusal(refusal)} Look up how it is sent, and say "
        "it by --auth and --set auth.name=..., or give the documentation's curl command to --curl."
    )


def _read_without_key(connection: Connection) -> Page:
    """Return page 1 without the key, which has no effect, and ask whether that is meant."""
    connection.question(
        "auth",
        "The answer is the same with the key and without, however it was sent: the API may show "
        "only public events. Read it without the key?",
        {"yes, without a key": {"auth": "none"}},
    )
    connection.client.session.set_auth(None)
    return connection.client.ask(with_key=False)


def _wanted_auth(connection: Connection) -> dict[str, Any] | None:
    """Return the `auth` that the options name, perhaps only by its type."""
    setting = connection.options.get("auth")
    if isinstance(setting, str):
        return None if setting == "none" else {"type": setting}
    named = {"type": connection.options.auth} if connection.options.auth else {}
    return {**named, **(setting or {})} or None


def _require(connection: Connection, page: Page) -> Page:
    """Return a page, which must be JSON, with the parameters of pages that the API demands.

    Where the number of a page was taken out of the path in vain, it is that of page 1.

    Raises:
        ApiError: it is none.
    """
    client, first = connection.client, connection.given.first_page_url
    if page.status == HTTPStatus.NOT_FOUND and first:
        page = client.move(first)
    while page.status in UNKNOWN_NAMES and (demanded := _find_demanded(connection, page)):
        client.given = replace(client.given, params={**client.given.params, **demanded})
        shown = ", ".join(f"{name}={value}" for name, value in demanded.items())
        connection.add("parameters", shown, f"without, the API answers {page.status}")
        page = client.ask(with_key=client.session.has_auth)
    if page.is_ok:
        return page
    if page.status == HTTPStatus.OK:
        where = redact_url(connection.given.url)
        raise ApiError(f"The answer of {where} is {page.content_kind}.")
    if page.response is not None and page.status == HTTPStatus.NOT_FOUND:
        raise ApiError(
            f"The API at {redact_url(page.response.url)} answered 404 Not Found; check the "
            f"address.{error_text(page.response)}"
        )
    raise ApiError(page.error)


def _find_demanded(connection: Connection, page: Page) -> dict[str, int]:
    """Return the parameters of pages that a refusal names and that were not sent, for page 1."""
    said = "" if page.response is None else error_text(page.response)
    names = (name for name in re.findall(r"[\w$\[\]]+", said) if name in FIRST_PAGE)
    return {name: FIRST_PAGE[name] for name in names if name not in connection.given.params}


def find_list(connection: Connection, page: Page) -> Page:
    """Find the list of events in page 1, or else at the usual paths; return its page.

    Raises:
        ApiError: there is none, or it is empty.
    """
    client = connection.client
    if selector := connection.options.get("data_selector"):
        client.selector = selector
    elif not _select(connection, page):
        again = client.ask(again=True)  # some servers fail to send the list now and then
        page = again if _select(connection, again) else _search_paths(connection, again)
    page = client.read(page)
    records = sum(isinstance(row, dict) for row in page.rows)
    where = "the whole answer" if client.selector == "$" else f"`{client.selector}`"
    if not records:
        raise ApiError(f"There are no events in {where} to learn from: ask for some that exist.")
    connection.add("records", where, f"{counted(records)} that look like events")
    return page


def _select(connection: Connection, page: Page) -> bool:
    found = find_records(page.document) if page.is_ok else None
    if found:
        connection.client.selector = found
    return found is not None


def _search_paths(connection: Connection, page: Page) -> Page:
    """Try the usual paths of events where the address has none."""
    client, base = connection.client, connection.given.url.rstrip("/")
    for path in EVENT_PATHS if urlsplit(base).path.strip("/") in NO_PATHS else ():
        tried = client.ask(url=f"{base}/{path}")
        if _select(connection, tried):
            client.given = replace(client.given, url=f"{base}/{path}")
            connection.add("address", f"{base}/{path}", "there is a list of events")
            return tried
    if (empty := find_empty_list(page.document)) is not None:
        raise ApiError(
            f"The list{empty and f' `{empty}`'} of {redact_url(base)} is empty: connect it when it "
            "has events, or ask for past ones, such as by ?start_date=2000-01-01."
        )
    if not (reason := find_unreadable(page.document)):
        said = "" if page.response is None else error_text(page.response)
        reason = f"give the address of the list of events, with its path.{said}"
    raise ApiError(f"The answer of {redact_url(base)} has no list of records: {reason}")
