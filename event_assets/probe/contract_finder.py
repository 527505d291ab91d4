"""Find the contract of a source in its records: the fields, the primary key, and their doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import ValidationError

from event_assets.config.fields import FieldConfig
from event_assets.probe import field_words as words
from event_assets.probe.field_finder import find_composite_id, find_id, find_name
from event_assets.probe.inquiry import Inquiry
from event_assets.probe.samples import FieldFinding, Sample, is_foreign, last_name
from event_assets.probe.time_finder import find_end, find_start, find_updated
from event_assets.probe.time_formats import to_datetimes
from event_assets.records.contract import FieldReader
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import as_list

COLUMNS = {"name": "text", "start_time": "timestamp", "end_time": "timestamp"} | {
    "updated_at": "timestamp"
}
REQUIRED = {"name": "the name", "start_time": "the start"}
PREVIEWED = ("id", "name", "start_time", "end_time")
MANY = 10  # events, of which an API that lists past ones has some
MAX_NAMED = 12  # fields that a question lists


def find_fields(sample: Sample) -> dict[str, FieldFinding | None]:
    """Return where the contract's fields are, by their columns."""
    start = find_start(sample)
    return {
        "name": find_name(sample),
        "start_time": start,
        "end_time": find_end(sample, start),
        "updated_at": find_updated(sample),
    }


def describe_contract(inquiry: Inquiry, sample: Sample) -> tuple[dict[str, Any], Any]:
    """Return the contract's fields and the primary key; tell what they rest on, and ask."""
    findings = find_fields(sample)
    zone = inquiry.options.get("fields.start_time.timezone")
    fields: dict[str, Any] = {"id": {"type": "text", "nullable": False}}
    for column, finding in findings.items():
        if finding:
            own = {k: v for k, v in finding.settings.items() if (k, v) != ("from", column)}
            if zone and column == "end_time" and not finding.zone:
                own["timezone"] = zone  # which was said of the start
            fields[column] = {"type": COLUMNS[column], **own}
            _add_field(inquiry, column, finding, sample)
        elif column in REQUIRED:
            paths = [f"`{path}`" for path in sample.leaves if path.count(".") <= 2][:MAX_NAMED]
            inquiry.question(
                f"fields.{column}",
                f"Which field is {REQUIRED[column]} of an event? There are {', '.join(paths)}: "
                f"--set fields.{column}.from=PATH.",
            )
    key = find_id(sample) or find_composite_id(sample, findings["start_time"])
    if key:
        count = len(sample.all_records)
        inquiry.add("id", f"`{'`, `'.join(as_list(key))}`", f"unique in {count:,} records")
    else:
        inquiry.question(
            "primary_key",
            "Which field tells the events apart? None with the name of an id is unique: --set "
            "primary_key=PATH.",
        )
    return fields, key or "id"


def find_removed(inquiry: Inquiry, sample: Sample) -> dict[str, Any]:
    """Return how the records of removed events are told, as `removed_when`; tell what was found.

    A cancelled event is told only: it is an event all the same.
    """
    for path, (_, share) in _find_marks(sample, words.CANCELLED).items():
        inquiry.add("cancelled", f"`{path}`", f"{share}; such events stay current")
    removed = _find_marks(sample, words.REMOVED)
    for path, (_, share) in removed.items():
        inquiry.add("removed", f"`{path}`", f"{share}; such events are no longer current")
    return {path: mark for path, (mark, _) in removed.items()}


def _find_marks(sample: Sample, meanings: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return by path the value of a flag or a state that has a meaning, and how many have it."""
    found: dict[str, tuple[Any, str]] = {}
    for path in filter(lambda path: not is_foreign(path), sample.leaves):
        values, name = sample.present(path), {*words.split_name(last_name(path))}
        marks: list[Any] = []
        if name & meanings and values and all(isinstance(value, bool) for value in values):
            marks = [True]
        elif name & words.STATE:
            marks = sorted({one for one in map(str, values) if one.lower() in meanings})
        if marks:
            count = sum(value in marks for value in values)
            mark = marks[0] if len(marks) == 1 else marks
            found[path] = mark, f"{count:,} of {len(values):,} records are marked"
    return found


def _add_field(inquiry: Inquiry, column: str, finding: FieldFinding, sample: Sample) -> None:
    values, _ = sample.read(COLUMNS[column], finding.settings)
    share = sum(value is not None for value in values) / max(1, len(values))
    evidence = f"in {share:.0%} of {len(values):,} records"
    is_known = bool(finding.zone) or COLUMNS[column] == "text"
    zone = inquiry.options.get("fields.start_time.timezone")
    if not is_known and not zone:
        evidence += "; local times without a zone, taken as UTC"
    inquiry.found.comments[("attributes", "fields", column)] = evidence
    shown = f"`{'`, `'.join(finding.sources)}`"
    inquiry.add(column, shown, evidence, "sure" if is_known else "assumed")
    if column == "start_time" and not is_known:
        inquiry.question(
            "fields.start_time.timezone",
            f"In which time zone are the times? They name none, such as `{values[0]}`, and are "
            "taken as UTC; else --set fields.start_time.timezone=Europe/Berlin.",
            {"UTC": {"fields.start_time.timezone": "UTC"}},
            is_open=False,
        )
    if column == "start_time" and _are_all_to_come(sample, finding):
        inquiry.question(
            "params",
            "All events are still to come: if the API has past ones, too, ask for them by its "
            "parameters, such as --set params.start_date=2000-01-01.",
            is_open=False,
        )
    if column == "start_time" and finding.rivals:
        formats = [finding.settings["format"], *finding.rivals]
        ends = ["start_time", *(["end_time"] if find_end(sample, finding) else [])]
        inquiry.question(
            "fields.start_time.format",
            f"Is `{values[0]}` written day first or month first? Every value can be read as "
            f"{' and as '.join(formats)}.",
            {one: {f"fields.{end}.format": one for end in ends} for one in formats},
        )


def _are_all_to_come(sample: Sample, start: FieldFinding) -> bool:
    """Return whether there are many events, and none that started before today."""
    moments = [moment for moment in sample.read("timestamp", start.settings)[1] if moment]
    today = datetime.now(timezone.utc) - timedelta(days=1)
    return len(moments) >= MANY and all(moment >= today for moment in moments)


def _read_field(name: str, settings: Mapping[str, Any]) -> FieldConfig:
    try:
        return FieldConfig.model_validate(settings)
    except ValidationError as error:
        problem = error.errors()[0]
        at = ".".join(map(str, ("fields", name, *problem["loc"])))
        raise ConfigError(f"`{at}`: {problem['msg']}: correct it by --set {at}=VALUE.") from None


def preview(document: Mapping[str, Any], records: Sequence[Any]) -> list[dict[str, Any]]:
    """Return events as they will be in the table: id, name, start and end."""
    attributes = document["attributes"]
    key = attributes["rest_api"]["resource_defaults"]["primary_key"]
    columns: dict[str, list[Any]] = {}
    for name in PREVIEWED:
        if name in attributes["fields"]:
            config = _read_field(name, attributes["fields"][name])
            reader = FieldReader(name, config, key if name == "id" else ())
            column = reader.to_arrow(reader.read(records), records)
            is_time = config.type == "timestamp"
            columns[name] = to_datetimes(column) if is_time else column.to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
