"""Find the number of a page or row in a link or cursor, and set it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

from event_assets.pagination.vocabulary import SIZE, names_pointer, plain_name

NUMBER = re.compile(r"\d{1,12}")
# In a link, `?page=2`, `/page/2`, or a part of the path but the version of the API.
NAMED_VALUE = re.compile(
    r"(?<=[?&])([^=&#]+)=([^&#]*)"
    r"|(?<!/)/(?:([A-Za-z_-]+)/)?((?!v\d+\b)[^/?#]*\d[^/?#]*)(?=[/?#]|$)"
)
COUNTS_PAGES = frozenset(("page", "pagenumber", "pagenum", "pageno", "p", "pageindex", "pg"))
LARGEST_PAGE = 1000
COUNTS_ROWS = frozenset(("offset", "skip", "start", "startindex", "startat", "from", "pageoffset"))


class Counter(NamedTuple):
    """A number in a pointer, between `head` and `tail` of a part that may be encoded."""

    param: str  # the name of the parameter, or in a path the part before it
    before: str  # with `after`, the rest of the pointer
    head: str
    value: int
    tail: str
    after: str
    encoding: str  # of the part: none, `base64`, or another one, which is only read

    @property
    def name(self) -> str:
        """The plain name before the number, or that of the parameter."""
        words = re.findall(r"[A-Za-z_-]+", self.head)
        return plain_name(words[-1] if words else self.param)

    @property
    def is_alone(self) -> bool:
        """Whether no letter is next to the number, or hardly any is in the whole text."""
        is_in_word = any(map(str.isalnum, self.head[-1:] + self.tail[:1]))
        return not is_in_word or len(self.head + self.tail) < 2

    @property
    def form(self) -> tuple[object, ...]:
        """What pointers to two pages have in common."""
        return self.param, self.head, self.tail, self.encoding

    def at(self, value: int) -> str:
        """Return the pointer with another number."""
        text = f"{self.head}{value}{self.tail}"
        if self.encoding:
            text = b64encode(text.encode()).decode()
            text = quote(text, safe="") if self.before or self.after else text
        return f"{self.before}{text}{self.after}"


def find_counters(
    pointer: object, sent: Collection[tuple[str, str]] = (), param: str = ""
) -> list[Counter]:
    """Return the numbers in a pointer that may count pages or rows.

    Args:
        sent: the named values of the first request, which are the same for each page.
        param: the name of the parameter in which a cursor is sent.
    """
    text = str(pointer)
    found = [(param, 0, len(text))]
    if "?" in text or text.startswith(("/", "http")):
        found = list(_find_values(text))
    return [
        counter
        for name, start, end in found
        if not SIZE.fullmatch(plain_name(name)) and (name, unquote(text[start:end])) not in sent
        for counter in _counters_in(name, text[:start], text[start:end], text[end:])
    ]


def named_values(link: str) -> set[tuple[str, str]]:
    """Return the parameters of a link, and the parts of its path with the names before them."""
    return {(name, unquote(link[start:end])) for name, start, end in _find_values(link)}


def _find_values(link: str) -> Iterator[tuple[str, int, int]]:
    for found in NAMED_VALUE.finditer(link):
        at = 2 if found[1] else 4
        yield unquote(found[at - 1] or ""), found.start(at), found.end(at)


def find_left_out(link: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the first request that a link to a numbered page leaves out.

    Such an API may know the filter, the order and the size of pages from each request alone.
    """
    names = {plain_name(name) for name, _ in named_values(link)}
    if names.isdisjoint(COUNTS_PAGES | COUNTS_ROWS):
        return {}
    has_size = any(map(SIZE.fullmatch, names))
    return {
        name: value
        for name, value in sent.items()
        if (plain := plain_name(name)) not in names
        and not (has_size and SIZE.fullmatch(plain))
        and not (plain in COUNTS_PAGES | COUNTS_ROWS and str(value).strip("[']") in ("0", "1"))
    }


def leads_further(link: object, url: str, size: int) -> bool:
    """Return whether a link, whatever its name, leads from a page of `size` rows to a later one.

    It has the same path, and a higher number that counts pages or rows, or another cursor.
    """
    if not isinstance(link, str) or "?" not in link:
        return False
    with suppress(ValueError):
        own, other = urlsplit(url), urlsplit(urljoin(url, link))
        values = {counter.form: counter.value for counter in find_counters(url)}
        found = [one for one in find_counters(link) if one.value > values.get(one.form, 1)]
        is_counted = any(
            one.name in COUNTS_PAGES | COUNTS_ROWS or (one.is_alone and one.value in (2, size))
            for one in found
        )
        names = (name for name, _ in {*parse_qsl(other.query)} - {*parse_qsl(own.query)})
        return own.path == other.path and (is_counted or any(map(names_pointer, names)))
    return False


def _counters_in(param: str, before: str, text: str, after: str) -> Iterator[Counter]:
    plain = unquote(text)
    decoded = _decode(plain)
    # the parts of a JWT, hexadecimal digits, and what is encoded twice
    nested = [_decode(part) for part in (*plain.split("."), decoded)]
    nested += [_decode(part, is_hex=True) for part in (plain, decoded)]
    shown = [(text, ""), (decoded, "base64"), *((part, "another") for part in nested)]
    for part, encoding in shown:
        for found in NUMBER.finditer(part):
            head, tail = part[: found.start()], part[found.end() :]
            yield Counter(param, before, head, int(found[0]), tail, after, encoding)


def _decode(text: str, *, is_hex: bool = False) -> str:
    """Return the text that is encoded in base64, or in hexadecimal digits; empty if none is."""
    with suppress(ValueError):
        whole = text + "=" * (-len(text) % 4)
        plain = bytes.fromhex(text) if is_hex else b64decode(whole, b"-_", validate=True)
        decoded = plain.decode()
        return decoded if decoded.isprintable() else ""
    return ""


def find_row_counter(counters: list[Counter], rows: int) -> tuple[Counter, int] | None:
    """Return the counter of a pointer behind the first `rows` rows, and the number of row 0.

    A number that is not named so may be a key, or part of a token that the API alone can make.
    """
    for counter in counters:
        base = counter.value - rows
        is_named = counter.name in COUNTS_ROWS and counter.encoding in ("", "base64")
        if rows > 1 and is_named and base in (0, 1):
            return counter, base
    return None


def counts(counters: list[Counter], before: list[Counter], pages: int, size: int) -> bool:
    """Return whether the pointer behind `pages` pages, the last of `size` rows, may count them.

    It does by its name, by a number that stands alone, or by its step from the pointer before.
    Behind the first page, a number may be that of its rows and of those that were taken out of it.
    """
    values = {counter.form: counter.value for counter in before}
    return any(
        c.name in COUNTS_PAGES | COUNTS_ROWS
        or (c.is_alone and c.value in (pages, pages + 1))
        or (c.is_alone and pages == 1 and size - 1 <= c.value <= LARGEST_PAGE)
        or c.value - values.get(c.form, c.value) in (1, size or 1)
        for c in counters
    )
