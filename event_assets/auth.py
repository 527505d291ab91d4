"""The key: where it comes from, and how it goes into a request."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import quote, urlencode

import dlt
import pendulum
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.typing import TSecretStrValue
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from requests import PreparedRequest
from requests.auth import AuthBase

from event_assets.accounts import in_environment
from event_assets.api_errors import SETTING, ApiError, origin, public
from event_assets.source import EventSource
from event_assets.transport import ApiSession

# Where each kind of auth takes its secrets, and the names that these have in dlt's secrets.
SECRETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "api_key": {"api_key": ("api_key",)},
    "bearer": {"token": ("api_key",)},
    "http_basic": {"username": ("api_username", "api_key"), "password": ("api_password",)},
    "oauth2_client_credentials": {
        "client_id": ("client_id",),
        "client_secret": ("client_secret",),
    },
}


class ConfigError(ValueError):
    """The configuration cannot work. The message says where and what to do."""


@contextmanager
def build_auth(source: EventSource, config: Any, key: str | None) -> Iterator[AuthBase | None]:
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
        given[name] = key or _secret(source, names)
    if kind == "oauth2_client_credentials":
        with ApiSession(given.get("access_token_url") or "", concurrency=1) as session:
            yield _named(_Tokens(session=session, **given), source, asked.values())
    else:
        yield _named(_made(kind, given), source, asked.values())


def _named(auth: AuthBase, source: EventSource, asked: Collection[tuple[str, ...]]) -> AuthBase:
    """Note with a key how it is set, for when the API refuses it."""
    names = [of[0] if len(asked) > 1 else of[-1] for of in asked]
    vars(auth)[SETTING] = " and ".join(variable(source, name) for name in names)
    return auth


def variable(source: EventSource, name: str) -> str:
    """Name the environment variable that holds a secret of a source, or of its account."""
    if source.account is not None:
        return "__".join(map(in_environment, (source.name, "accounts", source.account, name)))
    return name.upper() if source.is_default else f"{source.name}__{name}".upper()


def _made(kind: str, given: dict[str, Any]) -> AuthBase:
    place = given.get("location", "header")
    if kind == "api_key" and place in ("query", "param"):
        return _QueryKey(given.get("name") or "api_key", given["api_key"])
    if kind == "api_key" and place == "cookie":
        return _CookieKey(given.get("name") or "api_key", given["api_key"])
    kinds = {"api_key": APIKeyAuth, "bearer": BearerTokenAuth, "http_basic": HttpBasicAuth}
    return cast("AuthBase", kinds[kind](**given))


def secrets_of(source: EventSource) -> list[str]:
    """Give every secret that a source has, as far as they are set."""
    names = {name for places in SECRETS.values() for names in places.values() for name in names}
    names -= {"api_username"}
    found = [_found(place) for name in names for place in _places(source, name)]
    found += [_of_account(source, name) for name in names]
    values = [secret for secret in found if secret]
    return [*values, *(word for secret in values if " " in secret for word in secret.split())]


def secrets_in(auth: AuthBase | None) -> list[str]:
    """Give the secrets that are added to requests, as far as they are known by now."""
    names = {name for kind in SECRETS.values() for name in kind} - {"username"} | {"access_token"}
    return [str(value) for name in names if (value := getattr(auth, name, None))]


def _places(source: EventSource, name: str) -> tuple[str, str]:
    return f"{source.name}.{name}", name


def _found(place: str) -> str | None:
    try:
        return str(dlt.secrets[place]) or None
    except (KeyError, ConfigFieldMissingException):
        return None


def _of_account(source: EventSource, name: str) -> str | None:
    """Give a secret of the account that is synced, as its name is or as variables spell it.

    Raises:
        ConfigError: when another account's name is spelled the same, so that it could be its.
    """
    if source.account is None:
        return None

    def place(account: str, spell: Callable[[str], str]) -> list[str]:
        return [spell(part) for part in (source.name, "accounts", account, name)]

    for provider in dlt.secrets.config_providers:
        for spell in (str, in_environment):
            *sections, key = own = place(source.account, spell)
            found, where = provider.get_value(key, TSecretStrValue, None, *sections)
            if not found:
                continue
            for other in source.known_accounts:
                *sections, key = place(other, spell)
                if other != source.account and (
                    [*sections, key] == own
                    or provider.get_value(key, TSecretStrValue, None, *sections)[1] == where
                ):
                    raise ConfigError(
                        f"The accounts {source.account} and {other} are both spelled {where}: put "
                        f"their keys into .dlt/secrets.toml, under {_section(source)} and so on."
                    )
            return str(found)
    return None


def _section(source: EventSource) -> str:
    return f"[{source.name}.accounts.{json.dumps(source.account, ensure_ascii=False)}]"


def _secret(source: EventSource, names: tuple[str, ...]) -> str:
    for name in names:
        if found := _of_account(source, name):
            return found
    for name in names:
        for place in _places(source, name)[: 2 if _shares(source) else 1]:
            if found := _found(place):
                return found
    name = names[-1]
    if source.account is not None:
        raise ConfigError(
            f"No key for the account {source.account} of the API at {source.base_url}: set "
            f"{variable(source, name)} in .env or in the environment (or {name} in "
            f".dlt/secrets.toml, under {_section(source)})."
        )
    raise ConfigError(
        f"No key for the API at {source.base_url}: set {variable(source, name)} in .env or in the "
        f"environment (or {name} in .dlt/secrets.toml)."
    )


def _shares(source: EventSource) -> bool:
    """May a source take the key that has no name of its own? It is for EVENTS_API_URL's host."""
    shared = os.environ.get("EVENTS_API_URL") or ""
    return source.is_default or (source.base_url is not None and source.api == origin(shared))


class _QueryKey(AuthBase):
    """Adds the key to the query, without building the URL anew as dlt's own class does."""

    def __init__(self, name: str, key: str) -> None:
        self.api_key = key
        self._added = urlencode({name: key})

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = request.url or ""
        if self._added not in url:  # a link to the next page may hold it already
            request.url = f"{url}{'&' if '?' in url else '?'}{self._added}"
        return request


class _CookieKey(AuthBase):
    """Adds the key to the cookies, which dlt's own class does not do."""

    def __init__(self, name: str, key: str) -> None:
        self.api_key = key
        self._added = f"{name}={quote(key)}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        others = request.headers.get("Cookie")
        request.headers["Cookie"] = f"{others}; {self._added}" if others else self._added
        return request


class _Tokens(OAuth2ClientCredentials):
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
        place = public(self.access_token_url)
        asked = self.build_access_token_request()
        answer = self.session.post(self.access_token_url, **asked)
        if answer.status_code in (400, 401):
            form = asked["data"]  # the id stays: some servers want it in both places
            user = quote(form["client_id"], safe=""), quote(form.pop("client_secret"), safe="")
            answer = self.session.post(self.access_token_url, **asked, auth=user)
        if not answer.ok:
            names = vars(self).get(SETTING) or "CLIENT_ID and CLIENT_SECRET"
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
