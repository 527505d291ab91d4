"""Tell a page that is empty from one that says why it has no records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from requests import Response
from requests.exceptions import JSONDecodeError

from event_assets.http.error_text import (
    COMPANIONS,
    ERROR_NAMES,
    error_text,
    find_words,
    plain_name,
    quote_words,
)
from event_assets.pagination.totals import members_outside_records
from event_assets.pagination.vocabulary import names_next, says_more
from event_assets.values.conversion import to_boolean

ERROR = "has an error in place of records"
BESIDE = "has an error beside its records"
UNCLEAR = "has words in place of records"  # which may be about an error, or the end of the list

CODE_NAMES = ("code", "status", "statuscode", "errorcode", "errcode", "errno")
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
TROUBLE = re.compile(
    r"error|exception|fail|exceed|limit|busy|unavailable|maintenance|denied|forbidden|unauthori"
    r"|later|again|time[sd]?.?out|quota|throttl|truncated|overload|partial|down\b",
    re.IGNORECASE,
)
# Of an error on an empty first page, of which it is not known what is usual: its words and names.
SURE_TROUBLE = re.compile(
    r"error|exception|internal|fail|exceed|busy|unavailable|maintenance|denied|forbidden"
    r"|unauthori|time[sd]?.?out|throttl|overload",
    re.IGNORECASE,
)
# Of words on an empty first page that may be about an error.
DOUBT = re.compile(
    rf"{TROUBLE.pattern}|pending|processing|progress|queued|running|not ready|initiali[sz]ing"
    r"|preparing|building|rebuil|warming|loading|updating|wait\b|incomplete|degraded",
    re.IGNORECASE,
)
# Of a warning beside records: some are not there.
MISSING = re.compile(
    rf"{TROUBLE.pattern}|lag\b|not (answer|respond)|could not|missing|skipp|omitt|incomplete"
    r"|degraded",
    re.IGNORECASE,
)
WORD_LISTS = re.compile(r"(errors?|warnings?|messages?|notices?|exceptions?|faults?|failures?)")
NAMES_TROUBLE = re.compile(r"(is|has|have)?(errors?|exceptions?|faults?|fail(ed|ures?)?)\w*")
# By plain names: what may say why there are no records.
SAID = re.compile(
    r"(is|has)?(errors?|exceptions?|faults?|warnings?|fail(ed|ure)?)\w*|messages?|msg|info|notices?"
    r"|maintenance|reason|details?|(response|request)?stat(e|us\w*)?|code|result|success|ok|errno|errcode"
)
NUMBER = re.compile(r"\d+")
DIGITS = re.compile(r"[\d.,:]*")  # a number, or a time
MAX_ERRORS = 3  # beside records, for each of which a page is requested again


class PageWords:
    """Tells words about an error beside an empty list from what each page of the list says."""

    def __init__(self) -> None:
        self._usual: set[tuple[str, str]] | None = None  # of the first page with records
        self._errors: set[str] = set()  # beside records

    def find_problem(self, document: Any, problem: str | None, *, is_empty: bool) -> str | None:
        """Return the problem of a document that may have one, after what it says.

        An empty page may say that it is behind the end, by words in which an error is usual. Words
        that no page with records has, and that are not known, are `UNCLEAR`. An error beside
        records is a problem when it comes first: some come at each request.
        """
        if problem == BESIDE:
            words = _without_numbers(find_words(document, is_error=True))
            is_new = words not in self._errors and len(self._errors) < MAX_ERRORS
            self._errors.add(words)
            problem = BESIDE if is_new else None
        if not is_empty:
            if self._usual is None:
                self._usual = {(at, _without_numbers(value)) for at, value in _find_said(document)}
            return problem
        said = [*_find_said(document)]
        is_end = any(isinstance(value, str) and _says_nothing(value) for _, value in said)
        if self._usual is None and not is_end:
            if any(_is_sure_trouble(path, value) for path, value in said):
                return ERROR
            return UNCLEAR if any(_is_doubtful(path, value) for path, value in said) else problem
        new = [value for path, value in said if not self._is_known(path, value, is_end=is_end)]
        if any(not isinstance(value, str) or _is_trouble(value) for value in new):
            return ERROR
        return UNCLEAR if new else None if is_end else problem

    def _is_known(self, path: str, value: Any, *, is_end: bool) -> bool:
        """Return whether each page of the list says that, or an end."""
        name = plain_name(path.rpartition(".")[2])
        return (
            (path, _without_numbers(value)) in (self._usual or ())
            or str(value).lower() in GOOD_CODES
            or (value in (True, "true") and not NAMES_TROUBLE.fullmatch(name))
            or _is_nothing(name, value)
            or (is_end and not is_error_status(value) and not isinstance(value, str))
        )


def quote_page(response: Response) -> str:
    """Return what an empty page says that may be about an error, as a sentence."""
    said = [(path, value) for path, value in _find_said(response.json()) if isinstance(value, str)]
    doubtful = (f"{path}: {value}" for path, value in said if _is_doubtful(path, value))
    return error_text(response) or quote_words(next(doubtful, "")) or " It gives no message."


def quote_warning(document: Any) -> str:
    """Return a warning beside records that some may be missing, as a sentence; empty if none."""
    said = (
        f"{path}: {value}"
        for path, value in _find_said(document)
        if isinstance(value, str) and _is_warning(path) and MISSING.search(value)
    )
    return quote_words(next(said, ""))


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
    members = ((at.rpartition(".")[2], one) for at, one in members_outside_records(document))
    said = [*chain(members, _words_in_lists(document))]
    is_end = any(isinstance(value, str) and _says_nothing(value) for _, value in said)
    return all(
        _is_nothing(plain_name(name), value) or (is_end and _is_failure(value))
        for name, value in said
    )


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
    """Yield what the lists of errors and messages hold, by the names of the lists."""
    for name, member in value.items() if isinstance(value, dict) else ():
        if isinstance(member, list) and WORD_LISTS.fullmatch(plain_name(name)):
            yield from ((name, find_words(one, is_error=True) or str(one)) for one in member)
        yield from _words_in_lists(member)


def _find_said(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the words, codes and flags of a document, by path."""
    yield from _words_in_lists(document)
    for path, value in members_outside_records(document):
        if value not in (None, "") and SAID.fullmatch(plain_name(path.rpartition(".")[2])):
            yield path, value


def _without_numbers(value: Any) -> str:
    """Return a value as text; words without their numbers, which are those of the page."""
    text = str(value).lower()
    return NUMBER.sub("0", text) if " " in text else text


def _is_nothing(name: str, value: Any) -> bool:
    """Return whether a member of a response says no more than that there are no records."""
    if isinstance(value, str) and _says_nothing(value):
        return True
    if name in CODE_NAMES:  # 0 is a good code, but in many APIs a bad status
        return str(value).lower() in GOOD_CODES or (name != "status" and value == 0)
    if isinstance(value, str):
        is_word = " " not in value and name not in ERROR_NAMES
        return bool(DIGITS.fullmatch(value) or (is_word and COMPANIONS.fullmatch(name)))
    is_good = value is True and name in ("success", "ok")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value in (None, []) or is_good or is_number or says_more(name, value) is False


def _is_failure(value: Any) -> bool:
    """Return whether a value says no more than that a request failed, as some do behind the end."""
    return value is False or str(value).lower() in ("error", "fail", "failed")


def _says_nothing(words: str) -> bool:
    return bool(NOTHING_FOUND.search(words.replace("_", " ")))


def _is_trouble(words: str) -> bool:
    return bool(TROUBLE.search(words)) or to_boolean(words) is not None


def _is_sure_trouble(path: str, value: Any) -> bool:
    """Return whether a member is about an error, whatever usual pages say."""
    name = plain_name(path.rpartition(".")[2])
    if isinstance(value, bool):
        return value and bool(NAMES_TROUBLE.fullmatch(name))
    if isinstance(value, str):
        return bool(SURE_TROUBLE.search(value) or NAMES_TROUBLE.fullmatch(name))
    is_code = name in CODE_NAMES and str(value) not in GOOD_CODES
    is_error = is_error_status(value) or value < 0
    return (is_code and is_error) or (value != 0 and bool(NAMES_TROUBLE.fullmatch(name)))


def _is_doubtful(path: str, value: Any) -> bool:
    """Return whether words on an empty first page may be about an error."""
    return isinstance(value, str) and (_is_warning(path) or bool(DOUBT.search(value)))


def _is_warning(path: str) -> bool:
    return plain_name(path.rpartition(".")[2]).startswith("warning")


def is_error_status(value: Any) -> bool:
    """Return whether a value is an HTTP status of an error."""
    return str(value).isdecimal() and 400 <= int(value) < 600
