"""Find the contract of a source in its records: the fields, the primary key, and their doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from event_assets.config.source import DEFAULT_MAX_REJECTS
from event_assets.probe import field_finder, time_finder
from event_assets.probe import field_words as words
from event_assets.probe.discovery import Certainty, Choices, Discovery
from event_assets.probe.list_questions import ask_about_range
from event_assets.probe.report import shown
from event_assets.probe.samples import (
    NOTHING,
    FieldFinding,
    Sample,
    is_foreign,
    last_name,
    parse_field,
    read_field,
)
from event_assets.records.contract import FieldReader, build_field_readers
from event_assets.records.removal import NO, RemovedRecords
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import as_list, template_paths

TIME = "timestamp"
COLUMNS = {"name": "text", **dict.fromkeys(("start_time", "end_time", "updated_at"), TIME)}
REQUIRED = {"name": "the name", "start_time": "the start"}
CHOSEN = {**REQUIRED, "end_time": "the end"}  # by an answer, where several fields may be it
EXAMPLES = 5
PREVIEWED = ("id", "name", "start_time", "end_time")
MARKS = {  # a cancelled event is an event all the same
    "cancelled": (words.CANCELLED, "such events stay current"),
    "removed": (words.REMOVED, "such events are no longer current"),
}
FLAGS = {"true", "false", "1", "0", "yes", "no"}
OWN_KINDS = ("@type", "type", "kind", "object")  # of a record, among others
ZONE_SETTING = "fields.start_time.timezone"
START_SETTING, END_SETTING = "fields.start_time.from", "fields.end_time.from"
MAX_NAMED = 12  # fields that a question lists


def describe_contract(discovery: Discovery, sample: Sample) -> tuple[Any, dict[str, Any]]:
    """Return the primary key, and the settings that say where the fields are and what is removed.

    What they rest on is told, and what is in doubt is asked.
    """
    findings: dict[str, FieldFinding | None] = {}
    for column in COLUMNS:
        findings[column] = _find(discovery, sample, column, findings.get("start_time"))
    start, end = findings["start_time"], findings["end_time"]
    is_said = discovery.options.get(END_SETTING)
    doubt = ""
    if start and end and not is_said:
        if time_finder.is_apart(end, start):
            doubt = f"`{end.sources[0]}` is in another object than the start, and is left out"
        elif _is_before(sample, end, start):  # such as its day alone
            doubt = f"`{end.sources[0]}` is before the start in most records, and is left out"
        is_same = end.sources[0] == start.sources[0]  # a `due_date`
        findings["end_time"] = end = None if doubt or is_same else end
    has_gaps = end and not is_said and None in _read(sample, "end_time", end.settings)[1]
    if start and (has_gaps or not end) and (duration := time_finder.find_duration(sample)):
        path, interval = duration
        is_alike = not end or {**end.settings, "from": 0} == {**start.settings, "from": 0}
        if interval and is_alike:
            findings["end_time"] = time_finder.with_duration(start, end, interval)
        doubt = doubt or f"`{path}` may say how long they take, but not in which unit"
    if doubt and not findings["end_time"]:
        text = f"When do events end? {doubt}: name another field by --set {END_SETTING}=PATH."
        discovery.question(END_SETTING, text, is_open=False)
    fields: dict[str, Any] = {"id": {"type": "text", "nullable": False}}
    for column, finding in findings.items():
        if finding:
            fields[column] = _describe_field(discovery, sample, column, finding)
        elif discovery.options.get(f"fields.{column}"):
            fields[column] = {"type": COLUMNS[column]}
        elif column in REQUIRED:
            _ask_where(discovery, sample, column)
    if start:
        _ask_about_times(discovery, sample, start, findings["end_time"])
    key = field_finder.find_id(sample) or field_finder.find_composite_id(sample, start)
    if key:
        evidence = f"unique in {len(sample.all_records):,} records"
        discovery.add("id", f"`{'`, `'.join(as_list(key))}`", evidence)
    else:
        keys = field_finder.find_other_keys(sample, findings["name"], start)
        discovery.question(
            "primary_key",
            "Which field tells the events apart? None with the name of an id is unique: "
            "--set primary_key=PATH.",
            {f"`{'` and `'.join(one)}`": {"primary_key": one} for one in keys[:MAX_NAMED]},
        )
    removed = _find_removed(discovery, sample) | _find_others(discovery, sample, start)
    return key or "id", {"fields": fields, **({"removed_when": removed} if removed else {})}


def _ask_where(discovery: Discovery, sample: Sample, column: str) -> None:
    """Ask which field a column is; the fields that look like one are the choices."""
    setting = f"fields.{column}.from"
    is_time = COLUMNS[column] == TIME
    paths = sorted(filter(sample.present, sample.leaves), key=words.is_of_other)
    if is_time:  # before those of a change
        paths.sort(key=lambda path: bool(words.in_path(path) & words.OTHER_TIMES))
    likely = [one for one in paths if (one in sample.formats) == is_time]
    if not is_time:
        texts = [one for one in likely if any(type(value) is str for value in sample.present(one))]
        spaced = [one for one in texts if any(" " in str(value) for value in sample.present(one))]
        likely = spaced or texts
    source = time_finder.with_clock if is_time else lambda _, path: path
    is_log = is_time and likely  # whose events have a time of another name
    none: Choices = {} if is_log else {"events have none": {f"fields.{column}": None}}
    named = ", ".join(f"`{path}`" for path in (likely or paths)[:MAX_NAMED])
    discovery.question(
        setting,
        f"Which field is {REQUIRED[column]} of an event? There are {named}: --set {setting}=PATH.",
        {**{path: {setting: source(sample, path)} for path in likely[:MAX_NAMED]}, **none},
    )


def _find(
    discovery: Discovery, sample: Sample, column: str, start: FieldFinding | None
) -> FieldFinding | None:
    """Return where a column's values are, and how they are read: as it was said, or as they look.

    Raises:
        ConfigError: nothing is there.
    """
    given = dict(discovery.options.get(f"fields.{column}") or {})
    if not (source := given.get("from")):
        finding = field_finder.find_field(sample, column, COLUMNS[column], start)
        if not finding and column in REQUIRED and COLUMNS[column] == TIME:
            finding = time_finder.find_unread_start(sample)
    elif COLUMNS[column] == TIME:
        finding = time_finder.find_time_at(sample, source)
    else:
        finding = FieldFinding({"from": source})
    zone = discovery.options.get(ZONE_SETTING)
    if finding and zone and column == "end_time" and not finding.is_zoned:
        given = {"timezone": zone, **given}  # which was said of the start
    values = _read(sample, column, {"from": source})[0] if source else ()
    if source and all(value is None for value in values):
        raise ConfigError(f"No record has a value at `{source}`: correct fields.{column}.from.")
    return replace(finding, settings={**finding.settings, **given}) if finding else None


def _read(
    sample: Sample, column: str, settings: Mapping[str, Any]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return what a column's settings find, what a sync makes of it, and what it cannot read."""
    config = parse_field(column, {"type": COLUMNS[column], **settings})
    return read_field(FieldReader(column, config), sample.records)


def _describe_field(
    discovery: Discovery, sample: Sample, column: str, finding: FieldFinding
) -> dict[str, Any]:
    """Return the settings of a field, and tell what they rest on."""
    settings, kind = dict(finding.settings), COLUMNS[column]
    values, made, unread = _read(sample, column, settings)
    read = {one: _read(sample, column, {**settings, "from": one})[1] for one in finding.others}
    others = [path for path in read if read[path] != made]
    if others and column in CHOSEN:
        setting = f"fields.{column}.from"
        named = {f"`{path}`": {setting: path} for path in (finding.sources[0], *others)}
        text = f"Which field is {CHOSEN[column]} of an event: {' or '.join(named)}?"
        discovery.question(setting, text, named)
    share = sum(value is not None for value in values) / max(1, len(values))
    evidence = f"in {share:.0%} of {len(values):,} records"
    is_known = finding.is_zoned or kind != TIME
    if unread and kind == TIME:
        _ask_about_unread(discovery, column, finding, unread, len(values))
    if not is_known and "timezone" not in settings:
        evidence += "; local times without a zone, taken as UTC"
    most = sample.most_members(template_paths(finding.sources[0])[0]) if kind == TIME else 1
    zones = as_list(settings.get("timezone")) if finding.is_zoned else []
    doubts = [f"one of up to {most}"] if most > 1 and is_known else []
    if zones and {*(sample.leaves.get(zones[0]) or zones[:1])} - {*NOTHING} != {"UTC"}:
        # some APIs name the zone in which they show times that are UTC
        doubts.append(f"as local times in `{zones[0]}`")
    if "}/" in finding.sources[-1]:
        doubts.append("a duration behind the start")
    evidence = "; ".join([evidence, *doubts])
    certainty: Certainty = "likely" if doubts else "sure" if is_known else "assumed"
    discovery.comments[("attributes", "fields", column)] = evidence
    discovery.add(column, f"`{'`, `'.join(finding.sources)}`", evidence, certainty)
    if settings["from"] == column:
        del settings["from"]
    return {"type": kind, **settings}


def _is_before(sample: Sample, end: FieldFinding, start: FieldFinding) -> bool:
    """Return whether the end is before the start in most records that have both."""
    _, starts, _ = _read(sample, "start_time", start.settings)
    _, ends, _ = _read(sample, "end_time", end.settings)
    pairs = [pair for pair in zip(starts, ends, strict=True) if all(pair)]
    return bool(2 * sum(ended < began for began, ended in pairs) > len(pairs))


def _ask_about_unread(
    discovery: Discovery, column: str, finding: FieldFinding, unread: Sequence[Any], count: int
) -> None:
    """Ask what to do with values that are no times: how they are written, or to reject them."""
    where = f"at `{finding.sources[0]}`"
    if 2 * len(unread) > count:
        setting = f"fields.{column}.format"
        discovery.question(
            setting,
            f"How is `{shown(unread[0])}` {where} written? It is read as a time by no format that "
            f"is known: --set {setting}=%d.%m.%Y, or name another field.",
        )
    elif len(unread) > DEFAULT_MAX_REJECTS * count:
        tenths = -(-10 * len(unread) // count)
        discovery.question(
            "max_rejects",
            f"{len(unread):,} of {count:,} records have no time {where}, such as "
            f"`{shown(unread[0])}`: a sync rejects them, and fails if they are too many.",
            {"reject them": {"max_rejects": f"{10 * tenths}%"}},
        )


def _ask_about_times(
    discovery: Discovery, sample: Sample, start: FieldFinding, end: FieldFinding | None
) -> None:
    """Ask in which zone times are, how they are written, and whether there are past ones."""
    values, moments, _ = _read(sample, "start_time", start.settings)
    known = {moment: value for moment, value in zip(moments, values, strict=True) if moment}
    if not known:
        return
    moment, example = next(iter(known.items()))
    _ask_about_clock(discovery, sample, start, example)
    if not start.is_zoned:
        unread = time_finder.find_unread_zone(sample) or ()
        if unread:
            said = f"`{unread[0]}` says `{unread[1]}`, which is no place of the IANA database"
        else:
            said = f"They name none, such as `{moment:%Y-%m-%d %H:%M}`, and are taken as UTC"
        discovery.question(
            ZONE_SETTING,
            f"In which time zone are the times? {said}; else --set {ZONE_SETTING}=Europe/Berlin.",
            {zone: {ZONE_SETTING: zone} for zone in (*filter(None, unread[2:]), "UTC")},
            is_open=bool(unread),
        )
    ask_about_range(discovery, known)
    if start.rivals:
        formats = [start.settings["format"], *start.rivals]
        columns = ["start_time", *(["end_time"] if end else [])]
        discovery.question(
            "fields.start_time.format",
            f"Is `{example}` written day first or month first? Every value can be read as "
            f"{' and as '.join(formats)}.",
            {one: {f"fields.{column}.format": one for column in columns} for one in formats},
        )


def _ask_about_clock(discovery: Discovery, sample: Sample, start: FieldFinding, day: Any) -> None:
    """Ask when on a day events start, where a field says it in a way that cannot be read."""
    unread = time_finder.find_unread_clock(sample, start)
    if unread and not discovery.options.get(START_SETTING):
        path, value, source = unread
        at = {f"as `{path}` says": {START_SETTING: source}} if source else {}
        problem = "" if at else f", which cannot be read beside `{day}`"
        discovery.question(
            START_SETTING,
            f"At what time of day do events start? `{path}` says `{shown(value)}`"
            f"{problem}; name another field by --set {START_SETTING}=PATH.",
            {**at, "at midnight": {START_SETTING: start.sources[0]}},
        )


def _find_removed(discovery: Discovery, sample: Sample) -> dict[str, Any]:
    """Return how the records of removed events are told, as `removed_when`; tell what was found."""
    removed: dict[str, Any] = {}
    for subject, (meanings, effect) in MARKS.items():
        for path in filter(lambda path: not is_foreign(path), sample.leaves):
            values, name = sample.present(path), {*words.split_name(last_name(path))}
            marks: list[Any] = []
            texts = [str(value) for value in values]
            if name & meanings and texts and {*map(str.lower, texts)} <= FLAGS:
                marks = [True]
            elif name & words.STATE:
                marks = sorted({one for one in texts if one.lower() in meanings})
            if not marks:
                continue
            is_any = marks == [True]
            count = sum(not NO.fullmatch(one) if is_any else one in marks for one in texts)
            share = f"{count:,} of {len(values):,} records are marked"
            discovery.add(subject, f"`{path}`", f"{share}; {effect}")
            if subject == "removed":
                removed[path] = marks[0] if len(marks) == 1 else marks
    return removed


def _find_others(
    discovery: Discovery, sample: Sample, start: FieldFinding | None
) -> dict[str, Any]:
    """Return which records are no events by their own words, as `removed_when`; tell of them."""
    times = sample.leaves.get(start.sources[0], ()) if start else ()
    for path in filter(sample.leaves.get, OWN_KINDS if None in times else ()):
        pairs = [*zip(sample.leaves[path], times, strict=True)]
        with_start = {kind for kind, time in pairs if time is not None}
        others = sorted({kind for kind, _ in pairs} - with_start, key=str)
        named = ["event" in str(kind).lower() for kind in (*with_start, *others)]
        is_told = named == [True] * len(with_start) + [False] * len(others)
        if is_told and others and None not in others:
            evidence = "records of this kind have no start, and are no events"
            discovery.add("left out", f"`{path}`: {', '.join(others)}", evidence)
            return {path: others[0] if len(others) == 1 else others}
    return {}


def preview(document: Mapping[str, Any], records: Sequence[Any]) -> list[dict[str, Any]]:
    """Return events as they will be in the table: id, name, start and end."""
    attributes = document["attributes"]
    key = attributes["rest_api"]["resource_defaults"]["primary_key"]
    fields = {name: parse_field(name, one) for name, one in attributes["fields"].items()}
    readers = build_field_readers(fields, key)
    removed = RemovedRecords(attributes.get("removed_when") or {}, readers["id"])
    records = removed.take_out(records)[:EXAMPLES]
    names = [name for name in PREVIEWED if name in readers]
    rows = zip(*(read_field(readers[name], records)[1] for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]
