"""Simulated events: a pure function of seed, size and time."""

import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from event_assets.sandbox import words

Event: TypeAlias = dict[str, Any]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

LEAD = 35 * DAY  # the longest time from publication to start
POSTPONED_BY = (HOUR, 2 * HOUR, 3 * HOUR, DAY, 2 * DAY, 7 * DAY)
DURATIONS = (HOUR, 1.5 * HOUR, 2 * HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 8 * HOUR, 2 * DAY)
LISTED_AFTER_END = DAY
LONGEST_LISTED = LEAD + HOUR + max(POSTPONED_BY) + max(DURATIONS) + LISTED_AFTER_END

FROZEN_AT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

_DRAWS = struct.Struct("<10I12H")  # the 64 bytes of a digest as uniform integers
_UNIT = 2.0**-32


class _Life(NamedTuple):
    """The changes of one event over time, in seconds since the epoch."""

    published: float
    start: float
    postponed_start: float
    duration: float
    sold: list[float]
    rescheduled: float
    cancelled: float
    gone: float


class EventSimulation:
    """Simulated events of a platform, live or frozen.

    A live simulation lists about `size` events at any time: new ones are appended, others sell
    tickets, are rescheduled, cancelled or removed, and each leaves a day after its end. A frozen
    one lists exactly `size` events that never change. Equal arguments produce equal events.
    """

    def __init__(self, size: int = 5000, seed: int = 0, frozen: bool = False) -> None:
        """Simulate `size` events."""
        self.size = size
        self.frozen = frozen
        self._interval = _MEAN_LISTED / max(size, 1)
        # The last event of a frozen simulation is published just before FROZEN_AT.
        self._origin = FROZEN_AT - size * self._interval if frozen else 0.0
        self._key = (seed & (1 << 64) - 1).to_bytes(8, "little")
        self._id_shift = int.from_bytes(blake2b(self._key, digest_size=6).digest(), "little")

    def events(self, at: datetime) -> list[Event]:
        """Return the events listed at `at` (aware), in order of publication."""
        seconds = FROZEN_AT if self.frozen else at.timestamp()
        states = (self.event(number, seconds) for number in self._numbers(seconds))
        return [event for event in states if event is not None]

    def _numbers(self, at: float) -> range:
        """Return the numbers of the events that may be listed at `at` (seconds since the epoch)."""
        if self.frozen or not self.size:
            return range(self.size)
        first = math.floor((at - LONGEST_LISTED) / self._interval) - 1
        return range(first, math.floor(at / self._interval) + 1)

    def event(self, number: int, at: float) -> Event | None:
        """Return event `number` at `at` (seconds since the epoch); None when it is not listed."""
        draws = self._draws(number)
        life = self._life(number, draws)
        is_listed = self.frozen or life.published <= at < life.gone
        return self._record(number, draws, life, at) if is_listed else None

    def _draws(self, number: int) -> tuple[int, ...]:
        name = number.to_bytes(8, "little", signed=True)
        return _DRAWS.unpack(blake2b(name, key=self._key).digest())

    def _life(self, number: int, draws: tuple[int, ...]) -> _Life:
        published = self._origin + (number + draws[0] * _UNIT) * self._interval
        lead = draws[1] * _UNIT * LEAD
        start = math.ceil((published + lead) / (30 * MINUTE)) * 30 * MINUTE
        postponed_start = start
        duration = DURATIONS[draws[10] % 8]
        rescheduled = cancelled = removed = math.inf
        fate = draws[2] * _UNIT
        moment = published + draws[3] * _UNIT * lead
        if fate < 0.12:
            rescheduled = moment
            postponed_start = start + POSTPONED_BY[draws[11] % 6]
        elif fate < 0.18:
            cancelled = moment
        elif fate < 0.21:
            removed = moment
        sales, phase = draws[12] % 6, draws[4] * _UNIT
        sold = [published + lead * (sale + phase) / (sales + 1) for sale in range(1, sales + 1)]
        sold = [sale for sale in sold if sale < cancelled]
        gone = min(removed, postponed_start + duration + LISTED_AFTER_END)
        return _Life(
            published, start, postponed_start, duration, sold, rescheduled, cancelled, gone
        )

    def _record(self, number: int, draws: tuple[int, ...], life: _Life, at: float) -> Event:
        ident = f"evt_{(number * 0x9E3779B97F4B + self._id_shift) & 0xFFFFFFFFFFFF:012x}"
        city = words.CITIES[draws[13] % len(words.CITIES)]
        category = words.CATEGORIES[draws[14] % len(words.CATEGORIES)]
        topic = words.TOPICS[category][words.LANGUAGES.index(city.language)]
        series = words.SERIES[city.language][draws[15] % 4]
        name = series.replace("{topic}", topic) + words.ENDINGS[draws[16] % len(words.ENDINGS)]
        hall, capacity = words.HALLS[draws[17] % len(words.HALLS)]
        venue_name = f"{city.name} {hall}"

        sales = len([sale for sale in life.sold if sale <= at])
        wanted = capacity * draws[5] * _UNIT * 1.1
        attendees = min(capacity, int(wanted * sales / 5))
        start, status = life.start, "scheduled"
        if life.rescheduled <= at:
            start, status = life.postponed_start, "rescheduled"
        if life.cancelled <= at:
            status = "cancelled"
        elif attendees == capacity:
            status = "sold_out"
        moments = (life.published, *life.sold, life.rescheduled, life.cancelled)
        updated = max([moment for moment in moments if moment <= at])
        offset = city.utc_offset if draws[18] % 10 == 0 else None
        end = None if draws[19] % 5 == 0 else _format_time(start + life.duration, offset)
        tags = words.TAGS[category]
        sentence = words.SENTENCES[draws[6] % len(words.SENTENCES)]
        price = 0 if draws[20] % 4 == 0 else 5 + draws[20] % 120
        return {
            "id": ident,
            "name": name,
            "status": status,
            "start_time": _format_time(start, offset),
            "end_time": end,
            "description": f"{name}, {venue_name}. {sentence}",
            "url": f"https://events.example/e/{ident}",
            "category": category,
            "tags": list(tags[: draws[7] % (len(tags) + 1)]),
            "venue": {
                "id": f"ven_{draws[13] % len(words.CITIES):02d}{draws[17] % len(words.HALLS)}",
                "name": venue_name,
                "city": city.name,
                "country": city.country,
                "capacity": capacity,
                "location": {"lat": city.lat, "lon": city.lon},
            },
            "price": {
                "currency": city.currency,
                "min": price,
                "max": price + (draws[21] % 50 if price else 0),
            },
            "is_online": draws[8] % 8 == 0,
            "attendee_count": attendees,
            "created_at": _format_time(life.published, precise=True),
            "updated_at": _format_time(updated, precise=True),
        }


def _format_time(seconds: float, utc_offset: float | None = None, precise: bool = False) -> str:
    timespec = "milliseconds" if precise else "seconds"
    if utc_offset is None:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec)[:-6] + "Z"
    zone = timezone(timedelta(hours=utc_offset))
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec=timespec)


# The average time that an event is listed: half of LEAD, the rounding of the start, the
# postponement of 12 %, the duration and the day after, less the loss by the 3 % removed.
_MEAN_UNTIL_REMOVED = (
    15 * MINUTE
    + 0.12 * sum(POSTPONED_BY) / len(POSTPONED_BY)
    + sum(DURATIONS) / len(DURATIONS)
    + LISTED_AFTER_END
)
_MEAN_LISTED = LEAD / 2 + _MEAN_UNTIL_REMOVED - 0.03 * (LEAD / 4 + _MEAN_UNTIL_REMOVED)
