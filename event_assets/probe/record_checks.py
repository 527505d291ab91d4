"""Checks of the records: their path, and their ids."""

from __future__ import annotations

from event_assets.probe.examination import Examination
from event_assets.probe.field_checks import MAX_EXAMPLES, format_paths
from event_assets.probe.field_finder import find_id
from event_assets.probe.report import Finding, fail, ok, warn
from event_assets.values.wording import counted


def check_records(seen: Examination) -> Finding:
    """Check that the selector finds records, or name one that does."""
    path, count = seen.records_path, len(seen.records)
    used = seen.formatter.format(path.used)
    change = {"data_selector": path.used}
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
    return ok(f"{where} {counted(count)}.")


def check_id(seen: Examination) -> Finding:
    """Check that each record has an id of its own."""
    reader, records = seen.contract["id"], seen.records
    values = reader.to_arrow(reader.read(records), records).to_pylist()
    present = [value for value in values if value is not None]
    missing, duplicates = len(values) - len(present), len(present) - len(set(present))
    path = format_paths(reader)
    if present and not missing and not duplicates:
        examples = seen.formatter.format_list(present[:MAX_EXAMPLES])
        return ok(f"{path} is unique in all {len(records)}; {examples}.")
    problem = (
        f"{missing} of {counted(len(records))} have no {path}"
        if missing
        else f"{duplicates} of {counted(len(records))} have a duplicate {path}"
    )
    if not duplicates and missing <= seen.source.max_rejects * len(records):
        return warn(f"{problem}: they do not load and become rejects.")
    is_key = seen.source.fields["id"].source is None
    setting = "primary_key" if is_key else "fields.id.from"
    setting_name = "`primary_key`" if is_key else "`from` of the field `id`"
    if suggestion := find_id(seen.sample):
        unique = f"`{seen.formatter.format(suggestion)}` is unique: set it as {setting_name}"
        return fail(f"{problem}; {unique}.", {setting: suggestion})
    return fail(f"{problem}; set {setting_name} to a unique field.")
