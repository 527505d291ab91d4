"""Find the records, the total, the id and the contract's fields in a response."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any, cast

import orjson
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng import JSONPath
from jsonpath_ng.exceptions import JSONPathError

from event_assets.config.fields import FieldConfig
from event_assets.extract.records_selector import PLAIN_SELECTOR, list_selector_check
from event_assets.http.response import JsonResponse
from event_assets.pagination.totals import TOTAL_PATHS, compile_path, find_count, parse_count
from event_assets.records.contract import FieldReader

Keys = tuple[str, ...]  # the names that lead to a value

MAX_DEPTH = 4  # levels of nested objects that are searched
ID_NAMES = ("id", "uuid", "guid", "eventid", "key", "slug", "code", "uri", "url", "href")
TOTAL_NAME = re.compile(r"total|count|found|hits|size|num", re.IGNORECASE)
# Other names of the contract's fields, in letters and digits only; best first.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "name": ("title", "eventname", "eventtitle", "label", "headline", "subject", "summary"),
    **dict.fromkeys(("start_time", "starts_at", "start", "start_date"), (
        "start", "starttime", "startsat", "startat", "startdate", "startdatetime", "begin",
        "begins", "beginsat", "dtstart", "eventstart", "eventdate", "datetime", "date")),
    **dict.fromkeys(("end_time", "ends_at", "end", "end_date"), (
        "end", "endtime", "endsat", "endat", "enddate", "enddatetime", "finish", "ends",
        "dtend", "eventend")),
}  # fmt: skip
NESTED_NAMES = ("datetime", "utc", "iso", "value", "date", "en", "text", "local", "timestamp")
EPOCH_RANGES = {"epoch_s": (10**8, 10**11), "epoch_ms": (10**11, 10**14)}  # from 1973 on


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


def find_records_path(
    document: Any, configured: str | None, contract: Mapping[str, FieldReader]
) -> RecordsPath:
    """Return the path of the records: the configured one, or the best one found instead."""
    used = configured if configured is not None else _detect_path(document)
    check = list_selector_check(
        configured, lambda value: contract["id"].read([value])[0] is not None
    )
    problem = check(document)
    if problem is None:
        rows = extract_records(document, used)
        # A list at a plain path may be empty.
        is_plain = configured and PLAIN_SELECTOR.fullmatch(configured)
        if is_plain or rows if configured else any(isinstance(row, dict) for row in rows):
            return RecordsPath(configured, used)
        problem = f"has no records under `{used}`"
    paths = (to_json_path(document, keys) for keys in _find_record_lists(document, contract))
    suggestion = next(filter(None, paths), None)
    return RecordsPath(configured, suggestion or used, problem, suggestion)


def _detect_path(document: Any) -> str:
    """Return the path that dlt detects without a configured selector."""
    return RESTClient("").detect_data_selector(JsonResponse(orjson.dumps(document), {}))


def extract_records(document: Any, selector: str) -> list[Any]:
    """Return the records in a document, as dlt's client does."""
    found = [match.value for match in cast("JSONPath", compile_path(selector)).find(document)]
    rows = found[0] if len(found) == 1 else found
    if isinstance(rows, list):
        return rows
    return [] if rows is None else [rows]


def _find_record_lists(document: Any, contract: Mapping[str, FieldReader]) -> list[Keys]:
    """Return the paths of the lists of objects, best fit with the contract first."""
    lists = [
        (keys, value)
        for keys, value in _walk(document)
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value[:10])
    ]

    def fitness(item: tuple[Keys, Sequence[Any]]) -> tuple[int, int, int, int]:
        keys, records = item
        sample = records[:10]
        fitting = sum(any(v is not None for v in r.read(sample)) for r in contract.values())
        return fitting, max(len(record) for record in sample), len(records), -len(keys)

    return [keys for keys, _ in sorted(lists, key=fitness, reverse=True)]


def _walk(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Yield a value and the members of its nested objects, each with the names that lead to it."""
    yield keys, value
    if isinstance(value, dict) and len(keys) < MAX_DEPTH:
        for name, member in value.items():
            yield from _walk(member, (*keys, name))


def to_json_path(document: Any, keys: Keys) -> str | None:
    """Return `keys` as a JSON path that finds the value, or None; braces would be a template."""
    if any({"{", "}"} & set(name) for name in keys):
        return None
    value = reduce(getitem, keys, document)
    for quoted in (False, True):
        names = [f"'{name}'" if quoted else name for name in keys]
        path = ".".join(names) or "$"
        try:
            found = jsonpath.find_values(jsonpath.compile_path(path), document)
        except JSONPathError:
            continue
        if len(found) == 1 and found[0] is value:
            return path
    return None


def find_totals(document: Any) -> dict[Keys, int]:
    """Return the numbers outside of lists that may be a total by their name, usual paths first."""
    usual = {keys: find_count(document, (keys,)) for keys in TOTAL_PATHS}
    others = {
        keys: parse_count(value)
        for keys, value in _walk(document)
        if keys and TOTAL_NAME.search(keys[-1])
    }
    return {keys: count for keys, count in {**usual, **others}.items() if count is not None}


def _collect_leaves(records: Sequence[Any]) -> dict[str, list[Any]]:
    """Return the values of each path that is not an object; None where a record has none.

    A list is one value; names that a path cannot contain are left out.
    """
    found: dict[str, list[Any]] = {}
    for number, record in enumerate(records):
        for keys, value in _walk(record):
            named = keys and all(name and not set(name) & set(".{}*") for name in keys)
            if named and not isinstance(value, dict):
                found.setdefault(".".join(keys), [None] * len(records))[number] = value
    return found


def find_id(records: Sequence[Any]) -> str | None:
    """Return the path of an id: text or whole number, present in each record, unique."""
    ranked = []
    for path, values in _collect_leaves(records).items():
        name = _normalize(path.rpartition(".")[2])
        is_complete = all(type(value) in (str, int) and value != "" for value in values)
        if (
            (name in ID_NAMES or name.endswith("id"))
            and is_complete
            and len(set(map(str, values))) == len(values)
        ):
            ranked.append((path.count("."), _rank(name, ID_NAMES), path))
    return min(ranked)[2] if ranked else None


def _rank(name: str, names: Sequence[str]) -> int:
    return names.index(name) if name in names else len(names)


def find_field(
    name: str, field: FieldConfig, records: Sequence[Any], taken: Collection[str]
) -> dict[str, Any] | None:
    """Return the contract's settings (`from`, `format`) that find a field, or None."""
    leaves = _collect_leaves(records).items()
    paths = [p for p, values in leaves if p not in taken and any(v is not None for v in values)]
    ranked = [(rank, p) for p in paths if (rank := _rank_for_field(name, p)) is not None]
    settings = (_find_settings(name, field, path, records) for _, path in sorted(ranked))
    return next((found for found in settings if found is not None), None)


def _find_settings(
    name: str, field: FieldConfig, path: str, records: Sequence[Any]
) -> dict[str, Any] | None:
    """Return the settings that read a path as the field's type, or None."""
    formats = [field.format] if field.format or field.type != "timestamp" else [None, *EPOCH_RANGES]
    for format_ in formats:
        present, fitting = _count_fitting(name, field, path, format_, records)
        if present and fitting >= 0.95 * present:
            settings: dict[str, Any] = {"from": path}
            parent, dot, _ = path.rpartition(".")
            any_member = [path, f"{parent}.*"]
            if dot and _count_fitting(name, field, any_member, format_, records)[1] > fitting:
                settings = {"from": any_member}  # such as names in several languages
            return settings if format_ == field.format else {**settings, "format": format_}
    return None


def _count_fitting(
    name: str, field: FieldConfig, source: Any, format_: str | None, records: Sequence[Any]
) -> tuple[int, int]:
    """Count the values that are present, and those that have the field's type."""
    reader = FieldReader(name, field.model_copy(update={"source": source, "format": format_}))
    values = reader.read(records)
    present = [value for value in values if value is not None]
    if format_ in EPOCH_RANGES:
        low, high = EPOCH_RANGES[format_]
        if not all(type(value) in (int, float) and low <= value < high for value in present):
            return len(present), 0
    array = reader.to_arrow(values, records)
    return len(present), len(array) - array.null_count


def _rank_for_field(name: str, path: str) -> tuple[int, int, int] | None:
    """Return how well a path matches a field's name (smaller is better), or None."""
    parts, own = [_normalize(part) for part in path.split(".")], _normalize(name)
    if "".join(parts) == own or parts[-1] == own:
        return 0, len(parts), 0
    if parts[0] == own and len(parts) == 2:  # an object of that name
        return 1, _rank(parts[1], NESTED_NAMES), 0
    words = SYNONYMS.get(name, ())
    if parts[-1] in words:
        return 2, words.index(parts[-1]), len(parts)
    outer = next((part for part in parts[:-1] if part in words), None)
    if outer and parts[-1] in NESTED_NAMES:
        return 3, words.index(outer), NESTED_NAMES.index(parts[-1])
    return None


def _normalize(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
