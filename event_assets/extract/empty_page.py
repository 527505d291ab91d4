"""Tell a page that is empty from one that says why it has no records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from requests import Response
from requests.exceptions import JSONDecodeError

from event_assets.http.error_text import COMPANIONS, ERROR_NAMES, plain_name
from event_assets.pagination.totals import members_outside_records

CODE_NAMES = ("code", "status", "statuscode", "errorcode", "errcode", "errno")
GOOD_CODES = ("200", "204", "404", "ok", "success")  # of a page behind the end: it is not found
NOTHING_FOUND = re.compile(
    r"\b(no(ne)?|0|zero)\b.*\b(found|more|available|results?|records?|events?|items?|data|content)\b"
    r"|\bnot found\b|\b(end|out) of\b|\bnothing\b|\bempty\b|\blast page\b"
    r"|\binvalid (page|offset)\b",
    re.IGNORECASE,
)
# By plain names: what may say why there are no records.
SAID = re.compile(
    r"(is|has)?(errors?|exceptions?|warnings?|fail(ed|ure)?)\w*|messages?|msg|info|notice|reason"
    r"|detail|stat(us\w*)?|code|result|success|ok|errno|errcode"
)
NUMBER = re.compile(r"\d+")


class PageWords:
    """Tells words about an error beside an empty list from what each page of the list says."""

    def __init__(self) -> None:
        self._usual: set[tuple[str, str]] | None = None  # of the first page with records

    def name_error(self, document: Any, *, is_empty: bool) -> bool:
        """Return whether an empty page says what no page with records says, nor an end."""
        said = _find_said(document) if is_empty or self._usual is None else ()
        if not is_empty and self._usual is None:
            self._usual = {(path, _without_numbers(value)) for path, value in said}
        if not is_empty or self._usual is None:
            return False
        return any(
            (path, _without_numbers(value)) not in self._usual
            and str(value).lower() not in (*GOOD_CODES, "true")
            and not _is_nothing(plain_name(path.rpartition(".")[2]), value)
            for path, value in said
        )


def has_nothing(response: Response) -> bool:
    """Return whether an invalid response holds nothing at all, as some behind the end of a list.

    It may be empty, or say that nothing was found. One that says anything else may be an error.
    """
    if not response.content.strip():
        return True
    try:
        members = members_outside_records(response.json())
    except JSONDecodeError:
        return False
    return all(_is_nothing(plain_name(path.rpartition(".")[2]), one) for path, one in members)


def _find_said(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the words, codes and flags of a document, by path."""
    for path, value in members_outside_records(document):
        if value not in (None, "") and SAID.fullmatch(plain_name(path.rpartition(".")[2])):
            yield path, value


def _without_numbers(value: Any) -> str:
    """Return a value as text; words without their numbers, which are those of the page."""
    text = str(value).lower()
    return NUMBER.sub("0", text) if " " in text else text


def _is_nothing(name: str, value: Any) -> bool:
    """Return whether a member of a response says no more than that there are no records."""
    if isinstance(value, str) and NOTHING_FOUND.search(value.replace("_", " ")):
        return True
    if name in CODE_NAMES:  # 0 is a good code, but in many APIs a bad status
        return str(value).lower() in GOOD_CODES or (name != "status" and value == 0)
    if isinstance(value, str):
        is_word = " " not in value and name not in ERROR_NAMES
        return not value or value.isdecimal() or (is_word and bool(COMPANIONS.fullmatch(name)))
    return value in (None, []) or (isinstance(value, (int, float)) and not isinstance(value, bool))
