"""Find out how an API takes its key: it is believed when the answer differs from one without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from requests.auth import AuthBase

from event_assets.config.model import unknown_name_message
from event_assets.config.source import SourceConfig
from event_assets.http.auth import build_auth
from event_assets.http.credentials import SECRET_NAMES, env_var_name
from event_assets.http.error_text import error_text
from event_assets.probe.request_input import RequestInput
from event_assets.values.errors import ConfigError

MAX_ATTEMPTS = 6
AS_GIVEN = "as given"
REJECTED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
PLACES = (
    *(("X-API-Key", "header"), ("api_key", "query"), ("key", "query"), ("apikey", "query")),
    *(("Api-Key", "header"), ("X-Auth-Token", "header"), ("token", "query")),
    *(("client_id", "query"), ("access_token", "query")),
)
KEY_WORDS = re.compile(r"api.?key|token|auth|credential|sign(ed)? in|log ?in|permission", re.I)
HEADER_NAME = re.compile(r"\bx-[a-z][\w-]*\b|\b[\w-]*api[-_]?key\b", re.IGNORECASE)
QUERY_NAME = re.compile(r"[`'\"?&]?\b(\w*key|\w*token|client_id)\b[`'\"=]?", re.IGNORECASE)


@dataclass(frozen=True)
class Attempt:
    """One way to send a key: dlt's `auth` without secrets, and the secrets by its parameters."""

    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    why: str = ""

    @property
    def is_given(self) -> bool:
        """Whether the user said that it is so."""
        return self.why == AS_GIVEN

    @property
    def name(self) -> str:
        """The way, in a few words."""
        kind = self.config["type"]
        if kind == "api_key":
            return f"the {self.config['location']} `{self.config['name']}`"
        return {"bearer": "a bearer token", "http_basic": "Basic authentication"}.get(
            kind, "OAuth2"
        )

    def variables(self, source: SourceConfig) -> dict[str, str]:
        """Return the secrets by the variables from which a sync reads them."""
        names = SECRET_NAMES[self.config["type"]]
        alone = len(names) - len([name for name in names if name in self.config]) == 1
        return {
            env_var_name(source, names[parameter][-1 if alone else 0]): value
            for parameter, value in self.secrets.items()
        }

    def build(self, source: SourceConfig, stack: ExitStack) -> AuthBase | None:
        """Return what adds the key to requests; closed with the stack."""
        return stack.enter_context(build_auth(source, {**self.config, **self.secrets}, None))


def needs_key(response: requests.Response | None) -> bool:
    """Return whether a response asks for a key, or for another one."""
    if response is None or response.ok:
        return False
    is_asking = response.status_code == HTTPStatus.BAD_REQUEST and KEY_WORDS.search(
        error_text(response)
    )
    return response.status_code in REJECTED or bool(is_asking)


class SeveralAuths(AuthBase):
    """Sends the key in several places at once."""

    def __init__(self, auths: Sequence[AuthBase]) -> None:
        self._auths = auths

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the key to a request."""
        for auth in self._auths:
            request = auth(request)
        return request


def list_places(key: str) -> list[Attempt]:
    """Return the usual places of a key that can be tried at once, the most likely first."""
    return [
        Attempt({"type": "bearer"}, {"token": key}),
        *(
            Attempt({"type": "api_key", "name": name, "location": place}, {"api_key": key})
            for name, place in PLACES
        ),
    ]


def list_attempts(
    given: RequestInput,
    keys: Sequence[str],
    kind: Mapping[str, Any] | None,
    refusal: requests.Response | None,
    tried: Sequence[Attempt] = (),
) -> list[Attempt]:
    """Return the ways to send the keys, the most likely first; at most six.

    Args:
        keys: one key, or user and password, or client id and secret.
        kind: the `auth` that the user named, complete or only by its type.
        refusal: the response without a key.
        tried: ways that did not work.
    """
    first, *rest = keys or [""]
    config = {**(kind or given.auth or {})}
    if config and given.auth and config.get("type") == given.auth.get("type"):
        config = {**given.auth, **config}
    if config:
        complete = _complete(config, keys, given.secrets)
        if complete is not None:
            return [complete]
    if not first:
        return []
    if rest:
        return [
            Attempt({"type": "http_basic"}, {"username": first, "password": rest[0]}, "two secrets")
        ]
    found: dict[str, Attempt] = {}
    for one in _guess(first, config, refusal):
        if one.config not in [each.config for each in tried]:
            found.setdefault(f"{one.config}{one.secrets}", one)
    return [*found.values()][:MAX_ATTEMPTS]


def _complete(
    config: dict[str, Any], keys: Sequence[str], known: Mapping[str, str]
) -> Attempt | None:
    """Return the attempt of a configuration that lacks only its secrets; None if it lacks more."""
    is_oauth = "access_token_url" in config
    kind = config.setdefault("type", "oauth2_client_credentials" if is_oauth else "bearer")
    if kind not in SECRET_NAMES:
        raise ConfigError(unknown_name_message(str(kind), sorted(SECRET_NAMES), "auth type"))
    if kind == "api_key" and not config.get("name"):
        return None
    config = {"location": "header", **config} if kind == "api_key" else config
    wanted = [name for name in SECRET_NAMES[kind] if config.get(name) is None]
    if kind == "http_basic" and len(keys) == 1 and wanted == ["username", "password"]:
        config, wanted = {**config, "password": ""}, ["username"]
    secrets = {**known, **dict(zip(wanted, keys, strict=False))} if keys else dict(known)
    secrets = {name: value for name, value in secrets.items() if name in wanted}
    if len(secrets) < len(wanted):
        return Attempt(config, {}, AS_GIVEN)
    return Attempt(config, secrets, AS_GIVEN)


def _guess(
    key: str, config: Mapping[str, Any], refusal: requests.Response | None
) -> Iterator[Attempt]:
    def in_place(name: str, location: str, why: str, value: str = key) -> Attempt:
        return Attempt(
            {"type": "api_key", "name": name, "location": location}, {"api_key": value}, why
        )

    usual = [
        Attempt({"type": "bearer"}, {"token": key}, "usual"),
        in_place("X-API-Key", "header", "usual"),
        in_place("api_key", "query", "usual"),
        Attempt({"type": "http_basic", "password": ""}, {"username": key}, "usual"),
        in_place("key", "query", "usual"),
        in_place("Authorization", "header", "usual"),
        in_place("Authorization", "header", "usual", f"Token {key}"),
        in_place("apikey", "query", "usual"),
    ]
    if config.get("type") == "api_key":
        usual = [one for one in usual if one.config["type"] == "api_key"]
    if " " in key:
        yield in_place("Authorization", "header", "the key has two words")
    challenge = refusal.headers.get("WWW-Authenticate", "") if refusal is not None else ""
    scheme = challenge.partition(" ")[0]
    why = f"the API asks for it (`WWW-Authenticate: {scheme}`)"
    if scheme.lower() == "bearer":
        yield Attempt({"type": "bearer"}, {"token": key}, why)
    elif scheme.lower() == "basic":
        yield Attempt({"type": "http_basic", "password": ""}, {"username": key}, why)
    elif scheme and re.fullmatch(r"[A-Za-z-]{3,20}", scheme):
        yield in_place("Authorization", "header", why, f"{scheme} {key}")
    words = error_text(refusal).partition(":")[2] if refusal is not None else ""
    said = "the API names it"
    if "bearer" in words.lower():
        yield Attempt({"type": "bearer"}, {"token": key}, said)
    if re.search(r"header\W+authorization\b", words, re.IGNORECASE):
        yield in_place("Authorization", "header", said)
    for found in HEADER_NAME.findall(words):
        is_header = found.lower().startswith("x-")
        if is_header or not re.search(r"query|param", words, re.IGNORECASE):
            yield in_place(found, "header", said)
        if not is_header:
            yield in_place(found.lower(), "query", said)
    if re.search(r"query|param|\?", words, re.IGNORECASE):
        for found in QUERY_NAME.findall(words):
            if (
                found.lower() not in ("key", "token")
                or f"{found}=" in words
                or f"`{found}`" in words
                or re.search(rf"\b(as|parameter|named|called) {found}\b", words)
            ):
                yield in_place(found, "query", said)
    yield from usual


def describe_refusal(response: requests.Response) -> str:
    """Return what a response says about the key that it misses, in the API's own words."""
    challenge = response.headers.get("WWW-Authenticate", "")
    named = f" (`WWW-Authenticate: {challenge[:60]}`)" if challenge else ""
    return f"it answered {response.status_code}{named}.{error_text(response)}"
