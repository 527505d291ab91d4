"""Parse the timestamps that APIs write into UTC."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.values.conversion import ISO_PATTERN

T = TypeVar("T")
UTC_TIMESTAMP = pa.timestamp("us", "UTC")
LOCAL_TIMESTAMP = pa.timestamp("us")
EPOCH_UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}  # microseconds in one
MIN_MICROS, MAX_MICROS = (  # what Python's datetime can represent
    int((end - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    for end in (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
)

# The most that an offset is in hours, minutes, seconds and milliseconds, and each in minutes.
OFFSET_UNITS = ((14, 60), (840, 1), (50_400, 1 / 60), (50_400_000, 1 / 60_000))
OFFSET_PATTERN = re.compile(
    r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?|(?:UTC|GMT|Z)", re.IGNORECASE
)
DAY_PATTERN = re.compile(r"\s*\d{4}-?\d\d-?\d\d\s*")
HALF_OF_DAY = re.compile(r"(?<![a-z])([ap])\.m\.", re.IGNORECASE)  # which `%p` does not read
FULL_HOUR = re.compile(r"(?<![:\d])(\d{1,2})(?= ?[ap]\.?m\b)", re.IGNORECASE)  # beside `6:30 pm`
TIME_OF_DAY_PATTERN = re.compile(r"%-?[HIMcsX]")  # directives of strptime for a time of day
RFC_2822_PATTERN = re.compile(  # with the zones that the standard names
    r"(?:[A-Za-z]{3}, *)?\d{1,2} +[A-Za-z]{3} +\d{4} +\d\d:\d\d(?::\d\d)?( +[ECMP][SD]T)?"
)
# A time, the name of its zone, and other tags, as in RFC 9557.
TAGGED_PATTERN = re.compile(r"\s*([^\[]*[^\[\s])\s*\[!?([^\[\]]+)\](?:\[[^\[\]]+\])*\s*")
NET_PATTERN = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/")  # milliseconds since 1970
NUMBER = r"(\d+(?:\.\d+)?)"
DURATION_PATTERN = re.compile(  # of ISO 8601, and `PT01:30:00`
    rf"P(?=.*\d)(?:(\d+)D)?"
    rf"(?:T(?:{NUMBER}H)?(?:{NUMBER}M)?(?:{NUMBER}S)?|T(\d+):(\d\d)(?::(\d\d))?)?"
)
LONGEST = timedelta(days=36_525)  # a hundred years
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Rewrites of other notations, so that Arrow parses the whole column at once.
REWRITES = (
    (r"^ +| +$", ""),
    (r"(?i)^(\d{4}-\d\d-\d\d)t", r"\1T"),
    (r"([.,]\d{6})\d+", r"\1"),  # nanoseconds
    (r",(\d+)", r".\1"),
    (r" ?(?:GMT|UTC?|[zZ])$", "Z"),
    (r"(\d) +([+-]\d\d:?\d\d)$", r"\1\2"),
    (r"^(?:[A-Za-z]{3}, *)?(\d{1,2} +[A-Za-z]{3} +\d{4} +\d\d:\d\d)", r"\1"),
    (r"^(\d) ", r"0\1 "),
    (r"^(\d\d) +([A-Z][a-z]{2}) +(\d{4}) +", r"\3-\2-\1T"),
    *((f"-{month}-", f"-{number:02}-") for number, month in enumerate(MONTHS, 1)),
)


def parse_timestamps(
    values: Sequence[Any], format_: str | None, zones: str | Sequence[Any] | None
) -> pa.Array:
    """Parse a column of timestamps; null where there is none, or it cannot be parsed.

    Args:
        values: the values of the API.
        format_: `epoch_s`, `epoch_ms`, a pattern of `strptime`, or None: ISO 8601, RFC 2822,
            `/Date(ms)/` of .NET, which may also stand among the numbers of an epoch.
        zones: the time zone of local times: one for all, or one for each value; None is UTC.
    """
    if format_ and format_ in EPOCH_UNITS:
        micros = [_microseconds(value, EPOCH_UNITS[format_]) for value in values]
        moments = pa.array(micros, pa.int64()).cast(UTC_TIMESTAMP)
        others = [one if micro is None else None for one, micro in zip(values, micros, strict=True)]
        has_texts = any(isinstance(one, str) for one in others)  # such as days of all-day events
        return pc.coalesce(moments, parse_timestamps(others, None, zones)) if has_texts else moments
    texts = values
    if set(map(type, values)) - {str, NoneType}:
        texts = [value if type(value) is str else None for value in values]
    if format_:
        if "%p" in format_:
            texts = [text and HALF_OF_DAY.sub(r"\1m", text) for text in texts]
        if "%I:%M" in format_:
            texts = [text and FULL_HOUR.sub(r"\1:00", text) for text in texts]
        return _parse_each(texts, zones, lambda text: datetime.strptime(text, format_))
    column = pa.array(texts, pa.string())
    for rewrites in ((), REWRITES):
        if rewrites and pc.any(pc.match_substring(column, "]")).as_py():
            texts, zones = _split_off_zones(texts, zones)
            column = pa.array(texts, pa.string())
        for pattern, replacement in rewrites:
            column = pc.replace_substring_regex(column, pattern, replacement)
        with suppress(pa.ArrowInvalid):
            return _drop_out_of_range(column.cast(UTC_TIMESTAMP))
        with suppress(pa.ArrowInvalid):
            return _drop_out_of_range(_localize(column.cast(LOCAL_TIMESTAMP), zones))
    return _parse_each(texts, zones, _parse_text)


def parse_a_day_later(
    values: Sequence[Any], format_: str | None, zones: str | Sequence[Any] | None
) -> pa.Array:
    """Parse local times as those of the next day, at the same time of day."""
    local = parse_timestamps(values, format_, None).cast(LOCAL_TIMESTAMP)
    return _localize(pc.add(local, pa.scalar(timedelta(days=1))), zones)


def parse_intervals(
    values: Sequence[Any], format_: str | None, zones: str | Sequence[Any] | None
) -> pa.Array:
    """Parse intervals such as `2027-01-10T18:30Z/PT90M` as their ends, and times as such."""
    parts = [str(value).rpartition("/P") if value is not None else ("", "", "") for value in values]
    starts = [
        start if mark else value for value, (start, mark, _) in zip(values, parts, strict=True)
    ]
    lasting = [
        _try(_parse_duration, f"P{text}") if mark else timedelta(0) for _, mark, text in parts
    ]
    moments = parse_timestamps(starts, format_, zones)
    return _drop_out_of_range(pc.add(moments, pa.array(lasting, pa.duration("us"))))


def _parse_duration(text: str) -> timedelta | None:
    if not (found := DURATION_PATTERN.fullmatch(text)):
        return None
    days, *times = (float(number or 0) for number in found.groups())
    hours, minutes, seconds = map(sum, zip(times[:3], times[3:], strict=True))
    lasting = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return lasting if lasting <= LONGEST else None  # Arrow may not hold it


def _split_off_zones(
    texts: Sequence[str | None], zones: str | Sequence[Any] | None
) -> tuple[list[str | None], list[Any]]:
    """Return times without `[Europe/Berlin]` and other tags, and the zone of each."""
    others = [zones] * len(texts) if zones is None or isinstance(zones, str) else zones
    times, found = [*texts], [*others]
    for at, text in enumerate(texts):
        if tagged := TAGGED_PATTERN.fullmatch(text or ""):
            times[at], zone = tagged.groups()
            if "=" not in zone:  # a tag such as [u-ca=hebrew] names a calendar
                found[at] = zone
    return times, found


def is_format(text: str) -> bool:
    """Return whether a text is `epoch_s`, `epoch_ms`, or a pattern that `strptime` knows."""
    if text in EPOCH_UNITS:
        return True
    with suppress(ValueError):
        moment = datetime(2001, 2, 3, tzinfo=UTC).strftime(text)
        datetime.strptime(moment, text)
        return moment != text
    return False


def parse_days(values: Sequence[Any], format_: str | None) -> pa.Array:
    """Parse the values that are days without a time of day; null for all others."""
    if format_ in EPOCH_UNITS or (format_ and TIME_OF_DAY_PATTERN.search(format_)):
        return pa.nulls(len(values), pa.date32())
    days = [
        value if type(value) is str and (format_ or DAY_PATTERN.fullmatch(value)) else None
        for value in values
    ]
    return days_in_utc(parse_timestamps(days, format_, None))


def days_in_utc(moments: pa.Array) -> pa.Array:
    """Return the days of timestamps; Arrow would look UTC up where the system has no zones."""
    return moments.cast(LOCAL_TIMESTAMP).cast(pa.date32())


def parse_zone(zone: Any) -> str | None:
    """Return the zone of an offset, an IANA or a Windows name as Arrow names it, or None.

    An offset may be a number: of hours, minutes, seconds or milliseconds, which no two share.
    """
    if type(zone) in (int, float) and abs(zone) <= OFFSET_UNITS[-1][0]:
        minutes = round(next(zone * factor for most, factor in OFFSET_UNITS if abs(zone) <= most))
        hours, rest = divmod(abs(minutes), 60)
        zone = f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
    return _find_zone(zone) if isinstance(zone, str) else None


@cache
def _find_zone(zone: str) -> str | None:
    offset = OFFSET_PATTERN.fullmatch(zone.strip(" ()"))
    name = zone.strip()
    if offset:
        sign, hours, minutes = offset.groups()
        name = f"{sign}{int(hours):02}:{minutes or '00'}" if sign else "UTC"
    if name and not _is_known_zone(name):
        name = windows_zones().get(name, "")
    return name if name and _is_known_zone(name) else None


@cache
def windows_zones() -> Mapping[str, str]:
    """Load the IANA zone of each Windows time zone."""
    file = Path(__file__).with_name("windows_zones.json")
    zones: Mapping[str, str] = json.loads(file.read_text(encoding="utf-8"))["zones"]
    return zones


def _is_known_zone(zone: str) -> bool:
    try:
        _to_utc(pa.array([datetime(2000, 1, 1)], LOCAL_TIMESTAMP), zone)
    except pa.ArrowInvalid:
        return False
    return not zone.startswith(("+", "-")) or (zone[1:3] <= "15" and zone[4:] < "60")


def _microseconds(value: Any, unit: int) -> int | None:
    try:
        micros = round((value if type(value) is int else float(value)) * unit)
    except (TypeError, ValueError, OverflowError):
        return None
    return micros if type(value) is not bool and MIN_MICROS <= micros <= MAX_MICROS else None


def _localize(local: pa.Array, zones: str | Sequence[Any] | None) -> pa.Array:
    """Convert local times to UTC. A time that a clock shows twice is the first of the two."""
    if zones is None or isinstance(zones, str):
        return _to_utc(local, zones or "UTC")
    known = ["UTC" if zone is None or zone == "" else parse_zone(zone) for zone in zones]
    column, converted = pa.array(known, pa.string()), pa.nulls(len(local), UTC_TIMESTAMP)
    for zone in filter(None, set(known)):
        in_zone = pc.if_else(pc.equal(column, zone), local, pa.scalar(None, LOCAL_TIMESTAMP))
        converted = pc.coalesce(converted, _to_utc(in_zone, zone))
    return converted


def _to_utc(local: pa.Array, zone: str) -> pa.Array:
    if zone == "UTC":
        return local.cast(UTC_TIMESTAMP)
    try:
        moments = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
        return moments.cast(UTC_TIMESTAMP)
    except pa.ArrowInvalid:  # the system may have no time zones: Python's package `tzdata` has
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            found = ZoneInfo(zone)
            inside = _drop_out_of_range(local.cast(UTC_TIMESTAMP)).cast(LOCAL_TIMESTAMP)
            times = [time and time.replace(tzinfo=found) for time in inside.to_pylist()]
            return pa.array(times, UTC_TIMESTAMP)
        raise


def _drop_out_of_range(column: pa.Array) -> pa.Array:
    micros = column.cast(pa.int64())
    least, most = pc.min_max(micros).as_py().values()
    if (least or 0) >= MIN_MICROS and (most or 0) <= MAX_MICROS:  # the usual case
        return column
    inside = pc.and_(pc.greater_equal(micros, MIN_MICROS), pc.less_equal(micros, MAX_MICROS))
    return pc.if_else(inside, column, pa.scalar(None, UTC_TIMESTAMP))


def _parse_each(
    texts: Sequence[str | None],
    zones: str | Sequence[Any] | None,
    read: Callable[[str], datetime | None],
) -> pa.Array:
    """Parse values one by one: some are no timestamps, or their notations differ."""
    times = [None if text is None else _try(read, text) for text in texts]
    local = pa.array([t if t and t.tzinfo is None else None for t in times], LOCAL_TIMESTAMP)
    converted = pa.array([t if t and t.tzinfo else None for t in times], UTC_TIMESTAMP)
    return _drop_out_of_range(pc.coalesce(converted, _localize(local, zones)))


def _try(read: Callable[[str], T | None], text: str) -> T | None:
    try:
        return read(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _parse_text(text: str) -> datetime | None:
    text = text.strip()
    rewritten = text
    for pattern, replacement in REWRITES:
        rewritten = re.sub(pattern, replacement, rewritten)
    if iso := ISO_PATTERN.fullmatch(rewritten):
        *numbers, fraction, zone = iso.groups()
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        # 24:00 is the end of a day, and a minute may have a leap second
        if (hour, minute, second, micros) > (24, 0, 0, 0) or minute > 59 or second > 60:
            return None
        offset = datetime.fromisoformat(f"2000-01-01T00:00{zone or ''}").tzinfo
        midnight = datetime(year, month, day, tzinfo=offset)
        return midnight + timedelta(0, second, micros, 0, minute, hour)
    if net := NET_PATTERN.fullmatch(text):
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(net[1]))
    return parsedate_to_datetime(text) if RFC_2822_PATTERN.fullmatch(text) else None
