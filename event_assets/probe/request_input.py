"""Read what people copy: an address with a key in it, a curl command, an example of the docs."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from event_assets.config.settings import SECRET_PARAMETERS
from event_assets.probe.authentication import NO_KEY, Attempt, basic, bearer, by_name
from event_assets.probe.curl import CurlCommand, read_curl
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import find_random_words, looks_random
from event_assets.values.urls import find_address_problem

KEY_PARAM = re.compile(
    r".*(key|token|secret|schl(ue|ü)ssel|clave|chave|chiave|sleutel)|client_id|app_?id|auth"
    r"|signature|sig|password|passwort|code|cl[eé]",
    re.IGNORECASE,
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
# What curl and browsers send to any server, but `Accept` with one version of an API, and an agent
# that names who asks, as some want.
DROPPED_HEADER = re.compile(
    r"(accept: (?!.*application/vnd\.)|user-agent: (mozilla|curl|postman|insomnia)"
    r"|(accept-encoding|cache-control|connection|dnt|host|origin|content-(length|type)|if-[\w-]+"
    r"|pragma|priority|referer|sec-[\w-]+|te|upgrade-insecure-requests): )",
    re.IGNORECASE,
)
SLUG = re.compile(r"([A-Z]?[a-z]+|\d+)([-_]([A-Z]?[a-z]+|\d+)){2,}")  # no random part
PAGE_IN_PATH = re.compile(r"/pages?/\d{1,6}/?$", re.IGNORECASE)
# A request of another program, or Markdown; in the query of a URL, blanks are well meant.
OTHER_TEXT = re.compile(r"[^?]*(\s|[(\"']https?://)", re.IGNORECASE)
INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
UNFILLED = re.compile(  # of documentation
    r"[<{]{1,2}[A-Za-z_ .-]+\d?[>}]{1,2}|<[A-Za-z_]+|:[A-Za-z_]\w*|YOUR_\w+"
)
AROUND = " \t\r\n'\"<>`\u201c\u201d\u2018\u2019.,;"  # an address in a text
LOCAL_HOST = re.compile(r"(localhost|127\.|\[::1\]|0\.0\.0\.0|192\.168\.|10\.)")


@dataclass(frozen=True)
class RequestInput:
    """A request as it was given, without its key."""

    url: str  # with its path, without query, user and fragment
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    form: Any = None
    key: Attempt = NO_KEY  # how it is sent, and its secrets, as far as they were given
    known_params: Mapping[str, bool] = field(default_factory=dict)  # names; whether a number
    left_out: Mapping[str, Any] = field(default_factory=dict)  # parameters that may name a page
    other_keys: Sequence[str] = field(default=(), repr=False)  # which stay where they are

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
    def has_path(self) -> bool:
        """Whether the address has a path, and not only that of a version."""
        return not re.fullmatch(r"(/api)?(/v\d)?/?", urlsplit(self.url).path)

    @property
    def random_part(self) -> str:
        """The part of the path that looks random, as keys do; empty: none does."""
        words = find_random_words(urlsplit(self.url).path)
        return next((word for word in words if not SLUG.fullmatch(word)), "")


def refuse_secrets(
    params: Any = None, headers: Any = None, auth: Any = None, body: Any = None
) -> None:
    """Raise if settings hold a key, which would be in defs.yaml.

    Raises:
        ConfigError: they do.
    """
    named = [_find_secret(params), *filter(KEY_HEADER.fullmatch, headers or ())]
    named += [_find_secret(body), *(SECRET_SETTINGS & {*(auth or ())})]
    for name in filter(None, named):
        raise ConfigError(
            f"`{name}` holds a key, which would be in defs.yaml: give it by --key-from-env or in "
            "the URL, or write the source by hand, with `{{ env.API_KEY }}` in its place."
        )


def take_out_random(given: RequestInput) -> RequestInput:
    """Take a value that looks random, as keys do, out of a request."""
    values = [("query", *one) for one in given.params.items()]
    values += [("header", *one) for one in given.headers.items()]
    for location, name, value in values:
        if isinstance(value, str) and looks_random(value):
            return _take_out_keys(given, [by_name(location, name, value)])
    return replace(given, other_keys=[*filter(None, [given.random_part])])


def parse_input(url: str | None, curl: str | None = None) -> RequestInput:
    """Return the request that an address, or a curl command, stands for.

    Raises:
        ConfigError: neither is one.
    """
    text = INVISIBLE.sub("", curl or url or "").strip()
    text = re.sub(r"^[$>]\s+", "", text)  # the prompt of a shell
    if curl or text.lower().startswith("curl "):
        command = read_curl(text)
    else:
        line = re.fullmatch(r"(?:(GET|POST)\s+)?(.*?)(?:\s+HTTP/[\d.]+)?", text, re.DOTALL)
        method, address = line.groups() if line else (None, text)
        if OTHER_TEXT.match(_trim(address)):
            raise ConfigError(
                "The URL must not hold blanks: give it alone, with the key by --key-from-env, or "
                "give the request as curl, as browsers and Postman copy it (Copy as cURL)."
            )
        command = CurlCommand(address, method or "GET")
    given, user = _read_address(command.address)
    if curl and url:
        given = replace(given, url=_read_address(url)[0].url)
    keys = [basic(one) for one in (*filter(None, [user]), *command.users)]
    keys += [
        by_name("query", name, one) for name, one in given.params.items() if _is_key_name(name)
    ]
    headers: dict[str, str] = {}
    cookies = [*command.cookies]
    for header in command.headers:
        name, _, value = (part.strip() for part in header.partition(":"))
        key = _read_header(name, value)
        keys += [key] if key else []
        if name.lower() == "cookie":
            cookies.append(value)
        elif "name" in key.config if key else not DROPPED_HEADER.match(f"{name}: {value}"):
            headers[name] = value
    if cookies and not keys:
        keys = [by_name("header", "Cookie", "; ".join(cookies))]
    body = _parse_body(command.data)
    return _take_out_keys(replace(given, method=command.method, headers=headers, body=body), keys)


def _trim(text: str) -> str:
    """Return an address without what is around it, but with a quote that ends a text in it."""
    address = text.strip(AROUND)
    behind = text[text.find(address) + len(address) :][:1]
    is_own = behind in ("'", '"') and address.count(behind) % 2
    return address + behind if is_own else address


def _read_address(text: str) -> tuple[RequestInput, str]:
    """Return the request for an address, and the user and password in it."""
    text = _trim(text).replace("&amp;", "&")
    if "://" not in text:
        text = f"{'http' if LOCAL_HOST.match(text) else 'https'}://{text.removeprefix('//')}"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ConfigError(f"The URL {find_address_problem(text)}.") from None
    user, _, host = parts.netloc.rpartition("@")
    address = f"{parts.scheme.lower()}://{host}{parts.path}"
    query = parse_qs(parts.query, keep_blank_values=True)
    values = chain(*(values for name, values in query.items() if not _is_key_name(name)))
    for value in (*unquote(address).split("/"), *values):
        if UNFILLED.fullmatch(value):
            raise ConfigError(
                f"The URL is not complete: `{value}` in it stands for a value; put yours there."
            )
    if problem := find_address_problem(address):
        raise ConfigError(f"The URL {problem}.")
    if PAGE_IN_PATH.search(parts.path):
        raise ConfigError(
            "The URL has the number of a page in its path, which no paginator counts: give it "
            "without, if the API has the list there, too."
        )
    params = {
        name: values if values[1:] and not _is_key_name(name) else values[-1]
        for name, values in query.items()
    }
    return RequestInput(address, params=params), unquote(user)


def _read_header(name: str, value: str) -> Attempt | None:
    scheme, _, token = value.partition(" ")
    if name.lower() == "authorization" and scheme.lower() == "bearer":
        return bearer(token.strip())
    if name.lower() == "authorization" and scheme.lower() == "basic":
        with suppress(ValueError):
            return basic(b64decode(token).decode())
    return by_name("header", name, value) if KEY_HEADER.fullmatch(name) else None


def _take_out_keys(given: RequestInput, found: Sequence[Attempt]) -> RequestInput:
    """Take one of the keys out of a request; an auth sends one only, and the others stay."""
    keys = [
        replace(key, secrets={name: one for name, one in key.secrets.items() if _is_real(one)})
        for key in found
    ]
    real = [key for key in keys if key.secrets]
    unnamed = [key for key in real if "name" not in key.config]
    chosen = next(iter((*unnamed, *reversed(real), *reversed(keys))), NO_KEY)
    left = [key for key in real if "name" in key.config and key.place != chosen.place]
    gone = {key.place for key in keys} - {key.place for key in left}
    return replace(
        given,
        params={name: one for name, one in given.params.items() if ("query", name) not in gone},
        headers={name: one for name, one in given.headers.items() if ("header", name) not in gone},
        key=chosen,
        other_keys=[key.secrets["api_key"] for key in left],
    )


def _is_key_name(name: str) -> bool:
    return bool(KEY_PARAM.fullmatch(name) and not NO_SECRET.fullmatch(name))


def _is_real(value: str) -> bool:
    return bool(value) and not PLACEHOLDER.fullmatch(value)


def _parse_body(data: str) -> Any:
    if not data:
        return None
    try:
        body = json.loads(data)
    except ValueError:
        raise ConfigError(
            "The body of the curl command is not JSON, and pages of a form are not read: give its "
            "fields in the URL, by --get, or as JSON, if the API takes them so."
        ) from None
    refuse_secrets(body=body)
    return body


def _find_secret(body: Any) -> str | None:
    """Return the name of a member of a JSON body that is a secret, or None."""
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if isinstance(value, str) and _is_key_name(name) and _is_real(value):
            return str(name)
        if found := _find_secret(value):
            return found
    return None
