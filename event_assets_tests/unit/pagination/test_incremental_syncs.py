"""Syncs of the changes since a position lose no change and call no living event gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.position import CursorReader, CursorTracker
from event_assets.pagination.evidence import judge
from event_assets.pagination.factory import create_paginator
from event_assets_tests.support.list_models import PAGINATORS, ChangingList, Query, Reply
from event_assets_tests.support.list_readers import Reader
from event_assets_tests.support.offset_lists import EXAMPLES, quick
from event_assets_tests.support.paging import read_ids

START = 1_780_000_000
CURSOR = IncrementalCursor("updated_at")
SOURCE = SourceConfig(
    name="events",
    fields={"id": FieldConfig(type="text")},
    rest_api={
        "client": {"base_url": "http://x"},
        "resources": [{"name": EVENT_DATA, "endpoint": {"path": "/events"}}],
    },
)
READER = CursorReader(SOURCE.resources[EVENT_DATA], CURSOR)


FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def write(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(FORMAT)


def parse(text: str) -> int:
    return int(datetime.strptime(text, FORMAT).replace(tzinfo=UTC).timestamp())


class Event(NamedTuple):
    version: int
    stamp: int


class Change(NamedTuple):
    """Of an event, or `wait`: `at` seconds pass. The API shows it `late` seconds afterwards."""

    kind: str
    at: int
    late: int


@dataclass
class Api:
    """Events that change while they are read, of which requests may ask for those since a time.

    Attributes:
        precision: of `updated_at`, in seconds.
        shown: the events by id; `coming` are those that are shown later.
    """

    order: str
    precision: int
    is_inclusive: bool
    now: int = START
    version: int = 0
    shown: dict[int, Event] = field(default_factory=dict[int, Event])
    coming: list[tuple[int, int, Event]] = field(default_factory=list[tuple[int, int, Event]])
    deleted: set[int] = field(default_factory=set[int])

    def change(self, change: Change) -> None:
        known = sorted(self.shown)
        event = known[change.at % len(known)] if known else 0
        self.version += 1
        if change.kind == "wait":
            self.now += change.at
        elif change.kind == "delete":
            self.shown.pop(event, None)
            self.deleted.add(event)
        elif change.kind == "insert" or known:
            new = self.version if change.at % 2 else -self.version
            stamp = self.now // self.precision * self.precision
            made = Event(self.version, stamp)
            self.coming.append(
                (self.now + change.late, new if change.kind == "insert" else event, made)
            )
        for at, event, made in self.coming:
            if at <= self.now and event not in self.deleted:
                self.shown[event] = max(made, self.shown.get(event, made))
        self.coming = [each for each in self.coming if each[0] > self.now]

    def since(self, start: int | None) -> ChangingList:
        """Return the list of what changed since a time."""
        keys = {
            event: float(
                event if self.order == "id" else self.sign * (stamp - START) * 1_000 + event
            )
            for event, (_, stamp) in self.shown.items()
            if start is None or stamp > start or (self.is_inclusive and stamp == start)
        }
        listed = ChangingList(sorted(keys, key=keys.__getitem__))
        listed.keys = keys
        return listed

    @property
    def sign(self) -> int:
        return -1 if self.order == "newest first" else 1


@dataclass
class Copy:
    """A table of an API's events, and what its syncs know."""

    kind: str
    api: Api
    table: dict[int, Event] = field(default_factory=dict[int, Event])
    seen: dict[int, int] = field(default_factory=dict[int, int])  # the last sync that read it
    syncs: int = 0
    last_full: int = 0
    position: Any = None
    newest: Any = None

    def sync(self, changes: Sequence[Sequence[Change]], *, full: bool, killed_at: int = -1) -> bool:
        """Read the changes, or all events, and load them as a sync does; False: it was killed."""
        self.syncs += 1
        loaded = None if full else self.position
        began = datetime.fromtimestamp(self.api.now, UTC)
        start = parse(loaded) if loaded else None
        config, serve = PAGINATORS[self.kind]
        pages: list[list[dict[str, Any]]] = []
        script: Iterator[Sequence[Change]] = iter(changes)

        def serve_changes(_listed: ChangingList, query: Query) -> Reply:
            status, body, headers = serve(self.api.since(start), query)
            for row in body["data"]:
                version, stamp = self.api.shown[row["id"]]
                row.update(version=version, updated_at=write(stamp))
            pages.append(body["data"])
            for change in next(script, ()):
                self.api.change(change)
            return (500 if len(pages) == killed_at else status), body, headers

        reader, paginator = Reader(), create_paginator(config, read_ids)
        reader.read(paginator, serve_changes, ChangingList([]))
        if reader.failed:
            return False
        tracker = CursorTracker(READER, loaded, self.newest, loaded, lambda: began)
        for row in tracker.observe(row for page in pages for row in page):
            self.table[row["id"]] = Event(row["version"], parse(row["updated_at"]))
            self.seen[row["id"]] = self.syncs
        if judge(paginator.facts).complete:
            self.position, self.newest = tracker.position, tracker.newest
            self.last_full = self.last_full if loaded else self.syncs
        return True

    @property
    def gone(self) -> set[int]:
        return {event for event, sync in self.seen.items() if sync < self.last_full}


changes = st.builds(
    Change,
    st.sampled_from(["wait", "update", "update", "insert", "delete"]),
    st.integers(0, 150),
    st.sampled_from([0, 0, 5, 59]),
)
some = st.lists(changes, max_size=3)
syncs = st.tuples(some, st.lists(some, max_size=9), st.booleans(), st.integers(-9, 5))
orders = st.sampled_from(["id", "oldest first", "newest first"])
# of times in minutes, one that was read may come again
times = st.sampled_from([(1, True), (1, False), (60, True)])
apis = st.builds(lambda order, time: Api(order, *time), orders, times)


@settings(quick, max_examples=EXAMPLES // 2)
@given(st.sampled_from(sorted(PAGINATORS)), apis, st.integers(0, 20), st.lists(syncs, max_size=5))
def test_syncs_of_changes_miss_no_event_and_call_no_living_one_gone(
    kind: str, api: Api, length: int, script: list[Any]
) -> None:
    for at in range(length):
        api.change(Change("insert", at, 0))
        api.change(Change("wait", at % 3, 0))
    copy, can_hide = Copy(kind, api), False
    for before, during, full, killed_at in script:
        for change in before:
            api.change(change)
        living, deleted = dict(api.shown), len(api.deleted)
        is_loaded = copy.sync(during, full=full, killed_at=killed_at)
        # where changes move events, a deletion may hide that one has moved: the next full sync sees
        can_hide |= api.order != "id" and len(api.deleted) > deleted
        # an event that moves ahead of the current page is read by the next sync
        can_move_ahead = api.order == "newest first"
        staying = {e for e in api.shown if not can_move_ahead or living.get(e) == api.shown[e]}
        assert can_hide or not is_loaded or not copy.gone & living.keys() & staying
    api.change(Change("wait", 600, 0))
    copy.sync((), full=can_hide)
    assert {event: copy.table.get(event) for event in api.shown} == api.shown
    assert not copy.gone & api.shown.keys()
