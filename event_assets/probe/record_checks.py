"""Checks of the records: their path, their ids, and the fields of the contract."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from event_assets.probe.examination import Examination
from event_assets.probe.field_finder import find_id
from event_assets.probe.formatting import pluralize
from event_assets.probe.report import Finding, Setting, fail, ok, skip, warn
from event_assets.probe.suggestions import find_field, is_doubtful_name, lacks_zone
from event_assets.records.contract import FieldReader

MAX_EXAMPLES = 3


def check_records(seen: Examination) -> Finding:
    """Check that the selector finds records, or name one that does."""
    path, count = seen.records_path, len(seen.records)
    used = seen.formatter.format(path.used)
    change: dict[Setting, Any] = {("data_selector",): path.used}
    objects = sum(isinstance(record, dict) for record in seen.records)
    if path.problem and path.suggestion is None:
        return fail(
            f"the response {path.problem}, and no other list of objects; check the endpoint's "
            "path and `data_selector`."
        )
    if path.problem:
        found = f"{count} are under `{used}`: set `data_selector: {used}`."
        return fail(f"the response {path.problem}; {found}", change)
    if objects < count:
        missing = f"{count - objects} of {count}"
        return fail(f"{missing} under `{used}` are not objects; check `data_selector`.")
    if not count:
        return warn(f"the list under `{used}` is empty: nothing to check.")
    if path.configured is None and path.used != "$":
        return warn(
            f"{count} under `{used}`, a detected path: set `data_selector: {used}`, so that a "
            "response without it is an error.",
            change,
        )
    where = "the response is a list of" if used == "$" else f"`{used}` has"
    return ok(f"{where} {pluralize(count)}.")


def check_id(seen: Examination) -> Finding:
    """Check that each record has an id of its own."""
    reader, records = seen.contract["id"], seen.records
    if not records:
        return skip("no records to check.")
    values = reader.to_arrow(reader.read(records), records).to_pylist()
    present = [value for value in values if value is not None]
    missing, duplicates = len(values) - len(present), len(present) - len(set(present))
    path = _format_paths(reader)
    if present and not missing and not duplicates:
        examples = seen.formatter.format_list(present[:MAX_EXAMPLES])
        return ok(f"{path} is unique in all {len(records)}; {examples}.")
    problem = (
        f"{missing} of {pluralize(len(records))} have no {path}"
        if missing
        else f"{duplicates} of {pluralize(len(records))} have a duplicate {path}"
    )
    if not duplicates and missing <= seen.source.max_rejects * len(records):
        return warn(f"{problem}: they do not load and become rejects.")
    is_key = seen.source.fields["id"].source is None
    setting: Setting = ("primary_key",) if is_key else ("from", "id")
    setting_name = "`primary_key`" if is_key else "`from` of the field `id`"
    if suggestion := find_id(seen.sample):
        unique = f"`{seen.formatter.format(suggestion)}` is unique: set it as {setting_name}"
        return fail(f"{problem}; {unique}.", {setting: suggestion})
    return fail(f"{problem}; set {setting_name} to a unique field.")


def check_fields(seen: Examination) -> dict[str, Finding]:
    """Check the presence and type of each field of the contract."""
    readers = seen.contract.values()
    return {
        f"field {reader.name}": _check_field(seen, reader)
        for reader in readers
        if reader.name != "id"
    }


def _check_field(seen: Examination, reader: FieldReader) -> Finding:
    records, formatter = seen.records[:100], seen.formatter
    if not records:
        return skip("no records to check.")
    values = reader.read(records)
    valid = reader.to_arrow(values, records).is_valid().to_pylist()
    present = [value for value in values if value is not None]
    invalid = [v for v, fits in zip(values, valid, strict=True) if v is not None and not fits]
    path, nulls = _format_paths(reader), len(records) - len(present)
    rejected = len(invalid) if reader.field.nullable else len(invalid) + nulls
    allowed = seen.source.max_rejects * len(records)
    fail_or_warn = fail if rejected > allowed else warn
    if not present or len(invalid) > allowed:
        problem = (
            f"{formatter.format_list(invalid[:1])} at {path} {reader.error(invalid[0])} "
            f"({len(invalid)} of {len(records)} records)"
            if invalid
            else f"{path} was not found in {pluralize(len(records))}"
        )
        if settings := find_field(seen.sample, reader.name, reader.field):
            return fail(f"{problem}; set {_texts(seen, settings)}.", _changes(reader, settings))
        advice = "set `from` to its path, or remove it from `fields`"
        return fail_or_warn(f"{problem}: {advice}.")
    examples = list({repr(value): value for value in present}.values())[:MAX_EXAMPLES]
    found = f"{nulls / len(records):.0%} null at {path}; {formatter.format_list(examples)}"
    entities = [v for v in present if type(v) is str and html.unescape(v) != v]
    if not rejected and entities and reader.field.type == "text":
        named = formatter.format_list(entities[:1])
        problem = (
            f"{len(entities)} of {pluralize(len(records))} have HTML entities, such as {named}"
        )
        return warn(
            f"{found}: {problem}; set `html: unescape`.", {("html", reader.name): "unescape"}
        )
    if not rejected:
        return _check_meaning(seen, reader, found)
    reason = reader.error(invalid[0]) if invalid else "is missing"
    rejects = f"{rejected} of {len(records)} would be rejected, because the value {reason}"
    return fail_or_warn(f"{found}: {rejects}.")


def _check_meaning(seen: Examination, reader: FieldReader, found: str) -> Finding:
    """Check that a field with good values is what it is called, and in which time zone it is."""
    settings = find_field(seen.sample, reader.name, reader.field)
    if reader.name == "name" and is_doubtful_name(seen.sample, reader.field) and settings:
        problem = "that is the name of something else"
        changes = _changes(reader, settings)
        return warn(f"{found}: {problem}; set {_texts(seen, settings)}.", changes)
    if reader.field.timezone is None and [*settings] == ["timezone"]:
        problem = "these are local times, which a sync takes as UTC"
        changes = _changes(reader, settings)
        return warn(f"{found}: {problem}; set {_texts(seen, settings)}.", changes)
    if lacks_zone(seen.sample, reader.name, reader.field):
        problem = "these are local times without a zone, which a sync takes as UTC"
        return warn(f"{found}: {problem}; set `timezone` to their zone, or to UTC.")
    return ok(f"{found}.")


def _texts(seen: Examination, settings: Mapping[str, Any]) -> str:
    return ", ".join(f"`{k}: {seen.formatter.format(v)}`" for k, v in settings.items())


def _changes(reader: FieldReader, settings: Mapping[str, Any]) -> dict[Setting, Any]:
    return {(key, reader.name): value for key, value in settings.items()}


def _format_paths(reader: FieldReader) -> str:
    return ", ".join(f"`{path}`" for path in reader.source_paths)
