"""Detect how times are written."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from event_assets.records.contract import NO_TIME
from event_assets.values.timestamps import EPOCH_UNITS, FULL_HOUR, parse_timestamps, parse_zone

ENOUGH = 0.95  # of the values that are there
MOST = 0.5  # of the values of a field that is named as the start
# From 1973 and 2001 on; `202610051930` and `20261005193000` are outside.
EPOCH_RANGES = {"epoch_s": (10**8, 10**11), "epoch_ms": (10**12, 10**13)}
DAY = 86_400_000_000  # microseconds
FIRST_YEAR = 1970  # in which, and before which, a day stands for none beside a time of day
HAS_CLOCK = re.compile(r"\d{1,2}:\d{2}|T\d{2}|\d{8}T?\d{4}")
MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d[T ]00:00(:00(\.0+)?)?(Z|[+-]\d\d:?\d\d)?")
NAMES = {  # of days and months
    "%A": tuple(calendar.day_name),
    "%a": tuple(calendar.day_abbr),
    "%B": tuple(calendar.month_name),
    "%b": tuple(calendar.month_abbr),
}
MAX_TOKENS = 7  # of a day: its numbers and names, and what is between them
# Of C, of Twitter and of RFC 850: something is behind the time of day.
WHOLE = ("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y", "%A, %d-%b-%y %H:%M:%S GMT")
ORDERS = ("dmY", "mdY", "dmy", "mdy", "Ymd")
SPLIT = re.compile(
    r"(?P<day>\w[\w., /-]*?\d)(?P<midnight>(?:[T ]00:00(?::00(?:\.0+)?)?Z?(?=T))?"
    r"(?:T\d{4}-\d\d-\d\d(?=T))?)"  # of the database's own, before a time of day
    r"(?:(?P<joint>T| - |,? (?:[^\W\d]{1,4}\.? )?)"
    r"(?P<clock>\d{1,2}[:h.]\d{2}(?::\d{2})?(?: ?[AaPp](?:[Mm]|\.[Mm]\.))?)"
    r"(?P<zone> [+-]\d{4})?(?P<tail> ?(?:Uhr|h|UTC|GMT))?)?"
)


@dataclass(frozen=True)
class TimeFormat:
    """How the times of a field are written."""

    pattern: str | None = None  # its `format`; None: ISO 8601 or RFC 2822, which need none
    has_time: bool = True  # any value has a time of day other than 00:00
    has_zone: bool = False  # times of day are the same in any time zone
    rivals: tuple[str, ...] = ()  # other patterns that read every value, too
    has_days: bool = False  # some values beside times are days alone, at whose midnight is no zone

    @property
    def is_epoch(self) -> bool:
        """Whether the values are numbers of seconds or milliseconds."""
        return self.pattern in EPOCH_UNITS


def find_format(values: Sequence[Any], enough: float = ENOUGH) -> TimeFormat | None:
    """Return how values are written, if enough of them are times; None if they are not."""
    present = [one for one in values if one not in (None, "") and not NO_TIME.match(str(one))]
    if not present or any(isinstance(value, (dict, list, bool)) for value in present):
        return None
    for unit, (low, high) in EPOCH_RANGES.items():
        epochs = [float(value) for value in present if _is_between(value, low, high)]
        if len(epochs) >= enough * len(present):
            has_time = any(epoch * EPOCH_UNITS[unit] % DAY for epoch in epochs)
            return TimeFormat(unit, has_time, has_zone=True)
    texts = [str(value) for value in present if type(value) in (str, int)]
    if len(texts) < enough * len(present) or not any(map(_may_be_time, texts)):
        return None
    if is_read(texts, None, enough):
        timed = [text for text in texts if HAS_CLOCK.search(text)]
        has_time = not all(map(MIDNIGHT.fullmatch, timed))
        elsewhere = parse_timestamps(timed, None, parse_zone("Pacific/Kiritimati"))
        has_zone = elsewhere.equals(parse_timestamps(timed, None, None))
        has_days = len(timed) < len(texts)
        return TimeFormat(None, has_time, bool(timed) and has_zone, has_days=has_days)
    patterns: list[str] = next(filter(None, map(_patterns, filter(_may_be_time, texts))), [])
    # those that read nearly all, if there are some: `09/13/2026` is no day first
    shares = ([one for one in patterns if is_read(texts, one, share)] for share in (ENOUGH, enough))
    if not (found := next(filter(None, shares), [])):
        return None
    has_time = "%H" in found[0] or "%I" in found[0]
    rivals = (pattern for pattern in found[1:] if "%m" in pattern)  # not `May`, long and short
    has_zone = found[0].endswith(("%z", "UTC", "GMT"))
    return TimeFormat(found[0], has_time, has_zone, tuple(rivals))


def _is_between(value: Any, low: int, high: int) -> bool:
    if isinstance(value, str):
        value = float(value) if re.fullmatch(r"\d{10,}(\.\d+)?", value) else -1
    return type(value) in (int, float) and low <= value < high


def _may_be_time(text: str) -> bool:
    return 6 <= len(text) <= 60 and bool(re.search(r"\d", text))


def is_read(texts: Sequence[str], pattern: str | None, enough: float) -> bool:
    """Return whether a pattern reads this share of texts as times of our days."""
    array = parse_timestamps(texts, pattern, None)
    years = [value.year for value in array.to_pylist() if value is not None]
    return len(years) >= enough * len(texts) and FIRST_YEAR < sorted(years)[len(years) // 2] < 2200


def _patterns(text: str) -> list[str]:
    """Return the patterns that may read a time, the day before the month first."""
    found = SPLIT.fullmatch(FULL_HOUR.sub(r"\1:00", text))
    tokens = re.findall(r"\d+|[A-Za-z]+|[^\dA-Za-z]+", found["day"]) if found else ()
    has_day = text[:3] in NAMES["%a"]
    whole = [one for one in WHOLE if has_day and is_read([text], one, ENOUGH)]
    if whole or not found or len(tokens) > MAX_TOKENS:
        return whole
    day, midnight, joint, clock, zone, tail = found.groups()
    behind = f"{joint}{_clock_pattern(clock)}{' %z' if zone else ''}{tail or ''}" if clock else ""
    made = map("".join, product(*(_directives(token, day) for token in tokens)))
    patterns = [one for one in made if _order(one) in ORDERS and "%m.%d" not in one]
    return [f"{pattern}{midnight or ''}{behind}" for pattern in patterns]


def _directives(token: str, day: str) -> list[str]:
    """Return what may read a part of a day: a number, a name, or what is between them."""
    if token.isalpha():
        return [directive for directive, names in NAMES.items() if token.title() in names]
    if not token.isdecimal():
        return [token]
    short_year = ["%y"] if {*"/."} & {*day} else []
    compact = {14: ["%Y%m%d%H%M%S"], 12: ["%Y%m%d%H%M"], 8: ["%Y%m%d"], 4: ["%Y"], 3: []}
    return compact.get(len(token), ["%d", "%m", *short_year])


def _order(pattern: str) -> str:
    return re.sub("[Bb]", "m", "".join(re.findall("%([dmyYBb])", pattern)))


def _clock_pattern(clock: str) -> str:
    seconds = ":%S" if clock.count(":") == 2 else ""
    half = re.search(r"( ?)[AaPp]\.?[Mm]\.?$", clock)
    joint = re.sub(r"\d", "", clock)[0]  # `19h30` in French, `19.30` in Danish
    return f"%I:%M{seconds}{half[1]}%p" if half else f"%H{joint}%M{seconds}"
