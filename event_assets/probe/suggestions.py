"""Suggest where a field of the contract is, when the configuration has it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from event_assets.config.fields import FieldConfig
from event_assets.probe import field_words as words
from event_assets.probe.field_finder import find_name
from event_assets.probe.samples import FieldFinding, Sample, is_foreign, last_name
from event_assets.probe.time_finder import find_end, find_start, find_updated
from event_assets.values.json_paths import as_list

SETTINGS = ("from", "format", "timezone", "html")


def find_field(sample: Sample, name: str, field: FieldConfig) -> Mapping[str, Any]:
    """Return the settings in which a field's place differs from the configured one; may be none."""
    finding = _find(sample, name, field.type)
    if finding is None:
        return {}
    configured = {"from": as_list(field.source) or [name], "format": as_list(field.format)}
    configured |= {"timezone": as_list(field.timezone), "html": as_list(field.html)}
    found = {key: finding.settings[key] for key in SETTINGS if key in finding.settings}
    return {key: value for key, value in found.items() if as_list(value) != configured[key]}


def lacks_zone(sample: Sample, name: str, field: FieldConfig) -> bool:
    """Return whether a field has local times, and nothing says in which time zone."""
    finding = _find(sample, name, field.type)
    is_known = field.type != "timestamp" or field.timezone or finding is None or finding.zone
    return not is_known and not find_field(sample, name, field)


def is_doubtful_name(sample: Sample, field: FieldConfig) -> bool:
    """Return whether the name is read from another object, such as the venue."""
    return any(map(is_foreign, as_list(field.source))) and find_name(sample) is not None


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
        is_time = kind != "timestamp" or sample.format_of(path) is not None
        if is_time and words.split_name(last_name(path)) == words.split_name(name):
            return FieldFinding({"from": path}, "unknown")
    return None
