"""Checks of the contract's fields: what a sync reads of them, and where `connect` finds them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from event_assets.probe import field_words as words
from event_assets.probe.field_finder import find_name
from event_assets.probe.probed_source import ProbedSource
from event_assets.probe.report import Finding, Mark, fail, ok, warn
from event_assets.probe.samples import FieldFinding, Sample, is_foreign, last_name
from event_assets.probe.time_finder import find_end, find_start, find_updated
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
    records, formatter = seen.records[:MAX_RECORDS], seen.formatter
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
            problem = f"{formatter.format_list(invalid[:1])} at {path} {reader.error(invalid[0])}"
            problem += f" ({len(invalid)} of {counted(len(records))})"
        if other:
            return _advise(seen, reader, "fail", problem, other)
        advice = "set `from` to its path, or remove it from `fields`"
        return fail_or_warn(f"{problem}: {advice}.")
    examples = list({repr(value): value for value in present}.values())[:MAX_EXAMPLES]
    found = f"{nulls / len(records):.0%} null at {path}; {formatter.format_list(examples)}"
    if rejected:
        reason = reader.error(invalid[0]) if invalid else "is missing"
        rejects = f"{rejected} of {len(records)} would be rejected, because the value {reason}"
        return fail_or_warn(f"{found}: {rejects}.")
    if doubt := _find_doubt(seen, reader, present, other):
        problem, settings = doubt
        return _advise(seen, reader, "warn", f"{found}: {problem}", settings)
    return ok(f"{found}.")


def _find_doubt(
    seen: ProbedSource, reader: FieldReader, present: Sequence[Any], other: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]] | None:
    """Return why values that a sync can read may be wrong, and settings that are right, if any."""
    field = reader.field
    entities = [v for v in present if type(v) is str and html.unescape(v) != v]
    if entities and field.type == "text":
        share, example = f"{len(entities)} of {counted(len(present))}", entities[:1]
        named = seen.formatter.format_list(example)
        return f"{share} have HTML entities, such as {named}", {"html": "unescape"}
    if reader.name == "name" and "from" in other and any(map(is_foreign, as_list(field.source))):
        return "that is the name of something else", other
    if field.type != "timestamp" or field.timezone:
        return None
    if [*other] == ["timezone"]:
        return "these are local times, which a sync takes as UTC", other
    finding = _find(seen.sample, reader.name, field.type)
    if finding is None or finding.zone or other:
        return None
    zone = "set `timezone` to their zone, or to UTC"
    return f"these are local times without a zone, which a sync takes as UTC; {zone}", {}


def _advise(
    seen: ProbedSource, reader: FieldReader, mark: Mark, problem: str, settings: Mapping[str, Any]
) -> Finding:
    """Return a finding that says which settings of the field to set, if any."""
    shown = ", ".join(f"`{k}: {seen.formatter.format(v)}`" for k, v in settings.items())
    changes = {f"fields.{reader.name}.{key}": value for key, value in settings.items()}
    return Finding(mark, f"{problem}; set {shown}." if shown else f"{problem}.", changes)


def _find_other(sample: Sample, reader: FieldReader) -> Mapping[str, Any]:
    """Return the settings by which a field would be read, if they are not the configured ones."""
    field = reader.field
    finding = _find(sample, reader.name, field.type)
    configured = {"from": as_list(field.source) or [reader.name], "format": as_list(field.format)}
    configured |= {"timezone": as_list(field.timezone), "html": as_list(field.html)}
    found = finding.settings if finding else {}
    return {k: found[k] for k in SETTINGS if k in found and as_list(found[k]) != configured[k]}


def _find(sample: Sample, name: str, kind: str) -> FieldFinding | None:
    """Return where a field is: by its meaning, or else by its own name."""
    own = {*words.split_name(name)}
    if kind == "timestamp":
        if own & words.UPDATED:
            return find_updated(sample)
        if own & words.END:
            return find_end(sample, find_start(sample))
        if own & words.START:
            return find_start(sample)
    elif name in words.NAME:
        return find_name(sample)
    for path in sorted(sample.leaves, key=len):
        is_time = kind != "timestamp" or path in sample.formats
        if is_time and words.split_name(last_name(path)) == words.split_name(name):
            return FieldFinding({"from": path}, "unknown")
    return None


def format_paths(reader: FieldReader) -> str:
    """Return the paths that a field is read from, for display."""
    return ", ".join(f"`{path}`" for path in reader.source_paths)
