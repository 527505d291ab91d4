"""Find the start and the end of events in a sample of records, with their formats and zones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import time
from functools import partial
from itertools import product
from typing import Any

from event_assets.probe import field_words as words
from event_assets.probe.samples import (
    NOTHING,
    FieldFinding,
    Sample,
    is_foreign,
    is_zone_name,
    last_name,
)
from event_assets.probe.time_formats import MOST, TimeFormat, find_format, is_read
from event_assets.values.json_paths import as_list, build_getter, template_paths
from event_assets.values.timestamps import parse_timestamps, parse_zone

SECOND_BEST = {"formatted", "display", "text", "first", "opens", "closes"}
CHANGING = {"next", "upcoming"}  # of the occurrences of a series
OF_TIMES = frozenset(words.listed("schedule timing timings period range slot value interval"))
OF_OTHER_STARTS = {"started", "opens"}  # than the one that was planned, or that of the event
CLOCK = re.compile(r"\d{1,2}[:h.]\d{2}(?!\d)")
UNITS = {  # of a duration, as in ISO 8601
    **dict.fromkeys(("hours", "hour", "hrs"), "H"),
    **dict.fromkeys(("minutes", "minute", "mins", "min"), "M"),
    **dict.fromkeys(("seconds", "second", "secs", "sec"), "S"),
}
CITIES = {"E": "New_York", "C": "Chicago", "M": "Denver", "P": "Los_Angeles"}  # of the USA
US_ZONES = {f"{one}{end}": f"America/{CITIES[one]}" for one in CITIES for end in ("ST", "DT", "T")}
HOURS_AND_MINUTES = (("hour", "minute"), ("Hour", "Minute"), ("hrs", "mins"))
CLOCK_PARTS = (("hour", "minute"), ("hour", "minutes"), ("hours", "minutes"), (".3", ".4"))
LIKELY_UNITS = {"M": (15, 240), "S": (1_800, 259_200)}  # by the usual duration
MAX_MIDNIGHTS = 2  # in UTC, of a place: in summer and in winter
MIN_DAY = 6  # characters of a day
MIN_CLOCK = 3  # characters of a time of day; a shorter one is an hour, without its minutes


def find_start(sample: Sample) -> FieldFinding | None:
    """Return where the start is, also one that some records do not have; or None."""
    return _find_time(sample, words.START)


def find_unread_start(sample: Sample) -> FieldFinding | None:
    """Return where a text or number is that is named as the start, and is read by no format."""
    for path in filter(lambda path: not is_foreign(path), sample.leaves):
        said, values = words.in_path(path), sample.present(path)
        is_start = said & words.START and not said & (words.OTHER_TIMES | words.DURATION)
        if is_start and values and all(len(str(value)) >= MIN_DAY for value in values):
            return FieldFinding({"from": path})
    return None


def find_time_at(sample: Sample, source: str | Sequence[str]) -> FieldFinding:
    """Return how the times are read at paths, or by templates, that a person named."""
    first = as_list(source)[0]
    format_ = find_format(build_getter(first)(sample.records), MOST)
    found = FieldFinding({"from": source})
    if format_:
        found = _describe_time(sample, template_paths(first)[0], format_, as_list(source))
    return replace(found, settings={**found.settings, "from": source})


def find_end(sample: Sample, start: FieldFinding | None) -> FieldFinding | None:
    """Return where the end is: named as the start is, or else by its own name.

    It may have but a time of day; where no event has an end, it is read as the start is.
    """
    path = day = next(iter(template_paths(start.sources[0])), "") if start else ""
    like = words.in_path(path) - words.START
    if (found := _find_time(sample, words.END, like)) or not start:
        first = found.sources[0] if found else ""
        last = first.replace("first", "last").replace("First", "Last")  # of a series
        is_other = last != first and last in sample.formats
        return replace(found, others=[last] * is_other) if found else None
    is_first = path.endswith(".0") and start.settings["from"] == path
    pairs = build_getter(path[:-2])(sample.records) if is_first else ()
    if {len(one) for one in pairs if one} == {2}:
        return replace(start, settings={**start.settings, "from": f"{path[:-1]}1"})
    for path in filter(lambda path: not sample.present(path), sample.leaves):
        if words.in_path(path) & words.END and words.in_path(path) - words.END == like:
            return FieldFinding({**start.settings, "from": path}, start.is_zoned)
    joined = (_join(sample, day, clock) for clock in _clocks(sample, day, words.END))
    sources, format_ = next(filter(None, joined), ((), None))  # on the day of the start
    return _describe_time(sample, day, format_, sources[:1]) if format_ else None


def find_updated(sample: Sample) -> FieldFinding | None:
    """Return where the time of the last change is."""
    for path in sorted(sample.leaves, key=lambda path: (path.count("."), path)):
        is_named = {*words.split_name(last_name(path))} & words.UPDATED and path.count(".") <= 1
        found = sample.formats.get(path)
        is_odd = found and (found.rivals or _is_number(sample, path))  # day or month first?
        if is_named and found and not (is_foreign(path) or is_odd):
            settings = {"from": path} | ({"format": found.pattern} if found.pattern else {})
            is_utc = bool(words.in_path(path) & {"utc", "gmt"})
            return FieldFinding(settings, found.has_zone or is_utc)
    return None


def find_duration(sample: Sample) -> tuple[str, str] | None:
    """Return the path of what is named as how long an event takes, or None.

    With it comes how it follows a start in an interval; nothing, if its unit is not known.
    """
    lasting = (path for path in sample.leaves if words.in_path(path) & words.DURATION)
    lasting = (path for path in lasting if not words.in_path(path) & (words.START | words.END))
    known = [path for path in lasting if re.search(r"\d", str(sample.present(path)))]
    for path in known:
        for hours, minutes in HOURS_AND_MINUTES:
            other = path.replace(hours, minutes)
            if other != path and other in sample.leaves and not is_foreign(path):
                return path, f"/PT{{{path}}}H{{{other}}}M"
    found = [(path, _interval(sample, path)) for path in known if not is_foreign(path)]
    return max(found, key=lambda one: bool(one[1]), default=None)


def _interval(sample: Sample, path: str) -> str:
    own, values = {*words.split_name(last_name(path))}, [*map(str, sample.present(path))]
    own |= set() if own - {*UNITS} else words.in_path(path)  # such as `duration.minutes`
    others = own - {*UNITS} - words.DURATION - {*words.EVENTS, "in"}  # such as `break`
    if others or not (words.DURATION - {*UNITS}) & own:
        return ""
    for pattern, interval in {r"P.*": "/{}", r"[01]?\d:\d\d(:\d\d)?": "/PT{}"}.items():
        if all(re.fullmatch(pattern, value) for value in values):
            return interval.format(f"{{{path}}}")
    if not all(re.fullmatch(r"\d+(\.\d+)?", value) and float(value) for value in values):
        return ""
    usual = sorted(map(float, values))[len(values) // 2]
    likely = (unit for unit, (low, high) in LIKELY_UNITS.items() if low <= usual < high)
    units = [
        *(UNITS[word] for word in own if word in UNITS),
        *(likely if "length" not in own else ()),
    ]
    return f"/PT{{{path}}}{units[0]}" if units else ""


def with_duration(start: FieldFinding, end: FieldFinding | None, interval: str) -> FieldFinding:
    """Return an end; or where there is none, that of what begins at a start and takes so long."""
    sources = (one if "{" in one else f"{{{one}}}" for one in start.sources)
    chain = [*(end.sources if end else ()), *(f"{one}{interval}" for one in sources)]
    settings = {**start.settings, "from": chain if len(chain) > 1 else chain[0]}
    return replace(end or start, settings=settings, rivals=(), others=())


def _find_time(
    sample: Sample, named: frozenset[str], like: Collection[str] | None = None
) -> FieldFinding | None:
    """Return where a time is; `like` are the other words of one that must have its own name."""
    ranks = {path: rank for path in sample.formats if (rank := _rank_time(sample, path, named))}

    def order(path: str) -> tuple[bool, bool, bool, float, bool]:
        is_named, likelihood = ranks[path]
        is_like = like is not None and words.in_path(path) - named == like
        is_varied = is_like or len({*sample.present(path)}) > 1  # each event has its own time
        return is_varied, is_named, is_like, likelihood, _is_plain(path)

    ranked = sorted(ranks, key=order, reverse=True)  # of what is alike, the first
    if not ranked or (like is not None and not ranks[ranked[0]][0]):
        most = replace(sample, enough=MOST)  # the others are rejects
        return _find_time(most, named, like) if sample.enough > MOST else _find_parts(most, named)
    is_start = named is words.START
    if is_start and not sample.formats[ranked[0]].has_time:
        ranked.sort(key=partial(_adds_clock, sample, ranked[0]), reverse=True)
    chain, best = ranked[:1], ranked[0]
    for path in ranked[1:]:
        pattern, is_epoch = sample.formats[best].pattern, sample.formats[best].is_epoch
        is_read = sample.formats[path].pattern in ((pattern, None) if is_epoch else (pattern,))
        # `when.date` beside `when.start_time`
        parent = best.rpartition(".")[0]
        is_beside = is_start and path.rpartition(".")[0] == parent != ""
        is_alike = is_beside or ranks[path][0] == ranks[best][0]
        if is_alike and is_read and sample.fills(chain, path):
            chain.append(path)

    def is_rival(path: str) -> bool:
        is_plainer = is_start and not _is_plain(best) and _is_plain(path)  # than `valid_from`
        is_alike = sample.formats[path].has_time == sample.formats[best].has_time
        is_other = is_alike or not _adds_clock(sample, path, best)
        return order(path) == order(best) or (is_plainer and is_other and order(path)[0])

    rivals = (path for path in ranked if is_rival(path) and path not in chain)
    others = [with_clock(sample, path) for path in rivals]
    return replace(_describe(sample, chain), others=others)


def _find_parts(sample: Sample, named: frozenset[str]) -> FieldFinding | None:
    """Return a time each part of which is a member of its own, such as `start.year`."""
    for path in sample.leaves:
        said, outer = words.in_path(path), path.removesuffix("year").removesuffix(".0")
        if outer == path or not said & named or said & words.OTHER_TIMES or is_foreign(path):
            continue
        names = (".0", ".1", ".2") if path.endswith(".0") else ("year", "month", "day")
        parts = [f"{outer}{name}" for name in names]
        day = "-".join(f"{{{part}}}" for part in parts)
        outers = (outer, outer.replace("Date", "Time"))  # which Google has for both
        for beside, (hour, minute) in product(outers, CLOCK_PARTS):
            at = f"{day}T{{{beside}{hour}}}"
            chain = [f"{at}:{{{beside}{minute}}}", f"{at}:00", f"{day}T00:00"]
            sure = chain[: 1 + (hour == "hours")]  # Google leaves out what is 0
            found = [[*filter(None, build_getter(one)(sample.records))] for one in sure]
            if any(one and is_read(one, "%Y-%m-%dT%H:%M", MOST) for one in found):
                return _describe_time(sample, path, TimeFormat("%Y-%m-%dT%H:%M"), chain)
        others = (one for one in sample.leaves if one.startswith(outer) and one not in parts)
        if is_read(build_getter(day)(sample.records), "%Y-%m-%d", MOST) and not any(others):
            return _describe_time(sample, path, TimeFormat("%Y-%m-%d", has_time=False), [day])
    return None


def with_clock(sample: Sample, path: str) -> str:
    """Return the path of a time, or of a day with its time of day, as a template."""
    return _describe(sample, [path]).sources[0]


def _adds_clock(sample: Sample, day: str, path: str) -> bool:
    """Return whether most values of a path are those of a day, with their time of day."""
    pairs = zip(sample.leaves[day], sample.leaves[path], strict=True)
    same = [str(other).startswith(str(one)) for one, other in pairs if other not in NOTHING]
    return sample.formats[path].has_time and 2 * sum(same) > len(same)


def _rank_time(sample: Sample, path: str, named: frozenset[str]) -> tuple[bool, float] | None:
    """Return how likely a path is the time that is meant, those with its name first."""
    parts, said, format_ = words.split_path(path), words.in_path(path), sample.formats[path]
    is_post = path in ("date", "date_gmt") and {"date_gmt", "modified"} <= {*sample.leaves}
    if said & words.OTHER_TIMES or is_foreign(path) or is_post:  # of WordPress, not its event
        return None
    # `value2` beside `value`, written alike
    first = sample.formats.get(path.replace("2", "")) if "2" in said else None
    is_second = first is not None and first.pattern == format_.pattern
    is_named = bool(said & named) or (is_second and named is words.END)
    is_opposite = bool(said & (words.END if named is words.START else words.START))
    is_opposite |= is_second and named is words.START
    is_time = bool(said & words.WHEN) or parts[-1][-1:] in (["at"], ["on"])
    is_past = any(word.endswith("ed") for word in said - words.WHEN - SECOND_BEST)  # `closed_at`
    if not is_named and (is_opposite or is_past or not is_time):
        return None
    rank = 3.0 * bool(said & {"utc", "gmt"}) + 2 * format_.has_zone + 2 * format_.has_time
    rank -= 0.4 * len(parts) + 6 * bool(said & SECOND_BEST) + 7 * bool(said & CHANGING)
    rank -= 1 * ("local" in said) + 0.5 * bool(format_.pattern)
    return is_named, rank + 2 * len(sample.present(path)) / len(sample.records)


def _describe(sample: Sample, chain: Sequence[str]) -> FieldFinding:
    """Return the settings of a time at the first of these paths that has one."""
    path, format_ = chain[0], sample.formats[chain[0]]
    sources = [f"{{{one}}}" if _is_number(sample, one) else one for one in chain]
    timed = (_join(sample, path, clock) for clock in _clocks(sample, path))
    if not format_.has_time and (found := next(filter(None, timed), None)):
        sources, format_ = found
    return _describe_time(sample, path, format_, sources)


def _describe_time(
    sample: Sample, path: str, format_: TimeFormat, sources: Sequence[Any]
) -> FieldFinding:
    """Return the settings of times that are written in this way, with the zone of a path."""
    settings: dict[str, Any] = {"from": sources if len(sources) > 1 else sources[0]}
    if format_.pattern:
        settings["format"] = format_.pattern
    others = (sample.formats.get(one) for one in sources[1:])
    is_complete = all(one and one.has_zone and not one.has_days for one in (format_, *others))
    if format_.is_epoch or is_complete:
        return FieldFinding(settings, is_zoned=True)
    if zones := _find_zones(sample, path):
        settings["timezone"] = zones if len(zones) > 1 else zones[0]
    is_zoned = bool(zones) or format_.has_zone or not format_.has_time
    return FieldFinding(settings, is_zoned, format_.rivals)


def _is_number(sample: Sample, path: str) -> bool:
    """Return whether a time is a number such as 20261005, which a template makes a text."""
    return type(sample.present(path)[0]) is int and not sample.formats[path].is_epoch


def find_unread_zone(sample: Sample) -> tuple[str, str, str] | None:
    """Return the path and a value of a text that is named as a time zone, and is none; or None.

    With it comes the zone that all texts there stand for in the USA; empty: none does.
    """
    for path in filter(is_zone_name, sample.leaves):
        texts = [one for one in sample.present(path) if type(one) is str and not one.isdecimal()]
        if unread := [one for one in texts if one in US_ZONES or not parse_zone(one)]:
            meant = {US_ZONES.get(one, "") for one in texts}
            return path, unread[0], meant.pop() if len(meant) == 1 else ""
    return None


def _join(sample: Sample, path: str, clock: str) -> tuple[list[str], TimeFormat] | None:
    """Return a day with a time of day, or else at midnight, and how it is read; or None."""
    if all(type(value) is not str or len(value) < MIN_CLOCK for value in sample.present(clock)):
        return None  # a number has lost its zeros
    for joint in ("T", " "):
        source = f"{{{path}}}{joint}{{{clock}}}"
        if found := find_format(build_getter(source)(sample.records), MOST):
            pattern = found.pattern or ""
            tail = re.search(r"(\d{4}-\d\d-\d\dT)?%[HI].*", pattern)
            midnight = time().strftime(tail[0] if tail else "%H:%M")
            return [source, f"{{{path}}}{joint}{midnight}" if found.pattern else path], found
    return None


def _clocks(sample: Sample, path: str, named: frozenset[str] = words.START) -> Iterator[str]:
    """Yield the paths that are named as the time of day of a day: its start, or its end."""
    names = words.TIME_OF_DAY | words.START | words.END | {"at"}
    is_end = bool((words.in_path(path) | named) & words.END)
    own = _other_words(path) - words.START - words.END
    for other in filter(lambda other: not is_foreign(other), sample.leaves):
        found, is_clock = _other_words(other), {*words.split_name(last_name(other))} & names
        rest = found - words.START - words.END
        is_partner = bool(found & words.END) == is_end and (rest == own or not (rest or is_end))
        if is_partner and is_clock and other not in sample.formats:
            yield other


def find_unread_clock(sample: Sample, start: FieldFinding) -> tuple[str, Any, str] | None:
    """Return what may be the time of day of a start that is read as a day; or None.

    It is a path, a value, and the source that reads it with the day; empty: none can.
    """
    day, *clocks = template_paths(start.sources[0])
    format_ = sample.formats.get(day)
    if clocks or format_ is None:
        return None
    named, others = [*_clocks(sample, day)], words.END | words.OTHER_TIMES | words.DURATION
    rest = [one for one in sample.leaves if not (is_foreign(one) or words.in_path(one) & others)]
    if format_.has_time:  # perhaps that in UTC at which a day begins elsewhere
        moments = parse_timestamps(sample.present(day), format_.pattern, None).to_pylist()
        is_day = len({moment.time() for moment in moments if moment}) <= MAX_MIDNIGHTS
        varied = [path for path in named if len({*sample.present(path)}) > MAX_MIDNIGHTS]
        named, rest = [], varied if is_day else []
    for path in (*named, *rest):
        for value in sample.present(path):
            is_clock = type(value) in (str, int, float) and any(map(str.isdecimal, str(value)))
            if is_clock and (path in named or CLOCK.match(str(value))):
                joined = _join(sample, day, path)
                return path, value, joined[0][0] if joined else ""
    return None


def _other_words(path: str) -> frozenset[str]:
    """Return the words of a path but those of days and times."""
    flat = {word for word in words.in_path(path) if not word.isdecimal()}
    return frozenset(flat - words.DAY - words.TIME_OF_DAY - words.OF_TIME)


def is_apart(end: FieldFinding, start: FieldFinding) -> bool:
    """Return whether an end is in an object of another meaning than what the start is in."""
    path, of_start = (template_paths(one.sources[0])[0] for one in (end, start))
    outer = path.removesuffix(last_name(path)).strip(".")
    others = _other_words(outer) - words.NAME_PARENTS - OF_TIMES - words.START - words.END
    return bool(outer and others - words.WHEN - words.in_path(of_start))


def _is_plain(path: str) -> bool:
    """Return whether the names of a time, and of what it is in, are but those of a start."""
    others = _other_words(path) - words.NAME_PARENTS - OF_TIMES
    return not others - (words.START - OF_OTHER_STARTS) - words.WHEN


def _find_zones(sample: Sample, path: str) -> list[str]:
    """Return where the time zone of local times is: paths, or its name; nothing if unknown."""
    if words.in_path(path) & {"utc", "gmt"}:
        return ["UTC"]
    ranks = {other: rank for other in sample.leaves if (rank := _rank_zone(sample, other, path))}
    chain: list[str] = []
    for other in sorted(ranks, key=lambda other: (ranks[other], other)):
        if not chain or sample.fills(chain, other):
            chain.append(other)
    if chain and any(value in NOTHING for value in sample.first(chain)):
        chain.append(sample.zone or "UTC")  # of days, which have no time zone
    return chain or ([sample.zone] if sample.zone else [])


def _rank_zone(sample: Sample, path: str, time_path: str) -> tuple[bool | int, ...] | None:
    """Return how unlikely a path is the zone of the times at another; None if it is no zone."""
    said, of_time = words.in_path(path), words.in_path(time_path)
    own, present = {*words.split_path(path)[-1]}, sample.present(path)
    is_zone = is_zone_name(path) or all("/" in str(value) for value in present)
    is_of_end = bool(said & words.END - of_time)
    is_named = own & {*words.ZONE - {"offset"}, "utc", "gmt"}
    is_sure = not {*US_ZONES} & {*map(str, present)}
    is_known = present and is_zone and is_sure and all(map(parse_zone, present))
    if not is_known or is_of_end or not (is_named or isinstance(present[0], str)):
        return None
    is_near = "." in time_path and path.rpartition(".")[0] == time_path.rpartition(".")[0]
    is_offset = any(char.isdigit() for char in str(present[0]))
    others = len(said - words.ZONE - words.WHEN - words.START - of_time)
    is_of_people = bool(said & words.PEOPLE)
    return is_of_people, not is_near, is_offset, is_foreign(path), path.count("."), others
