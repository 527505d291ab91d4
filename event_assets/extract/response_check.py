"""Check that a response has a list of records, or what it says instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from requests import Response

from event_assets.extract import empty_page
from event_assets.extract.known_pages import KnownPages
from event_assets.extract.records_selector import find_records, find_values, list_or_none
from event_assets.http.error_text import (
    ERROR_NAMES,
    TEXT_NAMES,
    error_text,
    find_named_error,
    find_words,
    letters_and_digits,
)
from event_assets.pagination.totals import find_counts, members_around, members_outside_records
from event_assets.pagination.vocabulary import names_next, names_pointer, says_more

IsRecord = Callable[[Any], bool]
NO_LIST = "has no list of records"
NOT_READY = "has no records yet"
PARTIAL = (HTTPStatus.ACCEPTED, HTTPStatus.MULTI_STATUS)  # of a part, or of what is still made
STEP = re.compile(r"\[[^\]]*\]|\.{0,2}[^.\[]+")  # of a path
INDEX = re.compile(r"\[-?\d+\]")
NAME = re.compile(r"[^\[\].$*'\"]+")  # of a member, in a path
PATTERN = re.compile(r"[*?\[]|\.\.")  # in a path that may lead to several places


def list_selector_check(
    selector: str | None, is_record: IsRecord | None = None, *, doubts_errors: bool = False
) -> Callable[[Any], str | None]:
    """Build a check that the documents of a list have records, or an empty list, at a selector.

    Args:
        is_record: whether a value is a record of the resource, by its key; None: it has no key. A
            single record is as good as a list.
        doubts_errors: whether an error beside records is a problem when it comes first, so that the
            page is requested again.

    Returns:
        A function that returns the problem with a document, or None.
    """
    words = empty_page.PageWords(doubts_errors=doubts_errors)
    first_type: type | None = None  # of the first document without a problem

    def check(document: Any) -> str | None:
        nonlocal first_type
        if first_type is list and is_record and isinstance(document, dict):
            return None if is_record(document) else NO_LIST
        if problem := _find_problem(selector, is_record, document):
            return problem
        first_type = first_type or type(document)
        return words.find_problem(document, is_empty=_is_empty(selector, document))

    return check


def _is_empty(selector: str | None, document: Any) -> bool:
    """Return whether no record is at a path, or anywhere in a document."""
    rows = find_records(selector, document) if selector else [document]
    if rows and rows[0] is document:
        rows = [row for _, found in _lists(document) for row in found]
    return not any(isinstance(row, (dict, list)) for row in rows)


def is_unready(response: Response) -> bool:
    """Return whether a response without records asks to try again, by its status or header."""
    return response.status_code in PARTIAL or "Retry-After" in response.headers


def _whole_problem(is_record: IsRecord | None, document: Any) -> str | None:
    """Return the problem of a document whose records may be anywhere, or are the document."""
    if not isinstance(document, dict):
        problem = NO_LIST if document is None else None
        return empty_page.ERROR if _are_errors(is_record, document) else problem
    is_good = any(_lists(document)) or not is_record or is_record(document)
    return None if is_good or _says_empty(document) else NO_LIST


def _find_problem(selector: str | None, is_record: IsRecord | None, document: Any) -> str | None:
    """Return the problem of a document in which a path finds nothing, unless a list is empty."""
    if not selector or any(value is document for value in find_values(selector, document)):
        return _whole_problem(is_record, document)
    where = selector.removesuffix("[*]")
    places = [] if PATTERN.search(where) else find_values(where, document)
    rows = find_records(selector, document)
    if _are_errors(is_record, places[0] if places and where == selector else rows):
        return empty_page.ERROR
    if places and places[0] is None:
        return None if _says_empty(document, where) else f"has null under `{where}`"
    if places and list_or_none(places[0]) is None:
        return None if is_record and is_record(places[0]) else f"has no list under `{where}`"
    if places or any(row not in (None, {}, []) for row in rows):
        return None
    is_empty = _is_empty_at(selector, document) or _says_empty(document, where)
    return None if is_empty else f"has no `{selector}`"


def _is_empty_at(selector: str, document: Any) -> bool:
    """Return whether a path leads to an empty list, or finds nothing because of one on its way."""
    steps = STEP.findall(selector)
    for end in range(len(steps), 0, -1):
        values = find_values("".join(steps[:end]), document)
        if found := [value for value in values if value is not None]:
            rest = "".join(steps[end:])
            return any(value == [] or _may_lack(value, rest) for value in found)
    return False


def _may_lack(value: Any, rest: str) -> bool:
    """Return whether the rest of a path may honestly find nothing in a value."""
    if isinstance(value, list):  # filters and slices may find none
        return rest.startswith("[") and rest[1] not in "'\""
    # objects that are looked for everywhere may be the members of an empty list
    is_anywhere = re.fullmatch(r"\.\.[^.\[]+", rest) and [] in (rows for _, rows in _lists(value))
    return bool(is_anywhere) or (value == {} and rest.startswith(".*"))


def _are_errors(is_record: IsRecord | None, selected: Any) -> bool:
    """Return whether what a selector finds describes an error, in place of records."""
    rows = selected if isinstance(selected, list) else [selected]
    if is_record and any(map(is_record, rows)):
        return False
    if is_record and rows is not selected:
        return bool(find_words(selected))
    return bool(rows) and all(map(find_named_error, rows))  # other texts may be a broken record's


def _says_empty(document: Any, where: str = "$") -> bool:
    """Return whether a document says that there are no records, and so has no list of them.

    HAL leaves `_embedded` out of a page without any, wherever it is; `_links` beside another path
    say so only where none leads on. Others write null for the list `where` records are, beside a
    flag that no more follow, or a link or cursor that is empty.
    """
    if not isinstance(document, dict) or any(rows for _, rows in _lists(document)):
        return False
    is_hal = "_embedded" not in document and bool({"_links", "page"} & document.keys())
    place = ".".join(NAME.findall(where))
    members = members_around(dict(members_outside_records(document)), [place])
    is_end = members.get(place, "") is None and any(
        says_more(path, value) is False
        or (value in ("", None) and (names_next(path) or names_pointer(path)))
        for path, value in members.items()
    )
    leads_on = where != "$" and any(one and names_next(path) for path, one in members.items())
    is_hal &= "_embedded" in where or not leads_on
    is_empty = is_hal or is_end or next(iter(find_counts(members).values()), None) == 0
    texts = {name: value for name, value in document.items() if not isinstance(value, dict)}
    return is_empty and not find_words(texts)


def error_beside_rows(response: Response, rows: Sequence[Any]) -> str:
    """Return what a response with rows says of an error, as a sentence; empty if there is none.

    A list without any object, or of nothing but an error, stands for one.
    """
    if not any(isinstance(row, dict) for row in rows) or (len(rows) == 1 and find_words(rows)):
        return " A page has no record."
    document = response.json()
    if response.status_code in (*PARTIAL, HTTPStatus.MULTIPLE_CHOICES):
        return f" The status is {response.status_code}."
    if not empty_page.names_error(document):
        return empty_page.quote_warning(document)
    return error_text(response, is_error=True) or " It gives no message."


def lists_left_out(response: Response, selector: str) -> str:
    """Return that a path with an index leaves out records of others, as a sentence; or empty."""
    wider = INDEX.sub("[*]", selector)
    if wider == selector:
        return ""
    own, all_of_them = (find_values(path, response.json()) for path in (selector, wider))
    is_all = sum(map(bool, own)) == sum(map(bool, all_of_them))
    return "" if is_all else f" `{wider}` leads to other records than `{selector}`, too."


def _lists(value: Any, path: str = "") -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the lists in a document by path, but those of words about errors."""
    if isinstance(value, list):
        yield path or "$", value
        for item in value:
            yield from _lists(item, f"{path}[*]")
    for name, member in value.items() if isinstance(value, dict) else ():
        plain = letters_and_digits(name)
        has_texts = isinstance(member, list) and any(isinstance(one, str) for one in member)
        if plain not in ERROR_NAMES and not (plain in TEXT_NAMES and has_texts):
            yield from _lists(member, f"{path}.{name}" if path else name)


def response_check(
    endpoint: Mapping[str, Any],
    is_record: IsRecord | None = None,
    known_pages: KnownPages | None = None,
) -> Callable[[Response], str | None]:
    """Build the check of an endpoint's good responses, but those that `response_actions` name."""
    selector = endpoint.get("data_selector") or None
    find_problem = list_selector_check(selector, is_record, doubts_errors=True)
    actions = endpoint.get("response_actions") or ()

    def check(response: Response) -> str | None:
        if any(is_named(response, action) for action in actions):
            return None
        if known_pages:
            known_pages.prepare(response)
        document = response.json()
        problem = find_problem(document)
        if not problem and is_unready(response) and _is_empty(selector, document):
            return NOT_READY
        is_of_words = problem in (None, empty_page.BESIDE, empty_page.ERROR, empty_page.UNCLEAR)
        return problem if is_of_words else f"{problem}{_other_lists(document)}"

    return check


def is_named(response: Response, action: Mapping[str, Any]) -> bool:
    """Return whether one of `response_actions` names a response."""
    status, content = action.get("status_code"), action.get("content")
    is_status = status is None or str(status) == str(response.status_code)
    return is_status and (content is None or content in response.text)


def _other_lists(document: Any) -> str:
    """Return where a document without a list at the selector has lists of objects."""
    lists = ((at, rows) for at, rows in _lists(document) if "[*]" not in at)
    paths = [at for at, rows in lists if any(isinstance(one, dict) for one in rows)][:3]
    if not paths:
        return ""
    named = " and ".join(f"`{path}`" for path in paths)
    return f", but a list under {named}" if paths != ["$"] else ", but is a list (`$`)"
