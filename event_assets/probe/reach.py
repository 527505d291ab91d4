"""Reach an API: its address, its key, and the list in its first answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from event_assets.probe.authentication import (
    Attempt,
    SeveralAuths,
    describe_refusal,
    list_attempts,
    list_places,
    needs_key,
)
from event_assets.probe.explorer import MAX_FORBIDDEN, Page
from event_assets.probe.field_finder import likeness
from event_assets.probe.formatting import pluralize
from event_assets.probe.inquiry import Inquiry
from event_assets.probe.records_finder import find_records
from event_assets.values.errors import ApiError
from event_assets.values.urls import redact_url

EVENT_PATHS = ("events", "v1/events", "api/events", "api/v1/events", "v2/events")
UNKNOWN_NAMES = (400, 422)  # statuses by which some APIs refuse parameters that they do not know
NO_PATHS = ("", "api", "v1", "v2", "v3", "api/v1", "api/v2")


def reach(inquiry: Inquiry) -> Page | None:
    """Return page 1, with the key if there is one; None if a question must be answered first.

    Raises:
        ApiError: the API cannot be reached, or does not accept the key.
    """
    explorer, wanted = inquiry.explorer, wanted_auth(inquiry)
    keys = inquiry.options.keys
    is_alone = len(keys) == 1 and " " not in keys[0] and not wanted and not inquiry.given.auth
    refused: Page | None = None
    if is_alone and inquiry.options.get("auth") is None:
        page, is_found = _find_place(inquiry, keys[0])
        if is_found or page.is_ok:
            return page if is_found else _read_without_key(inquiry)
        refused = page if needs_key(page.response.response) else None
    explorer.session.set_auth(None)
    anonymous = refused or _follow(inquiry, explorer.ask(with_key=False))
    refusal = anonymous.response.response
    places = list_places(keys[0]) if refused else []
    attempts = list_attempts(inquiry.given, inquiry.options.keys, wanted, refusal, places)
    attempts = [one for one in attempts if one.secrets]
    if not attempts:
        if needs_key(refusal) and refusal is not None:
            inquiry.question("key", f"The API wants a key: {describe_refusal(refusal)}")
            return None
        return _require(inquiry, anonymous)
    control = explorer.ask(with_key=False, again=True) if anonymous.is_ok else anonymous
    is_steady = _outline(control.response.document) == _outline(anonymous.response.document)
    answered: tuple[Attempt, Page] | None = None  # by another error than a missing key
    for attempt in attempts:
        explorer.session.set_auth(attempt.build(inquiry.source, inquiry.stack))
        page = _follow(inquiry, explorer.ask(again=True))
        if _is_effect(anonymous, page, is_steady) or (not is_steady and attempt.is_given):
            answered = (attempt, page) if page.is_ok else answered or (attempt, page)
        if answered and page.is_ok:
            break
    if answered:
        attempt, page = answered
        _accept(inquiry, attempt, anonymous)
        return _require(inquiry, page)
    if anonymous.is_ok:
        return _read_without_key(inquiry)
    tried = ", ".join(dict.fromkeys(attempt.name for attempt in (*places, *attempts)))
    said = describe_refusal(refusal) if refusal is not None else anonymous.response.error
    raise ApiError(
        f"The API at {inquiry.given.base_url} did not accept the key, sent as {tried}: {said} Look "
        "up how it is sent, and say it by --auth and --set auth.name=..., or give the "
        "documentation's curl command to --curl."
    )


def _read_without_key(inquiry: Inquiry) -> Page:
    """Return page 1 without the key, which has no effect, and ask whether that is meant."""
    inquiry.question(
        "auth",
        "The answer is the same with the key and without, however it was sent: the API may show "
        "only public events. Read it without the key?",
        {"yes, without a key": {"auth": "none"}},
    )
    inquiry.explorer.session.set_auth(None)
    return inquiry.explorer.ask(with_key=False)


def _find_place(inquiry: Inquiry, key: str) -> tuple[Page, bool]:
    """Send the key in all usual places at once, then in ever fewer.

    Returns:
        The last answer, and whether the place was found.

    A refusal shows that the last place that was left out is the right one: so there is hardly any.
    """
    explorer, places = inquiry.explorer, list_places(key)

    def ask(among: Sequence[Attempt]) -> Page:
        built = [attempt.build(inquiry.source, inquiry.stack) for attempt in among]
        explorer.session.set_auth(SeveralAuths([auth for auth in built if auth is not None]))
        return _follow(inquiry, explorer.ask(again=True))

    is_stable: bool | None = None

    def differs(other: Page) -> bool:
        nonlocal is_stable
        if not other.is_ok or not _is_other(page, other):
            return not other.is_ok
        if is_stable is None:
            is_stable = not _is_other(page, ask(places))
        return is_stable

    page, without = ask(places), None
    if not page.is_ok and page.response.status in UNKNOWN_NAMES:
        places = [one for one in places if one.config.get("location") != "query"]
        page = ask(places)
    while page.is_ok and len(places) > 1:
        cut = len(places) // 2 if without is None else len(places) - 1
        try:
            fewer = ask(places[:cut])
        except ApiError:
            if explorer.forbidden < MAX_FORBIDDEN or len(places) - cut > 1:
                raise
            places = places[cut:]  # the second refusal says which it is
            break
        if fewer.is_ok and differs(fewer):  # some servers fail to send the list now and then
            fewer = ask(places[:cut])
        if differs(fewer):
            places, without = places[cut:], fewer
        else:
            places = places[:cut]
    if not page.is_ok:
        return page, False
    anonymous = without or explorer.ask(with_key=False)
    page = ask(places)
    if not page.is_ok or not differs(anonymous):
        return page, False
    _accept(inquiry, places[0], anonymous)
    return page, True


def wanted_auth(inquiry: Inquiry) -> dict[str, Any] | None:
    """Return the `auth` that the options name, perhaps only by its type."""
    setting = inquiry.options.get("auth")
    if isinstance(setting, str):
        return None if setting == "none" else {"type": setting}
    named = {"type": inquiry.options.auth} if inquiry.options.auth else {}
    return {**named, **(setting or {})} or None


def _follow(inquiry: Inquiry, page: Page) -> Page:
    """Follow one redirect of page 1 within its host; from now on, its target is the address.

    Raises:
        ApiError: it leads to another host, which must not get the key.
    """
    target = page.response.redirect_target
    if not target or inquiry.given.method != "GET":
        return page
    if urlsplit(target).hostname != urlsplit(inquiry.given.url).hostname:
        raise ApiError(
            f"The API redirects to another host, which gets no key: if {target} is its address, "
            "connect that."
        )
    inquiry.move(target, "the API redirects to it")
    return inquiry.explorer.ask(with_key=inquiry.explorer.session.has_auth)


def _is_effect(anonymous: Page, page: Page, is_steady: bool) -> bool:
    """Return whether an answer with a key differs from one without: by its total, if all differ."""
    if not page.response.is_answer:
        return False
    if not anonymous.is_ok:
        return not needs_key(page.response.response)
    if not is_steady:
        return page.is_ok and page.total != anonymous.total
    return page.is_ok and _is_other(page, anonymous)


def _is_other(page: Page, other: Page) -> bool:
    """Return whether the answers of two pages differ in more than what changes by itself."""
    return bool(_outline(page.response.document) != _outline(other.response.document))


def _outline(value: Any, depth: int = 0) -> Any:
    """Return what answers are compared by: all but the values at their top, such as times."""
    if isinstance(value, Mapping):
        return {name: _outline(member, depth + 1) for name, member in sorted(value.items())}
    if isinstance(value, list):
        return [len(value), *(_outline(one, depth + 1) for one in value[:50])]
    is_link = isinstance(value, str) and value.startswith(("http", "/"))  # it may hold the key
    is_data = isinstance(value, int) or (isinstance(value, str) and depth > 1 and not is_link)
    return value if is_data else type(value).__name__


def _accept(inquiry: Inquiry, attempt: Attempt, anonymous: Page) -> None:
    inquiry.attempt = attempt
    inquiry.found.variables.update(attempt.variables(inquiry.source))
    status = anonymous.response.status
    without = "another" if anonymous.is_ok else str(status)
    inquiry.add("key", attempt.name, f"accepted; without it the answer is {without}")


def _require(inquiry: Inquiry, page: Page) -> Page:
    """Return a page, which must be JSON.

    Raises:
        ApiError: it is none.
    """
    if page.is_ok:
        return page
    response = page.response
    if response.status == HTTPStatus.OK and response.looks_like_html:
        raise ApiError(
            f"The address {redact_url(inquiry.given.url)} is a web page, not an API that answers "
            "in JSON: copy the address of a request from the API's documentation."
        )
    raise ApiError(response.error)


def find_list(inquiry: Inquiry, page: Page) -> Page:
    """Find the list of events in page 1, or else at the usual paths; return its page.

    Raises:
        ApiError: there is none, or it is empty.
    """
    explorer = inquiry.explorer
    if selector := inquiry.options.get("data_selector"):
        explorer.selector = selector
    elif not _select(inquiry, page):
        again = explorer.ask(again=True)  # some servers fail to send the list now and then
        page = again if _select(inquiry, again) else _search_paths(inquiry)
    page = explorer.read(page.response)
    records = sum(isinstance(row, dict) for row in page.rows)
    where = "the whole answer" if explorer.selector == "$" else f"`{explorer.selector}`"
    if not records:
        raise ApiError(f"There are no events in {where} to learn from: ask for some that exist.")
    inquiry.add("records", where, f"{pluralize(records)} that look like events")
    return page


def _select(inquiry: Inquiry, page: Page) -> bool:
    found = find_records(page.response.document, likeness) if page.is_ok else None
    if found:
        inquiry.explorer.selector = found.selector
    return found is not None


def _search_paths(inquiry: Inquiry) -> Page:
    """Try the usual paths of events where the address has none."""
    explorer, base = inquiry.explorer, inquiry.given.url.rstrip("/")
    for path in EVENT_PATHS if urlsplit(base).path.strip("/") in NO_PATHS else ():
        tried = explorer.ask(url=f"{base}/{path}")
        if _select(inquiry, tried):
            explorer.given = replace(explorer.given, url=f"{base}/{path}")
            inquiry.add("address", f"{base}/{path}", "there is a list of events")
            return tried
    raise ApiError(
        f"The answer of {redact_url(base)} has no list of records: give the address of the list of "
        "events, with its path."
    )
