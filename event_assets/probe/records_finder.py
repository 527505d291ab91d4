"""Find the list of events in a JSON document: under any path, wrapped, grouped, or by id."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from event_assets.probe.field_finder import likeness

Groups: TypeAlias = Sequence[Sequence[Any]]

DIFFERENT = 2  # in likeness: one list has a start or a name, another has none
MAX_DEPTH = 5  # levels of nested objects that are searched
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
OWN_IDS = {"id", "_id", "uid", "uuid"}  # of a record that has its fields in an object
NO_RECORDS = re.compile(r"included|links?|errors?|facets|aggregations|filters|warnings|meta")


def find_records(document: Any) -> str | None:
    """Return the selector of the list whose members look most like events, or None."""
    ranked = []
    for number, (selector, groups) in enumerate(_find_lists(document)):
        records = [record for group in groups for record in group]
        likely = [likeness(group) for group in groups if group]
        if not any(isinstance(record, dict) for record in records):
            continue
        if max(likely) - min(likely) < DIFFERENT:  # else these are lists of different things
            ranked.append((likeness(records), len(records), -len(selector), -number, selector))
    return max(ranked)[-1] if ranked else None


def find_empty_list(document: Any, names: tuple[str, ...] = ()) -> str | None:
    """Return the path of a list without members in a document; empty: it is the document."""
    if document == []:
        return join_path(names) if names else ""
    members = document.items() if isinstance(document, dict) else ()
    found = (find_empty_list(member, (*names, name)) for name, member in members)
    return next((path for path in found if path is not None), None)


def find_unreadable(value: Any, names: tuple[str, ...] = ()) -> str | None:
    """Return what a document has in place of a list of objects, as a sentence, or None."""
    if isinstance(value, str) and value[:1] in tuple("[{"):
        with suppress(ValueError):
            json.loads(value)
            return f"`{join_path(names)}` is JSON inside a text, which no sync reads."
    rows = value if isinstance(value, list) and len(value) > 1 else [None]
    if all(isinstance(row, list) and row for row in rows):
        return (
            f"`{join_path(names)}` has rows without the names of their fields: ask the API for "
            "objects, if it can send them."
        )
    members = value.items() if isinstance(value, dict) else ()
    found = (find_unreadable(member, (*names, name)) for name, member in members)
    return next(filter(None, found), None)


def join_path(names: Sequence[str]) -> str:
    """Return names as a JSON path: those that are no plain words in quotes."""
    quoted = [name if PLAIN_NAME.fullmatch(name) else f"'{name}'" for name in names]
    return ".".join(quoted) or "$"


def _find_lists(value: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Groups]]:
    """Yield the selectors of what may be the records in a value, with the lists that they find."""
    if names and (NO_RECORDS.fullmatch(names[-1].lower()) or {*"'{}"} & {*names[-1]}):
        return
    path = join_path(names)
    if isinstance(value, list):
        yield from _find_in_list(value, path)
    elif isinstance(value, dict):
        members = [*value.values()]
        if len(members) > 1 and _are_alike(members):
            yield f"{path}.*", [members]  # by their ids
        elif (
            len(members) > 1
            and all(isinstance(member, list) for member in members)
            and _are_alike([one for member in members for one in member])
        ):
            yield f"{path}.*[*]", members  # by their days
        if len(names) < MAX_DEPTH:
            for name, member in value.items():
                yield from _find_lists(member, (*names, name))


def _find_in_list(rows: Sequence[Any], path: str) -> Iterator[tuple[str, Groups]]:
    first = rows[:20]
    if not first or not all(isinstance(row, dict) for row in first):
        return
    yield path, [rows]
    for name in first[0]:
        inner, members = f"{path}[*].{join_path([name])}", [row.get(name) for row in first]
        all_members = [row[name] for row in rows if isinstance(row, dict) and name in row]
        if all(isinstance(member, dict) for member in members) and not {*first[0]} & OWN_IDS:
            yield inner, [all_members]  # each is wrapped: `edges[].node`
        elif all(isinstance(member, list) for member in members):
            lists = (member for member in all_members if isinstance(member, list))
            yield f"{inner}[*]", [[one for member in lists for one in member]]


def _are_alike(members: Sequence[Any]) -> bool:
    """Return whether all are objects, and half of the first one's members are in each."""
    if not members or not all(isinstance(member, dict) and member for member in members):
        return False
    first = {*members[0]}
    return all(2 * len(first & {*member}) >= max(len(first), len(member)) for member in members)
