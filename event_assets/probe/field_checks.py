"""Checks of the contract's fields: what a sync reads of them, and where `connect` finds them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from event_assets.probe.field_finder import find_field
from event_assets.probe.formatting import shown, shown_list
from event_assets.probe.probed_source import ProbedSource
from event_assets.probe.report import Finding, Mark, fail, ok, warn
from event_assets.probe.samples import Sample, is_foreign
from event_assets.records.contract import FieldReader
from event_assets.values.json_paths import as_list
from event_assets.values.wording import counted

MAX_EXAMPLES = 3
MAX_RECORDS = 100
SETTINGS = ("from", "format", "timezone", "html")


def check_fields(seen: ProbedSource) -> dict[str, Finding]:
    """Check the presence, the type and the meaning of each field of the contract but the id."""
    readers = (reader for reader in seen.contract.values() if reader.name != "id")
    return {f"field {reader.name}": _check_field(seen, reader) for reader in readers}


def _check_field(seen: ProbedSource, reader: FieldReader) -> Finding:
    records = seen.records[:MAX_RECORDS]
    values = reader.read(records)
    valid = reader.to_arrow(values, records).is_valid().to_pylist()
    present = [value for value in values if value is not None]
    invalid = [v for v, fits in zip(values, valid, strict=True) if v is not None and not fits]
    path, nulls = format_paths(reader), len(records) - len(present)
    rejected = len(invalid) if reader.field.nullable else len(invalid) + nulls
    allowed = seen.source.max_rejects * len(records)
    fail_or_warn = fail if rejected > allowed else warn
    other = _find_other(seen.sample, reader)
    if not present or len(invalid) > allowed:
        problem = f"{path} was not found in {counted(len(records))}"
        if invalid:
            problem = f"{shown_list(invalid[:1])} at {path} {reader.error(invalid[0])}"
            problem += f" ({len(invalid)} of {counted(len(records))})"
        if other:
            return _advise(reader, "fail", problem, other)
        advice = "set `from` to its path, or remove it from `fields`"
        return fail_or_warn(f"{problem}: {advice}.")
    examples = list({repr(value): value for value in present}.values())[:MAX_EXAMPLES]
    found = f"{nulls / len(records):.0%} null at {path}; {shown_list(examples)}"
    if rejected:
        reason = reader.error(invalid[0]) if invalid else "is missing"
        rejects = f"{rejected} of {len(records)} would be rejected, because the value {reason}"
        return fail_or_warn(f"{found}: {rejects}.")
    if doubt := _find_doubt(seen, reader, present, other):
        problem, settings = doubt
        return _advise(reader, "warn", f"{found}: {problem}", settings)
    return ok(f"{found}.")


def _find_doubt(
    seen: ProbedSource, reader: FieldReader, present: Sequence[Any], other: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]] | None:
    """Return why values that a sync can read may be wrong, and settings that are right, if any."""
    field = reader.field
    entities = [v for v in present if type(v) is str and html.unescape(v) != v]
    if entities and field.type == "text":
        problem = f"{len(entities)} of {counted(len(present))} have HTML entities"
        return f"{problem}, such as {shown_list(entities[:1])}", {"html": "unescape"}
    if reader.name == "name" and "from" in other and any(map(is_foreign, as_list(field.source))):
        return "that is the name of something else", other
    if field.type != "timestamp" or field.timezone:
        return None
    if [*other] == ["timezone"]:
        return "these are local times, which a sync takes as UTC", other
    finding = find_field(seen.sample, reader.name, field.type)
    if finding is None or finding.zone or other:
        return None
    zone = "set `timezone` to their zone, or to UTC"
    return f"these are local times without a zone, which a sync takes as UTC; {zone}", {}


def _advise(reader: FieldReader, mark: Mark, problem: str, settings: Mapping[str, Any]) -> Finding:
    """Return a finding that says which settings of the field to set, if any."""
    advice = ", ".join(f"`{name}: {shown(value)}`" for name, value in settings.items())
    changes = {f"fields.{reader.name}.{key}": value for key, value in settings.items()}
    return Finding(mark, f"{problem}; set {advice}." if advice else f"{problem}.", changes)


def _find_other(sample: Sample, reader: FieldReader) -> Mapping[str, Any]:
    """Return the settings by which a field would be read, if they are not the configured ones."""
    field = reader.field
    finding = find_field(sample, reader.name, field.type)
    configured = {"from": as_list(field.source) or [reader.name], "format": as_list(field.format)}
    configured |= {"timezone": as_list(field.timezone), "html": as_list(field.html)}
    found = finding.settings if finding else {}
    return {k: found[k] for k in SETTINGS if k in found and as_list(found[k]) != configured[k]}


def format_paths(reader: FieldReader) -> str:
    """Return the paths that a field is read from, for display."""
    return ", ".join(f"`{path}`" for path in reader.source_paths)
