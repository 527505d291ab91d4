"""The key: where it comes from, and how it goes into a request."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import quote, urlencode

import pendulum
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from requests import PreparedRequest
from requests.auth import AuthBase

from event_assets.config.source import SourceConfig
from event_assets.http.credentials import SECRETS, env_var_name, require_secret
from event_assets.http.errors import SET_BY
from event_assets.http.session import ReadAheadSession
from event_assets.values.errors import ApiError
from event_assets.values.urls import redact_url


@contextmanager
def build_auth(source: SourceConfig, config: Any, key: str | None) -> Iterator[AuthBase | None]:
    """Make what adds a source's key to its requests, for as long as these are made.

    Args:
        source: whose key it is.
        config: dlt's `auth` configuration.
        key: the key; None: what dlt's secrets hold.

    Raises:
        ConfigError: when there is none, and one is needed.
    """
    if config is None:
        yield None
        return
    given = {"type": config} if isinstance(config, str) else dict(config)
    kind = given.pop("type", "bearer")
    asked = {name: names for name, names in SECRETS[kind].items() if given.get(name) is None}
    for name, names in asked.items():
        given[name] = key or require_secret(source, names)
    if kind == "oauth2_client_credentials":
        with ReadAheadSession(given.get("access_token_url") or "", concurrency=1) as session:
            yield _with_secret_name(
                _ThreadSafeOAuth2(session=session, **given), source, asked.values()
            )
    else:
        yield _with_secret_name(_build(kind, given), source, asked.values())


def _with_secret_name(
    auth: AuthBase, source: SourceConfig, asked: Collection[tuple[str, ...]]
) -> AuthBase:
    """Note with a key how it is set, for when the API refuses it."""
    names = [of[0] if len(asked) > 1 else of[-1] for of in asked]
    vars(auth)[SET_BY] = " and ".join(env_var_name(source, name) for name in names)
    return auth


def _build(kind: str, given: dict[str, Any]) -> AuthBase:
    place = given.get("location", "header")
    if kind == "api_key" and place in ("query", "param"):
        return _QueryAuth(given.get("name") or "api_key", given["api_key"])
    if kind == "api_key" and place == "cookie":
        return _CookieAuth(given.get("name") or "api_key", given["api_key"])
    kinds = {"api_key": APIKeyAuth, "bearer": BearerTokenAuth, "http_basic": HttpBasicAuth}
    return cast("AuthBase", kinds[kind](**given))


class _QueryAuth(AuthBase):
    """Adds the key to the query, without building the URL anew as dlt's own class does."""

    def __init__(self, name: str, key: str) -> None:
        self.api_key = key
        self._added = urlencode({name: key})

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = request.url or ""
        if self._added not in url:  # a link to the next page may hold it already
            request.url = f"{url}{'&' if '?' in url else '?'}{self._added}"
        return request


class _CookieAuth(AuthBase):
    """Adds the key to the cookies, which dlt's own class does not do."""

    def __init__(self, name: str, key: str) -> None:
        self.api_key = key
        self._added = f"{name}={quote(key)}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        others = request.headers.get("Cookie")
        request.headers["Cookie"] = f"{others}; {self._added}" if others else self._added
        return request


class _ThreadSafeOAuth2(OAuth2ClientCredentials):
    """Fetches a token when there is none, once for all threads, by the retry policy."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        with self._lock:
            return super().__call__(request)

    def obtain_token(self) -> None:
        """Fetch a token: with the secret in the body, or else as the user and password.

        Raises:
            ApiError: when there is none.
        """
        place = redact_url(self.access_token_url)
        asked = self.build_access_token_request()
        answer = self.session.post(self.access_token_url, **asked)
        if answer.status_code in (400, 401):
            form = asked["data"]  # the id stays: some servers want it in both places
            user = quote(form["client_id"], safe=""), quote(form.pop("client_secret"), safe="")
            answer = self.session.post(self.access_token_url, **asked, auth=user)
        if not answer.ok:
            names = vars(self).get(SET_BY) or "CLIENT_ID and CLIENT_SECRET"
            raise ApiError(
                f"The API's token address {place} answered {answer.status_code}: set {names} "
                "(in .env or the environment) to what it accepts."
            )
        document = answer.json() if _is_json(answer) else None
        if not isinstance(document, dict) or not document.get("access_token"):
            raise ApiError(
                f"The API's token address {place} sent no `access_token`; check "
                "`access_token_url` in defs.yaml."
            )
        self.access_token = self.parse_access_token(document)
        self._expire_after(document)

    def _expire_after(self, document: dict[str, Any]) -> None:
        seconds = self.parse_expiration_in_seconds(document)
        early = min(30, seconds // 10)  # a token that ends on the way is no use
        self.token_expiry = pendulum.now().add(seconds=seconds - early)


def _is_json(answer: Any) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True
