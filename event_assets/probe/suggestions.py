"""Where the records, the id, the total and the contract's fields could be instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dlt.common import jsonpath
from jsonpath_ng.exceptions import JSONPathError

from event_assets.config.fields import FieldConfig
from event_assets.pagination.totals import TOTAL_PLACES, as_count, find_count
from event_assets.records.contract import FieldReader

Place = tuple[str, ...]

DEPTH = 4  # levels of objects that are searched
FITTING = 0.95  # share of the values that must fit a type
ID_NAMES = ("id", "uuid", "guid", "eventid", "key", "slug", "code", "uri", "url", "href")
TOTAL_NAME = re.compile(r"total|count|found|hits|size|num", re.IGNORECASE)
# What fields of a contract are called elsewhere, in letters and digits only; best first.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "name": ("title", "eventname", "eventtitle", "label", "headline", "subject", "summary"),
    "start": ("start", "starttime", "startsat", "startat", "startdate", "startdatetime", "begin",
              "begins", "beginsat", "dtstart", "eventstart", "eventdate", "datetime", "date"),
    "end": ("end", "endtime", "endsat", "endat", "enddate", "enddatetime", "finish", "ends",
            "dtend", "eventend"),
}  # fmt: skip
FAMILY: Mapping[str, str] = {
    "name": "name",
    **dict.fromkeys(("start_time", "starts_at", "start", "start_date"), "start"),
    **dict.fromkeys(("end_time", "ends_at", "end", "end_date"), "end"),
}
INNER = ("datetime", "utc", "iso", "value", "date", "en", "text", "local", "timestamp")
EPOCHS = {"epoch_s": (10**8, 10**11), "epoch_ms": (10**11, 10**14)}  # from 1973 on


def record_lists(
    document: Any, contract: Mapping[str, FieldReader]
) -> list[tuple[Place, Sequence[Any]]]:
    """Find the lists of objects in an answer, the one that fits the contract best first."""
    found = list(_lists(document, ()))

    def merit(list_: tuple[Place, Sequence[Any]]) -> tuple[int, int, int, int]:
        place, records = list_
        sample = records[:10]
        fitting = sum(any(v is not None for v in r.values(sample)) for r in contract.values())
        members = max(len(record) for record in sample)
        return fitting, members, len(records), -len(place)

    return sorted(found, key=merit, reverse=True)


def _lists(value: Any, place: Place) -> Iterator[tuple[Place, Sequence[Any]]]:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value[:10]):
        yield place, value
    elif isinstance(value, dict) and len(place) < DEPTH:
        for name, member in value.items():
            yield from _lists(member, (*place, name))


def path_to(document: Any, place: Place) -> str | None:
    """Write a place as a JSON path, if that finds it; none with braces, which are templates."""
    if any({"{", "}"} & set(name) for name in place):
        return None
    for quoted in (False, True):
        names = [f"'{name}'" if quoted else name for name in place]
        path = ".".join(names) or "$"
        try:
            found = jsonpath.find_values(jsonpath.compile_path(path), document)
        except JSONPathError:
            continue
        if len(found) == 1 and found[0] is _at(document, place):
            return path
    return None


def _at(document: Any, place: Place) -> Any:
    for name in place:
        document = document[name]
    return document


def total_place(document: Any) -> Place | None:
    """Find the usual place of a total that an answer has something at."""
    return next((p for p in TOTAL_PLACES if find_count(document, (p,)) is not None), None)


def other_totals(document: Any) -> Iterator[tuple[Place, int]]:
    """Find all numbers outside of lists that by their name may be a total, the usual ones first."""
    usual = [place for place in TOTAL_PLACES if find_count(document, (place,)) is not None]
    others = [p for p in _counts(document, ()) if p not in usual]
    for place in [*usual, *others]:
        count = as_count(_at(document, place))
        if count is not None:
            yield place, count


def _counts(value: Any, place: Place) -> Iterator[Place]:
    if isinstance(value, dict) and len(place) < DEPTH:
        for name, member in value.items():
            if as_count(member) is not None and TOTAL_NAME.search(name):
                yield (*place, name)
            yield from _counts(member, (*place, name))


def leaves(records: Sequence[Any]) -> dict[str, list[Any]]:
    """Give the values of all that is no object, by path; None where a record has none.

    A list counts as what it is; names that a path cannot hold are left out.
    """
    found: dict[str, list[Any]] = {}
    for number, record in enumerate(records):
        for path, value in _leaves(record, ()):
            found.setdefault(path, [None] * len(records))[number] = value
    return found


def _leaves(value: Any, place: Place) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        if place:
            yield ".".join(place), value
    elif len(place) < DEPTH:
        for name, member in value.items():
            if name and not set(name) & set(".{}*"):
                yield from _leaves(member, (*place, name))


def id_for(records: Sequence[Any]) -> str | None:
    """Find what tells the records apart: there in each, text or a whole number, never twice."""
    unique = [
        path
        for path, values in leaves(records).items()
        if all(type(value) in (str, int) and value != "" for value in values)
        and len(set(map(str, values))) == len(values)
    ]
    named = [(rank, path) for path in unique if (rank := _rank_as_id(path)) is not None]
    return min(named)[1] if named else None


def _rank_as_id(path: str) -> tuple[int, int] | None:
    parts = path.split(".")
    last = _letters(parts[-1])
    if last in ID_NAMES:
        return len(parts), ID_NAMES.index(last)
    return (len(parts), len(ID_NAMES)) if last.endswith("id") else None


def field_for(
    name: str, field: FieldConfig, records: Sequence[Any], taken: Collection[str]
) -> dict[str, Any] | None:
    """Find where a field obviously is: what to say of it in the contract, or None."""
    ranked = [
        (rank, path)
        for path, values in leaves(records).items()
        if path not in taken
        and any(value is not None for value in values)
        and (rank := _rank_as(name, path)) is not None
    ]
    for _, path in sorted(ranked):
        if (said := _how(name, field, path, records)) is not None:
            return said
    return None


def _how(name: str, field: FieldConfig, path: str, records: Sequence[Any]) -> dict[str, Any] | None:
    """Say how a path is read as a field's type, if it can be."""
    formats = [field.format] if field.format or field.type != "timestamp" else [None, *EPOCHS]
    for format_ in formats:
        there, fitting = _fit(name, field, path, format_, records)
        if there and fitting >= FITTING * there:
            said: dict[str, Any] = {"from": path}
            parent, dot, _ = path.rpartition(".")
            any_member = [path, f"{parent}.*"]
            if dot and _fit(name, field, any_member, format_, records)[1] > fitting:
                said = {"from": any_member}  # as names in several languages
            return said if format_ == field.format else {**said, "format": format_}
    return None


def _fit(
    name: str,
    field: FieldConfig,
    source: str | list[str],
    format_: str | None,
    records: Sequence[Any],
) -> tuple[int, int]:
    """Count the values that there are, and those of them that are of the field's type."""
    reader = FieldReader(name, field.model_copy(update={"source": source, "format": format_}))
    values = reader.values(records)
    there = [value for value in values if value is not None]
    if format_ in EPOCHS and not all(_in_epoch(value, format_) for value in there):
        return len(there), 0
    array = reader.array(values, records)
    return len(there), len(array) - array.null_count


def _in_epoch(value: Any, format_: str) -> bool:
    low, high = EPOCHS[format_]
    return type(value) in (int, float) and low <= value < high


def _rank_as(name: str, path: str) -> tuple[int, int, int] | None:
    """How well a path goes by a field's name; smaller is better, None is not at all."""
    whole, parts = _letters(path), [_letters(part) for part in path.split(".")]
    own = _letters(name)
    if whole == own or parts[-1] == own:
        return 0, len(parts), 0
    if parts[0] == own and len(parts) == 2:  # an object of that name
        return 1, INNER.index(parts[1]) if parts[1] in INNER else len(INNER), 0
    words = SYNONYMS.get(FAMILY.get(name, ""), ())
    if parts[-1] in words:
        return 2, words.index(parts[-1]), len(parts)
    outer = next((part for part in parts[:-1] if part in words), None)
    if outer and parts[-1] in INNER:
        return 3, words.index(outer), INNER.index(parts[-1])
    return None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
