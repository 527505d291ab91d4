"""Checks of the records: their path, their ids, and the fields of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from event_assets.probe.formatting import pluralize
from event_assets.probe.report import Finding, Mark, Setting
from event_assets.probe.responses import ProbeResponses
from event_assets.probe.suggestions import find_field, find_id
from event_assets.records.contract import FieldReader

SAMPLE_SIZE = 100  # records
MAX_EXAMPLES = 3


def check_records(responses: ProbeResponses) -> Finding:
    """Check that the selector finds records, or name one that does."""
    name, path, count = "records", responses.records_path, len(responses.records)
    used = responses.formatter.format(path.used)
    objects = sum(isinstance(record, dict) for record in responses.records)
    if path.problem and path.suggestion is None:
        return Finding(
            "fail",
            name,
            f"the response {path.problem}, and no other list of objects; check the endpoint's "
            "path and `data_selector`.",
        )
    if path.problem:
        return Finding(
            "fail",
            name,
            f"the response {path.problem}; {count} are under `{used}`: "
            f"set `data_selector: {used}`.",
            {("data_selector",): path.used},
        )
    if objects < count:
        return Finding(
            "fail",
            name,
            f"{count - objects} of {count} under `{used}` are not objects; check `data_selector`.",
        )
    if not count:
        return Finding("warn", name, f"the list under `{used}` is empty: nothing to check.")
    if path.configured is None and path.used != "$":
        return Finding(
            "warn",
            name,
            f"{count} under `{used}`, a detected path: set `data_selector: {used}`, so that a "
            "response without it is an error.",
            {("data_selector",): path.used},
        )
    where = "the response is a list of" if used == "$" else f"`{used}` has"
    return Finding("ok", name, f"{where} {pluralize(count)}.")


def check_id(responses: ProbeResponses) -> Finding:
    """Check that each record has an id of its own."""
    name, reader, records = "id", responses.contract["id"], responses.records
    if not records:
        return Finding("-", name, "no records to check.")
    values = reader.to_arrow(reader.read(records), records).to_pylist()
    present = [value for value in values if value is not None]
    missing, duplicates = len(values) - len(present), len(present) - len(set(present))
    path = _format_paths(reader)
    if present and not missing and not duplicates:
        examples = responses.formatter.format_list(present[:MAX_EXAMPLES])
        return Finding("ok", name, f"{path} is unique in all {len(records)}; {examples}.")
    problem = (
        f"{missing} of {pluralize(len(records))} have no {path}"
        if missing
        else f"{duplicates} of {pluralize(len(records))} have a duplicate {path}"
    )
    if not duplicates and missing <= responses.source.max_rejects * len(records):
        return Finding("warn", name, f"{problem}: they do not load and become rejects.")
    is_key = responses.source.fields["id"].source is None
    setting = ("primary_key",) if is_key else ("from", "id")
    setting_name = "`primary_key`" if is_key else "`from` of the field `id`"
    if suggestion := find_id(records):
        unique = f"`{responses.formatter.format(suggestion)}` is unique: set it as {setting_name}"
        return Finding("fail", name, f"{problem}; {unique}.", {setting: suggestion})
    return Finding("fail", name, f"{problem}; set {setting_name} to a unique field.")


def check_fields(responses: ProbeResponses) -> Iterator[Finding]:
    """Check the presence and type of each field of the contract."""
    records = responses.records[:SAMPLE_SIZE]
    used_paths = {path for reader in responses.contract.values() for path in reader.source_paths}
    for name, reader in responses.contract.items():
        if name != "id":
            yield _check_field(responses, reader, records, used_paths - set(reader.source_paths))


def _check_field(
    responses: ProbeResponses, reader: FieldReader, records: Sequence[Any], used_paths: set[str]
) -> Finding:
    name = f"field {reader.name}"
    if not records:
        return Finding("-", name, "no records to check.")
    values = reader.read(records)
    valid = reader.to_arrow(values, records).is_valid().to_pylist()
    present = [value for value in values if value is not None]
    invalid = [v for v, ok in zip(values, valid, strict=True) if v is not None and not ok]
    path, nulls = _format_paths(reader), len(records) - len(present)
    rejected = len(invalid) if reader.field.nullable else len(invalid) + nulls
    allowed = responses.source.max_rejects * len(records)
    mark: Mark = "fail" if rejected > allowed else "warn"
    if not present or len(invalid) > allowed:
        problem = (
            f"{responses.formatter.format_list(invalid[:1])} at {path} "
            f"{reader.error(invalid[0])} ({len(invalid)} of {len(records)} records)"
            if invalid
            else f"{path} was not found in {pluralize(len(records))}"
        )
        if settings := find_field(reader.name, reader.field, records, used_paths):
            return _suggest_settings(responses, reader, problem, settings)
        advice = "set `from` to its path, or remove it from `fields`"
        return Finding(mark, name, f"{problem}: {advice}.")
    examples = responses.formatter.format_list(_unique(present)[:MAX_EXAMPLES])
    found = f"{nulls / len(records):.0%} null at {path}; {examples}"
    if not rejected:
        return Finding("ok", name, f"{found}.")
    reason = reader.error(invalid[0]) if invalid else "is missing"
    rejects = f"{rejected} of {len(records)} would be rejected, because the value {reason}"
    return Finding(mark, name, f"{found}: {rejects}.")


def _suggest_settings(
    responses: ProbeResponses, reader: FieldReader, problem: str, settings: dict[str, Any]
) -> Finding:
    texts = ", ".join(f"`{key}: {responses.formatter.format(v)}`" for key, v in settings.items())
    changes: dict[Setting, Any] = {(key, reader.name): v for key, v in settings.items()}
    return Finding("fail", f"field {reader.name}", f"{problem}; set {texts}.", changes)


def _format_paths(reader: FieldReader) -> str:
    return ", ".join(f"`{path}`" for path in reader.source_paths)


def _unique(values: Sequence[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())
