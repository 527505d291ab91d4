"""Find the list of events in a JSON document: under any path, wrapped, grouped, or by id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng import JSONPath
from jsonpath_ng.exceptions import JSONPathError

from event_assets.extract.records_selector import PLAIN_SELECTOR
from event_assets.extract.response_check import list_selector_check
from event_assets.http.response import JsonResponse
from event_assets.values.response_paths import compile_path

DIFFERENT = 2  # in likeness: one list has a start or a name, another has none
MAX_DEPTH = 5  # levels of nested objects that are searched
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
OWN_IDS = {"id", "_id", "uid", "uuid"}  # of a record that has its fields in an object
NO_RECORDS = re.compile(r"included|links?|errors?|facets|aggregations|filters|warnings|meta")


@dataclass(frozen=True)
class RecordsPath:
    """The path of the records in a response.

    Attributes:
        configured: the `data_selector`, or None.
        used: the path that finds the records, or else an empty list.
        problem: what is wrong at the configured path; empty when nothing is.
        suggestion: a path that finds records when there is a problem, or None.
    """

    configured: str | None
    used: str
    problem: str = ""
    suggestion: str | None = None


def check_selector(
    document: Any,
    configured: str | None,
    is_record: Callable[[Any], bool],
    likeness: Callable[[Sequence[Any]], float],
) -> RecordsPath:
    """Return the path of the records: the configured one, or the best one found instead."""
    detected = RESTClient("").detect_data_selector(JsonResponse(orjson.dumps(document), {}))
    used = configured if configured is not None else detected
    problem = list_selector_check(configured, is_record)(document)
    if problem is None:
        rows = extract_records(document, used)
        is_plain = configured and PLAIN_SELECTOR.fullmatch(configured)  # its list may be empty
        if is_plain or rows if configured else any(isinstance(row, dict) for row in rows):
            return RecordsPath(configured, used)
        problem = f"has no records under `{used}`"
    suggestion = find_records(document, likeness)
    return RecordsPath(configured, suggestion or used, problem, suggestion)


def find_records(document: Any, likeness: Callable[[Sequence[Any]], float]) -> str | None:
    """Return the selector of the list whose members look most like events, or None."""
    ranked = []
    for number, selector in enumerate(_selectors(document)):
        records = extract_records(document, selector)
        groups = extract_records(document, selector[:-3]) if selector.endswith(".*[*]") else ()
        likely = [likeness(group) for group in groups if group]
        if likely and max(likely) - min(likely) >= DIFFERENT:
            continue  # lists of different things
        if any(isinstance(record, dict) for record in records):
            ranked.append((likeness(records), len(records), -len(selector), -number, selector))
    return max(ranked)[-1] if ranked else None


def extract_records(document: Any, selector: str) -> list[Any]:
    """Return the records in a document, as dlt's client does."""
    try:
        found = [match.value for match in cast("JSONPath", compile_path(selector)).find(document)]
    except (JSONPathError, TypeError, AttributeError):
        return []
    rows = found[0] if len(found) == 1 else found
    if isinstance(rows, list):
        return rows
    return [] if rows is None else [rows]


def join_path(names: Sequence[str]) -> str:
    """Return names as a JSON path: those that are no plain words in quotes."""
    quoted = [name if PLAIN_NAME.fullmatch(name) else f"'{name}'" for name in names]
    return ".".join(quoted) or "$"


def _selectors(value: Any, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the selectors of what may be the records in a value."""
    if names and (NO_RECORDS.fullmatch(names[-1].lower()) or {*"'{}"} & {*names[-1]}):
        return
    path = join_path(names)
    if isinstance(value, list):
        yield from _selectors_of_list(value, path)
    elif isinstance(value, dict):
        members = list(value.values())
        if len(members) > 1 and _are_alike(members):
            yield f"{path}.*"  # by their ids
        elif (
            len(members) > 1
            and all(isinstance(member, list) for member in members)
            and _are_alike([one for member in members for one in member])
        ):
            yield f"{path}.*[*]"  # by their days
        if len(names) < MAX_DEPTH:
            for name, member in value.items():
                yield from _selectors(member, (*names, name))


def _selectors_of_list(rows: Sequence[Any], path: str) -> Iterator[str]:
    objects = [row for row in rows[:20] if isinstance(row, dict)]
    if not objects or len(objects) < len(rows[:20]):
        return
    yield path
    for name in objects[0]:
        members = [row.get(name) for row in objects]
        if all(isinstance(member, dict) for member in members) and not {*objects[0]} & OWN_IDS:
            yield f"{path}[*].{join_path([name])}"  # each is wrapped: `edges[].node`
        elif all(isinstance(member, list) for member in members) and any(
            isinstance(one, dict) for member in members for one in member or ()
        ):
            yield f"{path}[*].{join_path([name])}[*]"  # in groups


def _are_alike(members: Sequence[Any]) -> bool:
    """Return whether all are objects, and half of the first one's members are in each."""
    if not members or not all(isinstance(member, dict) and member for member in members):
        return False
    first = {*members[0]}
    return all(2 * len(first & {*member}) >= max(len(first), len(member)) for member in members)
