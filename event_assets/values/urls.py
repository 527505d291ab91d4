"""Parts of a URL without secrets."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from event_assets.values.redaction import KNOWN

SCHEME_PORTS = {"http": 80, "https": 443}
HOST = re.compile(  # no second scheme, and no label that is empty or that requests refuses
    r"\[|(?!https?:(?!\d))[^.:%*]+(?:\.[^.:%*]+)*\.?(?::|$)"
)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# An `@` behind the host, or a sign that a URL cannot have before it, is one of a password.
PROXY = re.compile(
    r"((https?|socks\w*)://((?P<user>[^/?#\\\[\]]*)@)?)?(?P<host>[^\s/?#\\@]+)(/(?!/)[^@]*)?",
    re.IGNORECASE,
)
IN_BRACKETS = re.compile(r"\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z]+)?\](:\d*)?")


def find_address_problem(url: str) -> str | None:
    """Return what an address of an API must be and is not, to follow its name; None: it is fine."""
    host = re.split("[/?#]", url.partition("://")[2])[0].rpartition("@")[2]
    if re.search(r"\s", url):
        return "must not hold blanks or line breaks"
    if ({*"[]"} & {*host} or host.count(":") > 1) and not IN_BRACKETS.fullmatch(host):
        return "must have an IPv6 address in brackets, as in http://[::1]:8000"
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        has_port = False
    if not url.lower().startswith(("http://", "https://")) or not HOST.match(host):
        found = f", not `{origin(url)}`" if SCHEME.match(url) else ""  # else it may be a key
        return f"must be a URL such as https://api.example.com{found}"
    if not has_port:
        return "must have a port from 1 to 65535 behind the host, or none"
    if parts.username or parts.password:
        return "must not hold a user or password: use `auth`"
    return None


def is_proxy_url(url: str) -> bool:
    """Return whether requests can use the URL of a proxy, and no part of a password is its host."""
    found = PROXY.fullmatch(url)
    if not found or find_address_problem(f"http://{found['host']}"):
        return False
    user = unquote(found["user"] or "")  # it is sent in a header, in Latin-1
    return user.encode("latin-1", "replace").decode("latin-1") == user


def origin(url: str) -> str:
    """Return the scheme, if any, host and port of a URL, without user and password."""
    try:
        parts = _split(url)
    except ValueError:  # a bracket that is not closed
        return ""
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return scheme + parts.netloc.rpartition("@")[2].lower()


def _split(url: str) -> SplitResult:
    """Split a URL; one without a scheme begins with its host, as that of a proxy."""
    return urlsplit(url if SCHEME.match(url) else f"//{url}")


def is_same_api(url: str, other: str) -> bool:
    """Return whether two URLs have the same host, port and path, whatever their schemes.

    A URL without a path is the same as one with any: only servers were recorded once.
    """
    paths = {urlsplit(url).path, urlsplit(other).path} - {""}
    return _server(url) == _server(other) and len(paths) < 2


def has_same_server(url: str, other: str) -> bool:
    """Return whether two URLs have the same host and port, whatever their schemes."""
    try:
        return _server(url) == _server(other)
    except ValueError:  # no port has that number
        return False


def _server(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, None if parts.port == SCHEME_PORTS.get(parts.scheme) else parts.port


def redact_url(url: str | None) -> str:
    """Return a URL without user, password and query, and without a secret in its path."""
    shown = f"{origin(url or '')}{_split(url or '').path}"
    return KNOWN.redact_content(shown.encode(errors="replace")).decode()
