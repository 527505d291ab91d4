"""Read what people copy: an address with a key in it, a curl command, an example of the docs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from event_assets.config.settings import SECRET_PARAMETERS
from event_assets.probe.curl import read_curl
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import find_random_words, looks_random
from event_assets.values.urls import find_address_problem

KEY_PARAM = re.compile(
    r".*(key|token|secret)|client_id|app_?id|auth|signature|sig|password|code", re.IGNORECASE
)
NO_SECRET = re.compile(  # of pages, of an order, or the ids of things
    r"((next|page|prev|continuation|sync|cursor).*|(sort|start|last|order)[_-]?)(token|key)"
    r"|(event|organi[sz]er|calendar|venue|artist|category|webinar)[_-]?key",
    re.IGNORECASE,
)
KEY_HEADER = re.compile(
    r".*(key|token|secret|auth|password|credential|session).*(?<!version)", re.IGNORECASE
)
PLACEHOLDER = re.compile(
    r"[<{\[$].*[>}\]]|\$\w+|\W*(your|my)[ _-].*|x{3,}|\.{3}|\*{3,}|(api[_-]?)?(key|token)",
    re.IGNORECASE,
)
SECRET_SETTINGS = SECRET_PARAMETERS.keys() - {"username", "client_id"} | {"access_token"}
DROPPED_HEADERS = {
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "host",
    "origin",
    "pragma",
    "priority",
    "referer",
    "user-agent",
}
LOCAL_HOST = re.compile(r"(localhost|127\.|\[::1\]|0\.0\.0\.0|192\.168\.|10\.)")


@dataclass(frozen=True)
class RequestInput:
    """A request as it was given, without its key.

    Attributes:
        url: with its path, without query, user and fragment.
        auth: dlt's configuration of the auth that was given, without secrets; None: none was.
        secrets: the parameters of that auth that are secret, by dlt's names.
        known_params: names of parameters that the API's description lists.
        left_out: parameters of the address that may be the number of a page, with their values.
        first_page_url: the address of page 1, if the number of a page was in the path of the url.
        other_keys: the keys beside that auth, which stay in the path, the query or a header.
    """

    url: str
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Any = None
    auth: Mapping[str, str] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    known_params: Sequence[str] = ()
    left_out: Mapping[str, Any] = field(default_factory=dict)
    first_page_url: str = ""
    other_keys: Sequence[str] = field(default=(), repr=False)

    @property
    def base_url(self) -> str:
        """The address without the last part of its path."""
        parts = urlsplit(self.url)
        head, _, _ = parts.path.rstrip("/").rpartition("/")
        return f"{parts.scheme}://{parts.netloc}{head}"

    @property
    def path(self) -> str:
        """The last part of the path, which leads from the base URL to the list."""
        return self.url.removeprefix(self.base_url) or "/"

    @property
    def random_part(self) -> str:
        """The part of the path that looks random, as keys do; empty: none does."""
        return next(iter(find_random_words(urlsplit(self.url).path)), "")


def refuse_secrets(params: Any, headers: Any, auth: Any, body: Any) -> None:
    """Raise if settings hold a key, which would be in defs.yaml.

    Raises:
        ConfigError: they do.
    """
    named = [_find_secret(params), *filter(KEY_HEADER.fullmatch, headers or ())]
    named += [_find_secret(body), *(SECRET_SETTINGS & {*(auth or ())})]
    for name in filter(None, named):
        raise ConfigError(
            f"`{name}` holds a key, which would be in defs.yaml by --set: give it by "
            "--key-from-env, in the address, or in a curl command."
        )


def take_out_random(given: RequestInput) -> RequestInput:
    """Take a value that looks random, as keys do, out of a request."""
    for location, values in (("query", given.params), ("header", given.headers)):
        for name, value in values.items():
            if isinstance(value, str) and looks_random(value):
                left = {other: one for other, one in values.items() if other != name}
                is_param = location == "query"
                rest = replace(given, params=left) if is_param else replace(given, headers=left)
                return _with_key(rest, name, location, value)
    return replace(given, other_keys=[*filter(None, [given.random_part])])


def parse_input(url: str | None, curl: str | None = None) -> RequestInput:
    """Return the request that an address, or a curl command, stands for.

    Raises:
        ConfigError: neither is one.
    """
    given = _parse_curl(curl) if curl else _parse_url(url or "")
    if curl and url:
        given = replace(given, url=_parse_url(url).url)
    return given


def _parse_url(text: str) -> RequestInput:
    text = text.strip().strip("'\"<>").strip()
    if text.lower().startswith("curl "):
        return _parse_curl(text)
    found = re.match(r"(GET|POST)\s+", text)
    text = text[found.end() :] if found else text
    if "://" not in text:
        text = f"{'http' if LOCAL_HOST.match(text) else 'https'}://{text}"
    parts = urlsplit(text)
    user, at, host = parts.netloc.rpartition("@")
    address = f"{parts.scheme.lower()}://{host}{parts.path}"
    if problem := find_address_problem(address):
        raise ConfigError(f"The URL {problem}.")
    given = RequestInput(address, found[1] if found else "GET")
    if at:
        given = _with_basic(given, unquote(user))
    for name, values in parse_qs(parts.query, keep_blank_values=True).items():
        if _is_key_name(name):
            given = _with_key(given, name, "query", values[-1])
        else:
            value = values if values[1:] else values[0]
            given = replace(given, params={**given.params, name: value})
    return given


def _with_key(given: RequestInput, name: str, location: str, value: str) -> RequestInput:
    auth = {"type": "api_key", "name": name, "location": location}
    return _with_auth(given, auth, api_key=value)


def _with_basic(given: RequestInput, credentials: str) -> RequestInput:
    user, _, password = credentials.partition(":")
    auth = {"type": "http_basic"} | ({} if password else {"password": ""})
    return _with_auth(given, auth, username=user, password=password)


def _with_auth(given: RequestInput, auth: Mapping[str, str], **secrets: str) -> RequestInput:
    """Take secrets out of a request: their place is known now, even if they were placeholders."""
    known: Mapping[str, str] = {name: one for name, one in secrets.items() if _is_real(one)}
    if known and given.secrets:
        given, auth, known = _leave_in_place(given, auth, known)
    return replace(given, auth=auth, secrets=known)


def _leave_in_place(
    given: RequestInput, auth: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[RequestInput, Mapping[str, str], Mapping[str, str]]:
    """Leave one of two keys where it is, as an auth sends one only; return that of the other."""
    ways = [(given.auth or {}, given.secrets), (auth, secrets)]
    (left, keys), other = sorted(ways, key=lambda way: "api_key" not in way[1])  # that has a place
    if key := keys.get("api_key"):
        name, others = left["name"], [*given.other_keys, key]
        if left["location"] == "query":
            given = replace(given, params={**given.params, name: key}, other_keys=others)
        else:
            given = replace(given, headers={**given.headers, name: key}, other_keys=others)
    return given, *other


def _is_key_name(name: str) -> bool:
    return bool(KEY_PARAM.fullmatch(name) and not NO_SECRET.fullmatch(name))


def _is_key(name: str, value: Any) -> bool:
    """Return whether a parameter is a key, by its name, and no example of one."""
    return isinstance(value, str) and _is_key_name(name) and _is_real(value)


def _is_real(value: str) -> bool:
    return bool(value) and not PLACEHOLDER.fullmatch(value)


def _parse_curl(text: str) -> RequestInput:
    command = read_curl(text)
    given = _parse_url(command.address)
    cookies = list(command.cookies)
    for header in command.headers:
        name, _, value = (part.strip() for part in header.partition(":"))
        if name.lower() == "cookie":
            cookies.append(value)
        else:
            given = _with_header(given, name, value)
    for user in command.users:
        given = _with_basic(given, user)
    if cookies and given.auth is None:
        given = _with_key(given, "Cookie", "header", "; ".join(cookies))
    return replace(given, method=command.method, body=_parse_body(command.data))


def _with_header(given: RequestInput, name: str, value: str) -> RequestInput:
    kind, _, token = value.partition(" ")
    if name.lower() == "authorization":
        if kind.lower() == "bearer":
            return _with_auth(given, {"type": "bearer"}, token=token.strip())
        if kind.lower() == "basic":
            with suppress(ValueError):
                return _with_basic(given, base64.b64decode(token).decode())
    if KEY_HEADER.fullmatch(name):
        return _with_key(given, name, "header", value)
    if name.lower() in DROPPED_HEADERS:
        return given
    return replace(given, headers={**given.headers, name: value})


def _parse_body(data: str) -> Any:
    if not data:
        return None
    try:
        body = json.loads(data)
    except ValueError:
        raise ConfigError(
            "The body of the curl command is not JSON, and pages of a form are not read: give its "
            "fields in the address, by --get, or as JSON, if the API takes them so."
        ) from None
    if name := _find_secret(body):
        raise ConfigError(
            f"The body of the curl command holds a secret (`{name}`), which would be in defs.yaml: "
            "write the source by hand, with `{{ env.API_KEY }}` in its place."
        )
    return body


def _find_secret(body: Any) -> str | None:
    """Return the name of a member of a JSON body that is a secret, or None."""
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if _is_key(name, value):
            return str(name)
        if found := _find_secret(value):
            return found
    return None
