"""Find an API's own words about an error."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from typing import Any

import requests

from event_assets.values.redaction import KNOWN
from event_assets.values.wording import shorten

# Members that hold the words, or an object or a list with them, by plain names, best first.
ERROR_NAMES = (
    *("errordescription", "errormessage", "errormessages", "errormsg", "errordetail", "errortext"),
    *("errors", "error", "faultstring", "fault"),
)
TEXT_NAMES = ("message", "messages", "msg", "detail", "details", "reason", "title", "description")
# Of lists that say what is wrong with each parameter, and of what names it there.
DETAIL_NAMES = ("details", "invalidparams", "invalidparameters", "violations", "validationerrors")
PLACE_NAMES = ("field", "parameter", "param", "loc", "property", "pointer", "source")
# Members beside such texts, by which a description of an error is told from a record.
COMPANIONS = re.compile(
    r"error.*|status.*|(request|trace|correlation)id|.*(ur[il]|links?|href|info)|code|type|instance"
    r"|path|timestamp|documentation|docs|help|hint|level|severity|domain|version|api|(per)?page"
    r"|total.*|count|limit|offset|quota|used|remaining"
)
# As the words about an error, these say no more than its status.
PHRASES = {status.phrase.lower() for status in HTTPStatus}
PHRASES |= {"unprocessable", "unprocessable entity", "unprocessable content"}
# In a member that is named as an error, these say that there is none.
NO_ERROR = re.compile(
    r"\s*(ok|none|null|nil|false|0|no errors?|success(ful(ly)?)?)\W*", re.IGNORECASE
)
DATA = re.compile(r"^\s*(\{|\[(?!\w+\] ))|[{\[]\s*[\"{\[]")  # broken JSON, or data in a script
BINARY = re.compile("[\x00-\x08\ufffd]")
# Of HTML or XML: an end, or what needs none; `<key>` is a placeholder.
MARKUP = re.compile(r"<([!?/]|(html|head|body|br|hr|img|li|p|td|tr)\b)", re.IGNORECASE)
# Elements of XML, or the title of a page, that hold words alone.
ELEMENT = re.compile(r"<(?:\w+:)?(\w+)[^<>]{0,200}>(?:<!\[CDATA\[)?([^<>]{1,2000}?)(?:\]\]>)?</")
PAGE = re.compile(r"<(!doctype )?html\b", re.IGNORECASE)
MAX_MARKUP = 20_000  # characters
STATUS = re.compile(r"^(error )?\d{3}\b\W*", re.IGNORECASE)


def error_text(response: requests.Response, *, is_error: bool = False) -> str:
    """Return what a response says about an error, as a sentence to append; empty if nothing.

    It is on one line, without secrets, and at most 200 characters long. Of XML, it is the text of
    one element, of a page of HTML the title. Broken JSON is not shown.

    Args:
        is_error: whether the response is about an error, whatever its status.
    """
    try:
        found = find_words(response.json(), is_error=is_error or not response.ok)
    except ValueError:
        found = response.text
        if is_page(response) or not response.ok:
            found = _find_words_in_markup(found[:MAX_MARKUP]) or found
    return quote_words(found)


def quote_words(found: str) -> str:
    """Return an API's words as a sentence to append, as `error_text` does, or nothing."""
    text = " ".join("".join(c if c.isprintable() else " " for c in found).split())
    if not text or any(kind.search(found) for kind in (DATA, MARKUP, BINARY)):
        return ""
    text = KNOWN.redact_text(text).replace('"', "'").rstrip(".")
    return f' It says: "{shorten(text)}".'


def is_page(response: requests.Response) -> bool:
    """Return whether a response is a page of HTML, as of a web server or a firewall."""
    return bool(PAGE.search(response.text[:MAX_MARKUP]))


def find_words(document: Any, *, is_error: bool = False) -> str:
    """Return the words about an error in a JSON document; empty if there are none.

    They are in members that are named as such, and not in a record.

    Args:
        is_error: whether the document comes with the status of an error, and so is no record.
    """
    if isinstance(document, list):
        found = [one for one in document if isinstance(one, dict)]
        errors = found if is_error else filter(_describes_error, found)
        return _join(find_words(one, is_error=is_error) for one in errors)
    if not isinstance(document, dict):
        return _words(document)
    named = find_named_error(document)
    if named and named.lower() not in PHRASES:
        return named
    if not is_error and not _describes_error(document):
        return named
    members = members_by_name(document)
    objects = (value for value in document.values() if isinstance(value, dict))
    words = _first((*map(_words, (*map(members.get, TEXT_NAMES), *objects)), named))
    if not is_error:  # else a list of objects may be one of records
        return words
    lists = [value for name in DETAIL_NAMES if isinstance(value := members.get(name), list)]
    details = _join(_words(one, in_error=True) for one in lists)
    parts = (words.rstrip("."), details)
    return words if details in words else ": ".join(filter(None, parts))


def find_named_error(document: Any) -> str:
    """Return the words of a member that is named as an error, in an object or in its objects."""
    is_record = not isinstance(document, dict) or "id" in document
    for one in (document, *(() if is_record else document.values())):
        members = members_by_name(one)
        if members.keys().isdisjoint(ERROR_NAMES):  # the usual case, of every page
            continue
        named = (members[name] for name in ERROR_NAMES if name in members)
        words = _first(_words(value, in_error=True) for value in named)
        if words and not ("id" in members and isinstance(members.get("error"), str)):
            return words
    return ""


def says_no_error(value: Any) -> bool:
    """Return whether the value of a member that is named as an error says that there is none."""
    return not value or (isinstance(value, str) and bool(NO_ERROR.fullmatch(value)))


@lru_cache(1_000)
def letters_and_digits(name: str) -> str:
    """Return a name in small letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def members_by_name(value: Any) -> dict[str, Any]:
    """Return the members of an object by their plain names; none of another value."""
    members = value.items() if isinstance(value, dict) else ()
    return {letters_and_digits(name): member for name, member in members}


def _find_words_in_markup(text: str) -> str:
    """Return the words about an error in XML, or the title of a page; empty if there are none."""
    elements = reversed(ELEMENT.findall(text))  # of several, the first one counts
    found = {letters_and_digits(name): words for name, words in elements}
    words = _first(found.get(name, "").strip() for name in (*ERROR_NAMES, *TEXT_NAMES))
    return "" if STATUS.sub("", words).lower() in PHRASES else html.unescape(words)


def _describes_error(value: Any) -> bool:
    """Return whether nothing in an object looks like a part of a record."""
    members = members_by_name(value)
    return all(_may_be_of_error(name, member) for name, member in members.items())


def _may_be_of_error(name: str, value: Any) -> bool:
    if name in (*TEXT_NAMES, "exception") or COMPANIONS.fullmatch(name) or value in (None, ""):
        return True
    if isinstance(value, list):
        return not any(isinstance(one, dict) for one in value)
    return isinstance(value, (bool, dict))


def _words(value: Any, *, in_error: bool = False) -> str:
    """Return the words in a value.

    In an error, objects may have the names of fields: `{"errors": {"from": ["too early"]}}`.
    """
    if isinstance(value, str):
        return "" if in_error and says_no_error(value) else value
    if isinstance(value, list):
        return _join(_words(one, in_error=in_error) for one in value)
    if not isinstance(value, dict) or not (in_error or _describes_error(value)):
        return ""
    members = members_by_name(value)
    named = (_words(members.get(n), in_error=in_error) for n in (*ERROR_NAMES, *TEXT_NAMES))
    if words := _first(named):
        place = _first(_place(members.get(name)) for name in PLACE_NAMES)
        is_named = re.search(rf"(?<!\w){re.escape(place)}(?!\w)", words)
        return f"{place}: {words}" if place and not is_named else words
    fields = {n: v for n, v in value.items() if in_error and isinstance(v, (str, list))}
    return _join(f"{n}: {_words(v, in_error=True)}" for n, v in fields.items())


def _place(value: Any) -> str:
    """Return what an error is about: a name, or a path to it; empty if it is neither."""
    if isinstance(value, dict):
        return _first(map(_place, value.values()))
    if isinstance(value, list):
        return ".".join(str(name) for name in value)
    return value if isinstance(value, str) else ""


def _first(words: Iterable[str]) -> str:
    return next(filter(None, words), "")


def _join(words: Iterable[str]) -> str:
    return "; ".join(islice(filter(None, words), 3))
