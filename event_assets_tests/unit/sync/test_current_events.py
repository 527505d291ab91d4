"""What is current after any history of syncs, and what has left."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import pytest

from event_assets.config.source import SourceConfig
from event_assets.sync.current_events import current_events_query, earliest_start
from event_assets.sync.rejects import COLUMNS as REJECT_COLUMNS
from event_assets.sync.sync_log import COLUMNS as LOG_COLUMNS
from event_assets.transform.changes import record_changes
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse.sql import insert_row
from event_assets_tests.support.direct_syncs import source_of
from event_assets_tests.support.platforms import source

pytestmark = pytest.mark.in_process

START = datetime(2026, 5, 1, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIELDS = {
    "id": {"type": "text"},
    "start_time": {"type": "timestamp"},
    "end_time": {"type": "timestamp"},
}
LOADED = "id varchar, start_time timestamptz, end_time timestamptz, last_seen_at timestamptz"
TABLES = {
    "event_data": f"{LOADED}, _dlt_load_id varchar",
    **{
        name: ", ".join(f"{each} {COLUMN_TYPES[kind].duckdb}" for each, kind in columns.items())
        for name, columns in (
            ("event_data_syncs", LOG_COLUMNS),
            ("event_data_rejects", REJECT_COLUMNS),
        )
    },
}
Windows = tuple[datetime, datetime]


@dataclass
class Event:
    """An event, as the API has it."""

    id: str
    start: datetime
    end: datetime
    deleted_at: datetime | None = None


@dataclass
class Api:
    """An API whose list shows events until they begin, until their day or they are over, or all."""

    kind: str
    by: str  # what its windows compare: start, end or both
    zone: timedelta  # of the windows' limits
    lag: timedelta = timedelta(0)  # for how long a list of upcoming events may be behind
    events: dict[str, Event] = field(default_factory=dict)

    def shows(self, event: Event, now: datetime, windows: Windows | None) -> bool:
        if event.deleted_at and event.deleted_at <= now:
            return False
        shown = {
            "all": True,
            "running": event.end >= now,
            "today": event.start >= now.replace(hour=0, minute=0),
            "upcoming": event.start >= now - self.lag,
        }
        if not shown[self.kind]:
            return False
        if windows is None:
            return True
        first, last = (limit + self.zone for limit in windows)
        in_window = {
            "start": first <= event.start <= last,
            "end": first <= event.end <= last,
            "both": event.start <= last and event.end >= first,
        }
        return in_window[self.by]


class Syncs:
    """A database into which syncs of an API are loaded, without reading it over HTTP."""

    def __init__(self, api: Api, *, name: str = "events") -> None:
        self.api, self.number = api, 0
        self.source: SourceConfig = source_of(source("http://127.0.0.1:9", fields=FIELDS), name)
        self.database = duckdb.connect()
        self.database.execute("set timezone = 'UTC'; create schema events")
        for table, columns in TABLES.items():
            self.database.execute(f"create table events.{table} ({columns})")
        view = current_events_query(self.source)
        self.database.execute(f"create view events.current_events as {view}")

    def sync(
        self,
        now: datetime,
        *,
        lasts: timedelta = timedelta(seconds=9),
        windows: Windows | None = None,
        kind: str = "complete",
        clock: timedelta = timedelta(0),
        rejected: frozenset[str] = frozenset(),
        chance: Random | None = None,
        is_noted: bool = True,
    ) -> set[str]:
        """Load what the API shows, all of it if `kind` is complete; return the ids of records."""
        self.number += 1
        load_id, started = f"{self.number}.5", now + clock
        listed = []
        for event in self.api.events.values():
            read_at = now + lasts * (chance.random() if chance else 0)
            is_read = kind == "complete" or (chance and chance.random() < 0.5)
            if is_read and self.api.shows(event, read_at, windows):
                listed.append(event)
        good = [each for each in listed if each.id not in rejected]
        for table, ids in (("event_data", good), ("event_data_rejects", listed)):
            some = [each.id for each in ids]
            self.database.execute(f"delete from events.{table} where list_contains(?, id)", [some])
        for each in listed:
            if each.id in rejected:
                row = {"id": each.id, "load_id": load_id, "first_rejected_at": started}
                insert_row(self.database, "events.event_data_rejects", row)
        rows = [(each.id, each.start, each.end, started, load_id) for each in good]
        values = ", ".join(str(tuple(map(str, row))) for row in rows)
        if values:
            self.database.execute(f"insert into events.event_data values {values}")
        log = {
            "load_id": load_id,
            "sync_number": self.number,
            "started_at": started,
            "finished_at": started + lasts,
            "began_at": max(now, started),
            "complete": str(kind != "incomplete"),
            "full_sync": str(kind != "incremental"),
            "read_from": windows and windows[0],
            "read_until": windows and windows[1],
        }
        if kind == "complete":
            log["earliest_start"] = earliest_start(self.database, self.source, load_id)
        insert_row(self.database, "events.event_data_syncs", log)
        if is_noted:
            record_changes(self.database, self.source)
        return {event.id for event in listed}

    @property
    def current(self) -> set[str]:
        return {key for (key,) in self.rows("select id from events.current_events")}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.execute(query).fetchall()


def event(key: str, start: float, end: float) -> Event:
    """Return an event that begins and ends so many days after the first sync."""
    return Event(key, START + start * DAY, START + end * DAY)


def syncs_of(kind: str, *events: Event) -> Syncs:
    api = Api(kind, "start", timedelta(0))
    api.events = {each.id: each for each in events}
    return Syncs(api)


def relative(now: datetime, since: int, until: int) -> Windows:
    today = now.replace(hour=0, minute=0)
    return today + since * DAY, today + until * DAY


@pytest.mark.parametrize(("until", "start", "end"), [(10, 8.9, 13.9), (30, 28.6, 31.6)])
def test_what_is_gone_stays_gone_when_windows_of_today_move_on(
    until: int, start: float, end: float
) -> None:
    fair = event("fair", start, end)
    syncs = syncs_of("all", fair, *(event(f"e{day}", day, day + 0.1) for day in range(60)))
    states = []
    fair.deleted_at = START + 0.1 * DAY
    for day in (0.0, 0.2, 3, start - 2.5, start - 1, start + 0.2, end - 0.5, end + 1):
        now = START + day * DAY
        syncs.sync(now, windows=relative(now, -1, until))
        states.append("fair" in syncs.current)
    went = states.index(False)
    assert went >= 2
    assert states == [True] * went + [False] * (len(states) - went)
    changes = syncs.rows("select change from events.event_changes where id = 'fair'")
    assert changes == [("gone",)]


def test_windows_that_change_in_the_configuration_bring_nothing_back() -> None:
    syncs = syncs_of("all", event("deleted", 15, 15.1), event("x", 5, 5.1))
    wide, narrow = relative(START, -1, 400), relative(START, -1, 10)
    for number, windows in enumerate((wide, narrow, narrow, wide, narrow, None, narrow)):
        syncs.sync(START + number * HOUR, windows=windows)
        syncs.api.events["deleted"].deleted_at = START + 1.5 * HOUR
        assert ("deleted" in syncs.current) is (number < 3)


def test_a_list_that_is_late_for_once_makes_nothing_gone() -> None:
    festival = event("festival", 0.1, 5)
    shows = [event(f"e{hours}", hours / 24, (hours + 1) / 24) for hours in (3, 6, 40)]
    syncs = syncs_of("upcoming", festival, *shows)
    for hours, minutes in ((0, 0), (2.9, 0), (3.05, 5), (5, 0), (6.05, 5), (8, 0)):
        syncs.api.lag = timedelta(minutes=minutes)
        syncs.sync(START + hours * HOUR)
        assert "festival" in syncs.current
    assert "festival" not in dict(syncs.rows("select id, change from events.event_changes"))


def test_an_event_that_begins_while_the_list_is_read_is_not_gone() -> None:
    begins, deleted = event("begins", 0.1, 3), event("deleted", 0.5, 3)
    syncs = syncs_of("upcoming", begins, deleted, event("x", 9, 9))
    syncs.sync(START)
    begins.deleted_at = deleted.deleted_at = START + HOUR  # one looks as if it had begun
    syncs.sync(START + 2 * HOUR, lasts=HOUR)
    assert syncs.current == {"begins", "x"}


def test_what_went_by_a_list_that_shows_older_events_stays_gone_without_them() -> None:
    syncs = syncs_of("running", event("fair", -1.5, 5), event("old", -3, 0.5), event("x", 9, 9))
    syncs.sync(START)
    syncs.api.events["fair"].deleted_at = START + HOUR
    syncs.sync(START + 2 * HOUR)
    assert syncs.current == {"old", "x"}
    syncs.sync(START + DAY)  # nothing is under way
    assert syncs.current == {"x"}
    left = syncs.rows("select id, change from events.event_changes")
    assert dict(left) == {"fair": "gone", "old": "passed"}


def test_an_event_that_comes_back_without_a_record_does_so_after_it_left() -> None:
    syncs = syncs_of("upcoming", event("fair", -0.1, 1), event("x", 9, 9))
    syncs.api.kind = "all"
    syncs.sync(START)
    syncs.api.kind = "upcoming"
    for hours, clock in ((1, 48), (2, 0)):  # for once, the clock is ahead
        syncs.sync(START + hours * HOUR, clock=clock * HOUR)
    found = syncs.rows("select change, changed_at, load_id from events.event_changes")
    assert [(change, load_id) for change, _, load_id in found] == [
        ("passed", "2.5"),
        ("reappeared", "3.5"),
    ]
    assert found[1][1] == START + 2 * HOUR


SEEDS = 32
SINCE, UNTIL = (None, -40, -3, -1, 0), (3, 10, 30, 400)


def histories(chance: Random) -> Iterator[dict[str, Any]]:
    """Yield what each sync of a history is like; the API changes before each."""
    now, limits = START, None
    for _ in range(20):
        now += chance.choice([0.3, 1, 5, 11, 24, 60]) * HOUR * chance.uniform(0.8, 1.2)
        if chance.random() < 0.2:
            since = chance.choice(SINCE)
            limits = None if since is None else (since, chance.choice(UNTIL))
        lasts = chance.choice([0.001, 0.001, 1, 3]) * HOUR
        yield {
            "now": now,
            "lasts": lasts,
            "windows": limits and relative(now, *limits),
            "kind": chance.choice(["complete"] * 4 + ["incomplete", "incremental"]),
            "clock": chance.choice([0, 0, 0, 0, 1, -1, -30]) * HOUR,
            "chance": chance,
            "is_noted": False,
        }
        now += lasts


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_comes_back_and_no_living_event_goes_in_any_history(seed: int) -> None:
    chance = Random(seed)
    kind = ("all", "running", "today", "upcoming")[seed % 4]
    api = Api(kind, chance.choice(["start", "end", "both"]), chance.randint(-14, 14) * HOUR)
    syncs, gone, known = Syncs(api), set[str](), set[str]()
    for number, sync in enumerate(histories(chance)):
        now = sync["now"]
        for twin in range(3):
            start = now + chance.choice([-50, -9, 1, 9, 100, 300, 900]) * chance.random() * HOUR
            key = f"e{number}_{twin}"
            api.events[key] = Event(key, start, start + chance.choice([2, 30, 120, 400]) * HOUR)
        for each in api.events.values():
            if not each.deleted_at and chance.random() < 0.04:
                each.deleted_at = now
        api.lag = chance.choice([0, 0, 0.1, 5]) * HOUR
        rejected = frozenset(chance.sample([*api.events], 1))
        listed = syncs.sync(**sync, rejected=rejected)
        known |= listed - rejected
        current = syncs.current
        gone -= listed
        assert listed & known <= current, "an event that was received is not current"
        assert not gone & current, "what was gone came back without a record"
        ended = now + max(sync["clock"], 0 * HOUR) + sync["lasts"]
        gone |= {key for key in known - current if api.events[key].end >= ended}
        alive = {key for key, each in api.events.items() if not each.deleted_at}
        assert not gone & alive, "a living event is gone"
        if sync["kind"] == "complete" and not sync["windows"]:
            coming = {key for key, each in api.events.items() if each.start >= ended}
            assert not current & coming - alive, "a complete list left a deleted event current"
