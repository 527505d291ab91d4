"""Distinguish a page that is empty from one that says why it has no records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any

from requests import Response
from requests.exceptions import JSONDecodeError

from event_assets.http.error_text import (
    COMPANIONS,
    ERROR_NAMES,
    error_text,
    find_named_error,
    find_words,
    letters_and_digits,
    members_by_name,
    quote_words,
    says_no_error,
)
from event_assets.pagination.totals import members_outside_records
from event_assets.pagination.vocabulary import LACKING, names_next, says_more
from event_assets.values.conversion import to_boolean

ERROR = "has an error in place of records"
BESIDE = "has an error beside its records"
UNCLEAR = "has words in place of records"  # which may be about an error, or the end of the list

CODE_NAMES = ("code", "status", "statuscode", "errorcode", "errcode", "errno")
FAILURES = ("error", "fail", "failed", "failure")  # as a status
GOOD_CODES = ("200", "204", "404", "ok", "success")  # of a page behind the end: it is not found
# Words about the end of a list, in the languages of many APIs.
NOTHING_FOUND = re.compile(
    r"\b(no(ne)?|0|zero)\b.*\b(found|more|available|results?|records?|events?|items?|data|content"
    r"|pages?)\b"
    r"|\bnot found\b|\b(end|out) of\b|\bnothing\b|\bempty\b|\blast page\b"
    r"|\b(beyond|past) the (end|last|total)\b"
    r"|\binvalid (page|offset)\b|\bnumber of pages\b"
    r"|\b(couldn't|could not|can't|cannot|did not|didn't) (find|match)\b"
    r"|\b(keine?|aucune?|ning[uú]na?|geen|nessuna?|nenhuma?)\b|\bno se encontr",
    re.IGNORECASE,
)
# Words about an error.
TROUBLE = re.compile(
    r"error|exception|internal|fail|exceed|busy|unavailable|maintenance|denied|forbidden|unauthori"
    r"|time[sd]?.?out|throttl|overload|truncated",
    re.IGNORECASE,
)
# Words that may be about an error, or about records that are not there.
DOUBT = re.compile(
    rf"{TROUBLE.pattern}|limit|quota|later|again|partial|down\b|pending|processing|progress|queued"
    r"|running|not ready|initiali[sz]ing|preparing|building|rebuil|warming|loading|updating|wait\b"
    r"|lag\b|not (answer|respond)|unreach|could not|missing|skipp|omitt|incomplete|degraded",
    re.IGNORECASE,
)
# Names of what warns that records may be missing.
WARNS = re.compile(rf"(warning|remark)\w*|partial(error|failure)s?|{LACKING}")
WORD_LISTS = re.compile(
    rf"\w*(errors?|warnings?|messages?|notices?|exceptions?|faults?|failures?)|{LACKING}"
)
NAMES_TROUBLE = re.compile(
    r"(is|has|have)?(errors?|exceptions?|faults?|fail(ed|ures?)?)\w*|maintenance"
)
# By plain names: what may say why there are no records.
SAID = re.compile(
    r"(is|has)?(errors?|exceptions?|faults?|warnings?|remarks?|fail(ed|ure)?)\w*|messages?|msg|info|not(ic)?es?|hints?|comments?"
    r"|maintenance|reason|details?|(response|request)?stat(e|us\w*)?|code|result|success|ok|errno|errcode"
)
NUMBER = re.compile(r"\d+")
# A number, or a time.
DIGITS = re.compile(r"[\d.,:]*|\d{4}-\d\d-\d\d([T ][\d.,:]+ ?(Z|UTC|[+-][\d:]+)?)?")
MAX_ERRORS = 3  # beside records, for each of which a page is requested again


class PageWords:
    """Tells words about an error beside an empty list from what each page of the list says.

    Args:
        doubts_errors: whether an error beside records is a problem when it comes first.
    """

    def __init__(self, *, doubts_errors: bool = False) -> None:
        self._doubts_errors = doubts_errors
        self._usual: set[tuple[str, str]] | None = None  # of the first page with records
        self._errors: set[str] = set()  # beside records

    def find_problem(self, document: Any, *, is_empty: bool) -> str | None:
        """Return the problem of a document by what it says.

        An empty page may say that it is behind the end, by words in which an error is usual. Words
        that no page with records has, and that are not known, are `UNCLEAR`. The same error beside
        records is no problem when it comes again: some come at each request.
        """
        if not is_empty:
            if self._usual is None:
                self._usual = {(at, _without_numbers(said)) for at, said in _find_said(document)}
            return BESIDE if self._doubts_errors and self._is_new_error(document) else None
        said = [*_find_said(document)]
        is_end, usual = _has_end(value for _, value in said), self._usual or ()
        unusual = [one for one in said if (one[0], _without_numbers(one[1])) not in usual]
        new = [one for one in unusual if not _is_known(*one, is_end=is_end)]
        suspects = unusual if self._usual is None and not is_end else new
        if any(_is_trouble(*one) for one in suspects) or (names_error(document) and not is_end):
            return ERROR
        if self._usual is None:  # what is usual is not known
            new = [one for one in suspects if _is_doubtful(*one)]
        return UNCLEAR if new else None

    def _is_new_error(self, document: Any) -> bool:
        if not _has_error(document) or len(self._errors) == MAX_ERRORS:
            return False
        known, words = len(self._errors), find_words(document, is_error=True)
        self._errors.add(_without_numbers(words))
        return len(self._errors) > known


def names_error(document: Any) -> bool:
    """Return whether a document names an error or a failure, perhaps beside records."""
    members = members_by_name(document)
    has_failed = any(str(members.get(name)).lower() in FAILURES for name in ("status", "stat"))
    return has_failed or _has_error(document)


def _has_error(document: Any) -> bool:
    members = members_by_name(document)
    is_named = not all(says_no_error(members[name]) for name in members.keys() & ERROR_NAMES)
    return is_named or members.get("success") is False or bool(find_named_error(document))


def quote_page(response: Response) -> str:
    """Return what an empty page says that may be about an error, as a sentence."""
    said = [*_find_said(response.json())]
    doubtful = [one for one in said if _is_doubtful(*one)]
    sentences = [one for one in said if " " in str(one[1])]
    words = next((f"{path}: {value}" for path, value in doubtful or sentences), "")
    return error_text(response) or quote_words(words) or " It gives no message."


def quote_warning(document: Any) -> str:
    """Return a warning beside records that some may be missing, as a sentence; empty if none."""
    warnings = (
        f"{path}: {value}"
        for path, value in _find_said(document)
        if isinstance(value, str) and _is_warning(path) and DOUBT.search(f"{path}: {value}")
    )
    return quote_words(next(warnings, ""))


def has_nothing(response: Response) -> bool:
    """Return whether an invalid response holds nothing at all, as some behind the end of a list.

    It may be empty, or say that nothing was found. One that says anything else may be an error.
    """
    if not response.content.strip():
        return True
    try:
        document = response.json()
    except JSONDecodeError:
        return False
    if not isinstance(document, (dict, str)):
        return document in (None, [])
    members = ((at.rpartition(".")[2], one) for at, one in members_outside_records(document))
    said = [*chain(members, _words_in_lists(document))]
    is_end = _has_end(value for _, value in said)
    return all(_is_nothing(letters_and_digits(name), value, is_end=is_end) for name, value in said)


def says_nothing(response: Response) -> bool:
    """Return whether an invalid response says, by its status or in words, that nothing is there."""
    is_said = _says_nothing(error_text(response)) and has_nothing(response)
    return is_said or response.status_code == HTTPStatus.NO_CONTENT


def leaves_list_out(response: Response) -> bool:
    """Return whether a response holds no more than what leads to the next page, or not even that.

    Some APIs leave out a list that is empty.
    """
    try:
        document = response.json()
    except JSONDecodeError:
        return False
    return isinstance(document, dict) and all(map(names_next, document))


def _words_in_lists(value: Any) -> Iterator[tuple[str, str]]:
    """Yield what lists of errors and messages hold, also in place of records, by their names."""
    for name, member in value.items() if isinstance(value, dict) else ():
        if isinstance(member, dict):
            yield from _words_in_lists(member)
        elif isinstance(member, list) and (
            WORD_LISTS.fullmatch(letters_and_digits(name)) or all(map(find_named_error, member))
        ):
            yield from ((name, find_words(one, is_error=True) or str(one)) for one in member)


def _find_said(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the words, codes and flags of a document, by path."""
    yield from _words_in_lists(document)
    for path, value in members_outside_records(document):
        if value not in (None, "") and SAID.fullmatch(letters_and_digits(path.rpartition(".")[2])):
            yield path, value


def _without_numbers(value: Any) -> str:
    """Return a value as text; words without their numbers, which are those of the page."""
    text = str(value).lower()
    return NUMBER.sub("0", text) if " " in text else text


def _has_end(values: Iterable[Any]) -> bool:
    """Return whether words about the end of a list are among what a response says."""
    return any(isinstance(value, str) and _says_nothing(value) for value in values)


def _is_known(path: str, value: Any, *, is_end: bool) -> bool:
    """Return whether a member says nothing of an error, by its name and value."""
    name = letters_and_digits(path.rpartition(".")[2])
    if name in ("success", "ok") and to_boolean(value) is False:
        return is_end
    is_good = value in (True, "true") and not NAMES_TROUBLE.fullmatch(name)
    return is_good or _is_nothing(name, value, is_end=is_end)


def _is_nothing(name: str, value: Any, *, is_end: bool) -> bool:
    """Return whether a member of a response says no more than that there are no records.

    Beside words about an end, it may say that the request failed.
    """
    if str(value).lower() in GOOD_CODES or (is_end and _is_failure(value)):
        return True
    if isinstance(value, str) and _says_nothing(value):
        return True
    if name in CODE_NAMES:  # 0 is a good code, but in many APIs a bad status
        return name != "status" and value == 0
    if isinstance(value, str):
        is_word = " " not in value and name not in ERROR_NAMES
        is_usual = COMPANIONS.fullmatch(name) or not SAID.fullmatch(name)
        return bool(DIGITS.fullmatch(value) or (is_word and is_usual))
    is_good = value is True and name in ("success", "ok")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    is_count = is_number and not (value and NAMES_TROUBLE.fullmatch(name))
    return value in (None, []) or is_good or is_count or says_more(name, value) is False


def _is_failure(value: Any) -> bool:
    """Return whether a value says that a request failed, but not why."""
    return str(value).lower() in FAILURES if isinstance(value, str) else not is_error_status(value)


def _says_nothing(words: str) -> bool:
    return bool(NOTHING_FOUND.search(words.replace("_", " ")))


def _is_trouble(path: str, value: Any) -> bool:
    """Return whether a member is about an error, whatever usual pages say."""
    name = letters_and_digits(path.rpartition(".")[2])
    if name in ("success", "ok") and to_boolean(value) is False:
        return True
    if isinstance(value, str):
        return bool(NAMES_TROUBLE.fullmatch(name) or TROUBLE.search(value))
    is_bad_code = name in CODE_NAMES and (is_error_status(value) or value < 0)
    return is_bad_code or (bool(value) and bool(NAMES_TROUBLE.fullmatch(name)))


def _is_doubtful(path: str, value: Any) -> bool:
    """Return whether words on an empty first page may be about an error."""
    return isinstance(value, str) and (_is_warning(path) or bool(DOUBT.search(value)))


def _is_warning(path: str) -> bool:
    return bool(WARNS.fullmatch(letters_and_digits(path.rpartition(".")[2])))


def is_error_status(value: Any) -> bool:
    """Return whether a value is an HTTP status of an error."""
    return str(value).isdecimal() and 400 <= int(value) < 600
