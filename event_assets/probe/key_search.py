"""Reach an API: its address, and the place of its key, by which the answer becomes another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

from event_assets.http.errors import status_text
from event_assets.http.response import describe_format
from event_assets.probe import authentication as auth
from event_assets.probe.authentication import Attempt, by_name, by_names, needs_key
from event_assets.probe.client import MAX_FORBIDDEN
from event_assets.probe.discovery import Discovery, Question
from event_assets.probe.page import NOT_SENT, Page
from event_assets.probe.paging_candidates import FIRST_PAGE, PAGES
from event_assets.probe.records_finder import find_records
from event_assets.values.errors import ApiError
from event_assets.values.redaction import KNOWN
from event_assets.values.urls import has_same_server, redact_url

JSON_KIND = re.compile(r"application/[\w.+-]*json")  # a type of content
SIGNED = re.compile(r"\bhmac\b|\bx-\S*signature\b|signed|sign the request|digest realm", re.I)
UNKNOWN_NAMES = (400, 422)  # by which some APIs refuse parameters that they do not know
MAX_SHOWN = 3  # of the places in which a key was sent


class KeySearch:
    """Sends a key in one place after the other."""

    def __init__(self, discovery: Discovery) -> None:
        self.anonymous = NOT_SENT  # without the key, or with it where the API does not look
        self.tried: list[str] = []  # the places, as people call them
        self._discovery = discovery
        self._client = discovery.client
        self._last = NOT_SENT
        self._is_steady: bool | None = None  # whether the same request brings the same answer

    def groups(self, key: str) -> Iterator[Sequence[Attempt]]:
        """Yield the usual places of a key, in groups that one request tries.

        Headers come first: what is in a query is in the logs of servers. A refusal may name the
        place. Where a second one may lock out, all that is left is tried by one request.
        """
        user = auth.basic(key)
        for secret in (key, user.secrets.get("password", "")):
            KNOWN.add(secret)
        usual = [auth.bearer(key), *by_names("header", auth.HEADERS, key)]
        yield usual
        refusal = self.anonymous.response
        named = [] if refusal is None else [*auth.named_places(refusal, key)]
        parameters = by_names("query", auth.PARAMETERS, key)
        if self._client.forbidden:
            left = [one for one in (*named, user) if one not in usual]
            yield [*{one.place: one for one in (*reversed(left), *parameters)}.values()]
            return
        yield from ([place] for place in named)
        whole = (by_name("header", "Authorization", value) for value in (key, f"Token {key}"))
        headers = [[place] for place in (*whole, user)]
        headers[-1] += by_names("header", auth.RARE_HEADERS, key)
        yield from () if self.anonymous.is_ok else headers
        yield parameters
        is_strict = self._last.status in UNKNOWN_NAMES and self._last.said != self.anonymous.said
        yield from ([place] for place in parameters if is_strict)
        yield from headers if self.anonymous.is_ok else ()  # which most public lists do not read
        rare = [] if is_strict else by_names("query", auth.RARE_PARAMETERS, key)
        yield [auth.as_password(key), *rare]
        for before in ("OAuth ", "Token token="):
            yield [by_name("header", "Authorization", f"{before}{key}")]

    def find(self, groups: Iterable[Sequence[Attempt]]) -> tuple[Attempt, Page] | None:
        """Return the place to which the API answers otherwise than without the key.

        Without one, that to which it answered by another error than a missing key.
        """
        other: Sequence[Attempt] = ()
        for group in groups:
            page = self._ask(group)
            self.tried += [each.name for each in group if each.name not in self.tried]
            if self.anonymous is NOT_SENT:
                self.anonymous = self._client.ask(with_key=False) if page.is_ok else page
            if not page.is_ok:
                if not self.anonymous.is_ok and _is_other_error(group, page):
                    other = other or group
                continue
            if len(group) > 1 and self._has_effect(page):
                group, page = self._narrow(group, lambda _, page: self._has_effect(page))
            has_other = bool(self._client.given.other_keys)  # which may be enough
            is_said = group[0].is_given and (has_other or self._is_steady is False)
            if self._has_effect(page) or (is_said and page.is_ok):
                return group[0], page
        group, page = self._narrow(other, _is_other_error) if other else ((), NOT_SENT)
        return (group[0], page) if group else None

    def _ask(self, group: Sequence[Attempt]) -> Page:
        discovery = self._discovery
        auths = [attempt.build(discovery.source, discovery.stack) for attempt in group]
        several = partial(reduce, lambda request, one: one(request), auths)
        self._client.session.set_auth(auths[0] if len(auths) == 1 else cast("Any", several))
        self._last = follow(discovery, self._client.ask(again=True))
        return self._last

    def _has_effect(self, page: Page) -> bool:
        """Return whether a page differs from that without the key: by its total, if all differ."""
        before = self.anonymous
        if not page.is_ok or not before.is_ok:
            return page.is_ok
        if not page.differs(before) or page.said:  # an error beside the status 200
            return False
        if self._is_steady is None:
            self._is_steady = not self._client.ask(with_key=False, again=True).differs(before)
        return self._is_steady or page.total != before.total

    def _narrow(
        self, group: Sequence[Attempt], is_it: Callable[[Sequence[Attempt], Page], bool]
    ) -> tuple[Sequence[Attempt], Page]:
        """Return the one place of several that has the effect, with at most one refusal more."""
        page = None
        while len(group) > 1:
            cut = len(group) - 1 if self._client.forbidden else len(group) // 2
            try:
                page = self._ask(group[:cut])
            except ApiError:  # the second refusal says which it is
                if cut < len(group) - 1 or self._client.forbidden < MAX_FORBIDDEN:
                    raise
                page = None
            has_effect = page is not None and is_it(group, page)
            group, page = (group[:cut], page) if has_effect else (group[cut:], None)
        return group, page or self._ask(group)


def follow(discovery: Discovery, page: Page) -> Page:
    """Follow one redirect of page 1 within its host; from now on, its target is the address.

    Raises:
        ApiError: it leads to another host or port, which must not get the key, or out of TLS.
    """
    page = _ask_for_json(discovery, page)
    target = page.redirect_target
    if not target:
        return page
    client, given = discovery.client, discovery.given
    if target == redact_url(given.url):  # perhaps for the cookie that came with it
        again = client.ask(again=True)
        if again.redirect_target != target:
            return again
        raise ApiError(
            f"The API redirects to {target} again, with other parameters or a cookie: give the URL "
            "to which a browser gets, or copy the request there as curl (Copy as cURL)."
        )
    is_open = target.startswith("http:") and given.url.startswith("https:")
    if is_open or not has_same_server(target, given.url):
        raise ApiError(
            f"The API redirects to {target}, which gets no key, since it is not encrypted, or "
            "another host or port: check whether the URL must end with a slash, or connect that."
        )
    client.session.move(target)
    page = client.move(target)
    if page.status == HTTPStatus.OK and not page.is_ok:  # no JSON: to log in, perhaps
        client.given = given
        client.session.move(given.url)
        return page
    discovery.add("URL", target, "the API redirects to it")
    return page


def _ask_for_json(discovery: Discovery, page: Page) -> Page:
    """Return a page, asked for as JSON where an API wants that, or sends XML without."""
    client = discovery.client
    is_xml = page.status == HTTPStatus.OK and not page.is_ok and "XML" in describe_format(page.text)
    has_accept = "accept" in map(str.lower, client.given.headers)
    if has_accept or not (is_xml or page.status == HTTPStatus.NOT_ACCEPTABLE):
        return page
    named = JSON_KIND.search(page.said)
    accept = named[0] if named else "application/json"
    without = "sends XML" if is_xml else f"answers {page.status}"
    discovery.add("header", f"Accept: {accept}", f"without it, the API {without}")
    client.given = replace(client.given, headers={**client.given.headers, "Accept": accept})
    return client.ask(again=True)


def _is_other_error(group: Sequence[Attempt], page: Page) -> bool:
    """Return whether a page is an error for another reason than the key or its parameter."""
    if not page.is_answer or needs_key(page):
        return False
    words = page.said.lower()
    return not any(str(each.config.get("name", "?")).lower() in words for each in group)


def reach(discovery: Discovery) -> Page | None:
    """Return page 1, with the key if there is one; None if a question must be answered first.

    Raises:
        ApiError: the API cannot be reached, or does not accept the key.
    """
    client, keys = discovery.client, discovery.options.keys
    wanted = _wanted_auth(discovery)
    given = auth.complete_auth(discovery.given.key, keys, wanted)
    config = given.config if given else {}
    if config.get("type") == "oauth2_client_credentials" and not config.get("access_token_url"):
        setting = "auth.access_token_url"
        text = f"At which address does the API give out tokens? --set {setting}=https://..."
        discovery.question(setting, text)
        return None
    if discovery.options.get("auth") == "none" or not (given.secrets if given else keys):
        page = follow(discovery, client.ask())
        if needs_key(page):
            discovery.question("key", f"The API wants a key: {_describe_refusal(page)}")
            return None
        return _require(discovery, page)
    search = KeySearch(discovery)
    is_said = wanted or discovery.options.openapi is None  # else by a file, which may tell less
    is_place_known = given is not None and ((given.is_given and is_said) or len(keys) != 1)
    usual = () if is_place_known else search.groups(keys[0].split()[-1])
    found = search.find(chain([[given]] if given else [], usual))
    anonymous = search.anonymous
    if found:
        discovery.attempt, page = found
        discovery.variables.update(discovery.attempt.variables(discovery.source))
        without = "otherwise" if page.differs(anonymous) else "the same"
        without = without if anonymous.is_ok else str(anonymous.status)
        evidence = f"accepted; without it the API answers {without}"
        discovery.add("key", discovery.attempt.name, evidence)
        return _require(discovery, page)
    if anonymous.is_ok and not needs_key(anonymous):
        text = (
            "The answer is the same with the key and without, however it was sent: the API may "
            "show only public events. Read it without the key?"
        )
        # also where `--set auth.name` names a place, which may be wrong
        discovery.questions.append(Question("auth", text, {"without a key": {"auth": "none"}}))
        client.session.set_auth(None)
        return client.ask()
    if not needs_key(anonymous):
        return _require(discovery, anonymous)
    help_ = (
        "Check the key; if it is right, look up how it is sent: give it with the word before it, "
        "if there is one (`Token KEY`), name its place by --auth and --set auth.name=..., or give "
        "the documentation's curl command to --curl."
    )
    shown, others = ", ".join(search.tried[:MAX_SHOWN]), search.tried[MAX_SHOWN:]
    shown += f", and in {len(others)} other places" if others else ""
    refusal = _describe_refusal(anonymous)
    if SIGNED.search(refusal):
        help_ = "If it wants each request signed by the key, it cannot be connected: no auth does."
    where = discovery.given.base_url
    raise ApiError(f"The API at {where} did not accept the key, sent as {shown}: {refusal} {help_}")


def _describe_refusal(page: Page) -> str:
    """Return what a response says about the key that it misses, in the API's own words."""
    headers = {} if page.response is None else page.response.headers
    challenge = headers.get("WWW-Authenticate", "")
    named = f" (`WWW-Authenticate: {challenge[:60]}`)" if challenge else ""
    return f"it answered {page.status}{named}.{page.said}"


def _wanted_auth(discovery: Discovery) -> dict[str, Any] | None:
    """Return the `auth` that the options name, perhaps only by its type."""
    setting = discovery.options.get("auth")
    if isinstance(setting, str):
        return None if setting == "none" else {"type": setting}
    named = {"type": discovery.options.auth} if discovery.options.auth else {}
    return {**named, **(setting or {})} or None


def _require(discovery: Discovery, page: Page) -> Page:
    """Return a page, which must be JSON, with the parameters of pages that the API demands.

    Raises:
        ApiError: it is none.
    """
    client = discovery.client
    while page.status in UNKNOWN_NAMES:
        named = {*re.findall(r"[\w$\[\]]+", page.said)} - {*client.given.params}
        demanded = {name: first for name, first in FIRST_PAGE.items() if name in named}
        if not demanded:
            break
        status, given = page.status, client.given
        for first in (0, 1):  # which a page may be counted from
            demanded |= {name: first for name in demanded if name in PAGES}
            client.given = replace(given, params={**given.params, **demanded})
            page = client.ask()
            if page.is_ok and find_records(page.document):
                break
        shown = ", ".join(f"{name}={value}" for name, value in demanded.items())
        discovery.add("parameters", shown, f"without, the API answers {status}")
    if page.is_ok:
        return page
    where = redact_url(client.given.url if page.response is None else page.response.url)
    if page.status == HTTPStatus.OK:
        raise ApiError(
            f"The answer of {where} {describe_format(page.text)}: give the URL of a request in the "
            "API's documentation, with what asks for JSON, such as `?format=json`."
        )
    if page.status and page.is_rejected:
        help_ = "check the URL, and whether it lacks parameters."
        if SIGNED.search(page.said):
            help_ = "its key signs each request, which no auth does."
        raise ApiError(
            f"The API at {where} answered {status_text(page.status)}; {help_}{page.said}"
        )
    raise ApiError(page.error)
