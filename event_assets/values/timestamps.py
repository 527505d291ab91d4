"""Times as APIs write them -> instants in UTC."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

INSTANT = pa.timestamp("us", "UTC")
LOCAL = pa.timestamp("us")
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}  # microseconds in one
EARLIEST, LATEST = (  # what Python, and so whoever reads the table with it, can represent
    int((end - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(microseconds=1))
    for end in (
        datetime(1, 1, 2, tzinfo=timezone.utc),
        datetime(9999, 12, 31, tzinfo=timezone.utc),
    )
)

OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?|(?:UTC|GMT|Z)", re.IGNORECASE)
ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?)?"
    r" ?(Z|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
RFC_2822 = re.compile(  # with the zones that the standard names
    r"(?:[A-Za-z]{3}, *)?\d{1,2} +[A-Za-z]{3} +\d{4} +\d\d:\d\d(?::\d\d)?( +[ECMP][SD]T)?"
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What other notations become, so that Arrow reads the whole column at once.
REWRITTEN = (
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
    values: Sequence[Any], form: str | None, zones: str | Sequence[Any] | None
) -> pa.Array:
    """Read a column of times; null where there is none, or none that can be read.

    Args:
        values: one value of the API each.
        form: `epoch_s`, `epoch_ms`, a pattern of `strptime`, or None for ISO 8601 and RFC 2822.
        zones: the time zone of times that do not say theirs: one, or one each; None is UTC.
    """
    if form in EPOCHS:
        return _within_reach(_since_epoch(values, EPOCHS[form or ""]))
    texts = [value if type(value) is str else None for value in values]
    if form:
        return _one_by_one(texts, zones, lambda text: datetime.strptime(text, form))
    column = pa.array(texts, pa.string())
    for rewrite in (None, _rewritten):
        column = rewrite(column) if rewrite else column
        for read in (_with_zone, _without_zone):
            try:
                return _within_reach(read(column, zones))
            except pa.ArrowInvalid:
                continue
    return _one_by_one(texts, zones, _parsed)


def parse_zone(zone: Any) -> str | None:
    """Name a time zone as Arrow knows it: `Europe/Berlin`, `+02:00`; None when it is none.

    Windows' names for zones are known, too.
    """
    return _offset_of(zone) if isinstance(zone, str) else None


@cache
def _offset_of(zone: str) -> str | None:
    offset = OFFSET.fullmatch(zone.strip(" ()"))
    name = zone.strip()
    if offset:
        sign, hours, minutes = offset.groups()
        name = f"{sign}{int(hours):02}:{minutes or '00'}" if sign else "UTC"
    if name and not _known(name):
        name = windows_zones().get(name, "")
    return name if name and _known(name) else None


@cache
def windows_zones() -> Mapping[str, str]:
    """Load the IANA zone of each name that Windows gives to a time zone."""
    file = Path(__file__).with_name("windows_zones.json")
    zones: Mapping[str, str] = json.loads(file.read_text(encoding="utf-8"))["zones"]
    return zones


def _known(zone: str) -> bool:
    try:
        _in_zone(pa.array([datetime(2000, 1, 1)], LOCAL), zone)
    except pa.ArrowInvalid:
        return False
    return not zone.startswith(("+", "-")) or (zone[1:3] <= "15" and zone[4:] < "60")


def _since_epoch(values: Sequence[Any], unit: int) -> pa.Array:
    return pa.array([_microseconds(value, unit) for value in values], pa.int64()).cast(INSTANT)


def _microseconds(value: Any, unit: int) -> int | None:
    try:
        number = value if type(value) is int else float(value)
        micros = round(number * unit)
    except (TypeError, ValueError, OverflowError):
        return None
    return micros if type(value) is not bool and EARLIEST <= micros <= LATEST else None


def _rewritten(column: pa.Array) -> pa.Array:
    return reduce(
        lambda done, step: pc.replace_substring_regex(done, *step),
        REWRITTEN,
        pc.utf8_trim(column, " "),
    )


def _with_zone(column: pa.Array, _: Any) -> pa.Array:
    return pc.cast(column, INSTANT)


def _without_zone(column: pa.Array, zones: str | Sequence[Any] | None) -> pa.Array:
    return _located(pc.cast(column, LOCAL), zones)


def _located(local: pa.Array, zones: str | Sequence[Any] | None) -> pa.Array:
    """Local times -> instants. A time that a clock shows twice is the first of the two."""
    if zones is None or isinstance(zones, str):
        return _in_zone(local, zones or "UTC")
    column = pa.array([_zone_name(zone) for zone in zones], pa.string())
    placed = pa.nulls(len(local), INSTANT)
    for zone in pc.unique(column.drop_null()).to_pylist():
        here = pc.equal(column, zone).fill_null(False)
        placed = pc.if_else(
            here, _in_zone(pc.if_else(here, local, pa.scalar(None, LOCAL)), zone), placed
        )
    return placed


def _zone_name(zone: Any) -> str | None:
    return "UTC" if zone is None or zone == "" else parse_zone(zone)


def _in_zone(local: pa.Array, zone: str) -> pa.Array:
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(INSTANT)


def _within_reach(column: pa.Array) -> pa.Array:
    micros = column.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(micros, EARLIEST), pc.less_equal(micros, LATEST))
    return pc.if_else(inside, column, pa.scalar(None, INSTANT))


def _one_by_one(
    texts: Sequence[str | None],
    zones: str | Sequence[Any] | None,
    read: Callable[[str], datetime | None],
) -> pa.Array:
    """Read a column in which some are no times, or written in different ways."""
    times = [None if text is None else _or_none(read, text) for text in texts]
    local = pa.array([t if t and t.tzinfo is None else None for t in times], LOCAL)
    placed = pa.array([t if t and t.tzinfo else None for t in times], INSTANT)
    return _within_reach(pc.coalesce(placed, _located(local, zones)))


def _or_none(read: Callable[[str], datetime | None], text: str) -> datetime | None:
    try:
        return read(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _parsed(text: str) -> datetime | None:
    text = text.strip()
    rewritten = text
    for pattern, replacement in REWRITTEN:
        rewritten = re.sub(pattern, replacement, rewritten)
    if iso := ISO.fullmatch(rewritten):
        *numbers, fraction, zone = iso.groups()
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        return datetime(year, month, day, hour, minute, second, micros, tzinfo=_offset(zone))
    return parsedate_to_datetime(text) if RFC_2822.fullmatch(text) else None


def _offset(zone: str | None) -> timezone | None:
    if not zone:
        return None
    if zone in "zZ":
        return timezone.utc
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)
