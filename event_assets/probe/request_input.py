"""Read what people copy: an address with a key in it, a curl command, an example of the docs."""

from __future__ import annotations

import argparse
import base64
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from event_assets.values.errors import ConfigError
from event_assets.values.redaction import find_random_words, looks_random
from event_assets.values.urls import find_address_problem

KEY_PARAM = re.compile(
    r"(.*[_.-])?(api[_-]?)?key|.*api[_-]?key|.*token(?<!page_token)(?<!pagetoken)|.*secret|"
    r"client_id|app_?id|auth|signature|sig|password|code",
    re.IGNORECASE,
)
PAGE_TOKEN = re.compile(r"(next|page|prev|continuation|sync|cursor)[_-]?.*token", re.IGNORECASE)
KEY_HEADER = re.compile(
    r".*(key|token|secret|auth|password|credential|session).*(?<!version)", re.IGNORECASE
)
PLACEHOLDER = re.compile(
    r"[<{\[$].*[>}\]]|\$\w+|\W*(your|my)[ _-].*|x{3,}|\.{3}|\*{3,}|(api[_-]?)?(key|token)",
    re.IGNORECASE,
)
SECRET_SETTINGS = {"api_key", "token", "password", "client_secret", "access_token"}
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
CURL_OPTIONS = {  # with a value, by what they are here; those of `ignored` change nothing here
    "headers": "-H --header",
    "methods": "-X --request",
    "users": "-u --user",
    "data": "-d --data --data-raw --data-ascii --data-binary --data-urlencode --json",
    "urls": "--url",
    "tokens": "--oauth2-bearer",
    "cookies": "-b --cookie",
    "ignored": "-o --output -A --user-agent -e --referer -m --max-time --connect-timeout --retry "
    "-w -x --proxy",
}
CURL_FLAG = re.compile(
    r"-[sSLkivgfGN#]+|--(silent|show-error|location|insecure|include|verbose|globoff|fail|get"
    r"|compressed|no-buffer|progress-bar|http1\.1|http2)"
)


@dataclass(frozen=True)
class RequestInput:
    """A request as it was given, without its key.

    Attributes:
        url: with its path, without query, user and fragment.
        auth: dlt's configuration of the auth that was given, without secrets; None: none was.
        secrets: the parameters of that auth that are secret, by dlt's names.
        known_params: names of parameters that the API's description lists.
        left_out: parameters of the address that may be the number of a page, with their values.
        path_key: the part of the path that is a key; empty: none is.
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
    path_key: str = field(default="", repr=False)

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
    return replace(given, path_key=given.random_part)


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
    params: dict[str, Any] = {}
    for name, values in parse_qs(parts.query, keep_blank_values=True).items():
        if _is_key_name(name):
            given = _with_key(given, name, "query", values[-1])
        else:
            params[name] = values if values[1:] else values[0]
    return replace(given, params=params)


def _with_key(given: RequestInput, name: str, location: str, value: str) -> RequestInput:
    auth = {"type": "api_key", "name": name, "location": location}
    return _with_auth(given, auth, api_key=value)


def _with_basic(given: RequestInput, credentials: str) -> RequestInput:
    user, _, password = credentials.partition(":")
    auth = {"type": "http_basic"} | ({} if password else {"password": ""})
    return _with_auth(given, auth, username=user, password=password)


def _with_auth(given: RequestInput, auth: Mapping[str, str], **secrets: str) -> RequestInput:
    """Take secrets out of a request: their place is known now, even if they were placeholders."""
    known = {name: value for name, value in secrets.items() if _is_real(value)}
    return replace(given, auth=auth, secrets=known)


def _is_key_name(name: str) -> bool:
    return bool(KEY_PARAM.fullmatch(name) and not PAGE_TOKEN.fullmatch(name))


def _is_key(name: str, value: Any) -> bool:
    """Return whether a parameter is a key, by its name, and no example of one."""
    return isinstance(value, str) and _is_key_name(name) and _is_real(value)


def _is_real(value: str) -> bool:
    return bool(value) and not PLACEHOLDER.fullmatch(value)


def _parse_curl(command: str) -> RequestInput:
    found, others = _read_curl_options(command)
    options = [word for word in others if word.startswith("-")]
    for option in options:
        if not CURL_FLAG.fullmatch(option):  # what follows may be its value, and no address
            raise ConfigError(f"The curl command has the option `{option}`: leave it out.")
    urls = [*found.urls, *(word for word in others if word not in options)]
    if len(urls) != 1:
        raise ConfigError(f"The curl command has {len(urls) or 'no'} addresses in place of one.")
    address, data = urls[0], "&".join(found.data)
    if data and any(option == "--get" or re.match(r"-\w*G", option) for option in options):
        address, data = f"{address}{'&' if '?' in address else '?'}{data}", ""
    given = _parse_url(address)
    for header in (*found.headers, *(f"Authorization: Bearer {token}" for token in found.tokens)):
        name, _, value = (part.strip() for part in header.partition(":"))
        if name.lower() == "cookie":
            found.cookies.append(value)
        else:
            given = _with_header(given, name, value)
    for user in found.users:
        given = _with_basic(given, user)
    if found.cookies and given.auth is None:
        given = _with_key(given, "Cookie", "header", "; ".join(found.cookies))
    method = next(iter(found.methods), "POST" if data else "GET").upper()
    if method not in ("GET", "POST"):
        raise ConfigError(f"A list is read by GET or POST, not by {method}.")
    return replace(given, method=method, body=_parse_body(data))


def _read_curl_options(command: str) -> tuple[argparse.Namespace, list[str]]:
    """Return the options of a curl command that have values, as lists, and its other words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, flags in CURL_OPTIONS.items():
        parser.add_argument(*flags.split(), dest=name, action="append", default=[])
    try:
        program, *words = shlex.split(re.sub(r"\\\r?\n", " ", command)) or [""]
    except ValueError:
        raise ConfigError("The curl command has a quote that is not closed.") from None
    if program != "curl":
        raise ConfigError("This is no curl command: it must begin with `curl`.")
    try:
        return parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise ConfigError(f"The curl command has no value for {error.argument_name}.") from None


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
        raise ConfigError("The body of the curl command is not JSON.") from None
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
