"""The floor: what a sync with this project's guarantees needs at the least, written for one API.

Pages overlap by a row, which shows that none is missing between them; records are decoded by a
fixed schema that allows no other fields or types; they go to Parquet in Arrow tables of limited
size, and into DuckDB in one transaction. There is no Dagster, no dlt, and nothing that learns.
"""

import gc
import http.client
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.contenders import PAGE, PATH, Prepared, count_rows
from event_assets.sandbox import KEY

CONNECTIONS = 8
TABLE_ROWS = 20_000
TIME = pa.timestamp("us", "UTC")


class Strict(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An object with these fields only."""


class Location(Strict):
    """Where a venue is."""

    lat: float | None
    lon: float | None


class Venue(Strict):
    """Where an event takes place."""

    id: str | None
    name: str | None
    city: str | None
    country: str | None
    capacity: int | None
    location: Location


class Price(Strict):
    """What an event costs."""

    currency: str | None
    min: int | None
    max: int | None


class Event(Strict):
    """A record of the sandbox."""

    id: str
    name: str | None
    status: str | None
    start_time: str | None
    end_time: str | None
    description: str | None
    url: str | None
    category: str | None
    tags: msgspec.Raw
    venue: Venue
    price: Price
    is_online: bool | None
    attendee_count: int | None
    created_at: str | None
    updated_at: str | None


class Page(Strict):
    """A response."""

    data: list[Event]
    total: int


COLUMNS = {
    "id": pa.string(),
    "name": pa.string(),
    "status": pa.string(),
    "start_time": TIME,
    "end_time": TIME,
    "description": pa.string(),
    "url": pa.string(),
    "category": pa.string(),
    "tags": pa.string(),
    "venue.id": pa.string(),
    "venue.name": pa.string(),
    "venue.city": pa.string(),
    "venue.country": pa.string(),
    "venue.capacity": pa.int64(),
    "venue.location.lat": pa.float64(),
    "venue.location.lon": pa.float64(),
    "price.currency": pa.string(),
    "price.min": pa.int64(),
    "price.max": pa.int64(),
    "is_online": pa.bool_(),
    "attendee_count": pa.int64(),
    "created_at": pa.string(),
    "updated_at": pa.string(),
}
SCHEMA = pa.schema([(path.replace(".", "__"), type_) for path, type_ in COLUMNS.items()])
read_values = attrgetter(*COLUMNS)
decode_page = msgspec.json.Decoder(Page).decode


def prepare(url: str, folder: Path) -> Prepared:
    """Prepare to read every page, write Parquet and load it."""
    database, parquet = folder / "floor.duckdb", folder / "events.parquet"

    def run() -> bool:
        gc.disable()
        write_parquet(fetch_pages(urlsplit(url).netloc), parquet)
        gc.enable()
        load(parquet, database)
        return True

    return Prepared(run, lambda: count_rows(database, "event_data"), database)


def fetch_pages(host: str) -> Iterator[Sequence[Event]]:
    """Yield the new events of each page, in order, with the next pages on their way.

    Raises:
        ValueError: when a page does not begin with the last event of the page before.
    """
    local = threading.local()

    def fetch(offset: int) -> Page:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(host)
        local.connection.request("GET", f"{PATH}?api_key={KEY}&limit={PAGE}&offset={offset}")
        return decode_page(local.connection.getresponse().read())

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        first = threads.submit(fetch, 0).result()
        yield first.data
        last = first.data[-1].id
        offsets = iter(range(PAGE - 1, first.total - 1, PAGE - 1))
        ahead = deque(threads.submit(fetch, offset) for offset in islice(offsets, CONNECTIONS))
        while ahead:
            events = ahead.popleft().result().data
            ahead.extend(threads.submit(fetch, offset) for offset in islice(offsets, 1))
            if events[0].id != last:
                raise ValueError(f"the list moved at {last}")
            last = events[-1].id
            yield events[1:]


def write_parquet(pages: Iterator[Sequence[Event]], file: Path) -> None:
    """Write the events to a file, in tables of at least `TABLE_ROWS` rows."""
    events: list[Event] = []
    with pq.ParquetWriter(file, SCHEMA) as writer:
        for page in pages:
            events += page
            if len(events) >= TABLE_ROWS:
                writer.write_table(build_table(events))
                events.clear()
        if events:
            writer.write_table(build_table(events))


def build_table(events: Sequence[Event]) -> pa.Table:
    """Return the events as columns."""
    columns = dict(zip(SCHEMA.names, zip(*map(read_values, events), strict=True), strict=True))
    columns["tags"] = tuple(str(tags, "utf-8") for tags in columns["tags"])
    arrays = [
        pc.cast(pa.array(columns[field.name], pa.string()), TIME)
        if field.type == TIME
        else pa.array(columns[field.name], field.type)
        for field in SCHEMA
    ]
    return pa.table(arrays, SCHEMA)


def load(file: Path, database: Path) -> None:
    """Replace the rows with the ids of the file by its rows, in one transaction."""
    settings: dict[str, str | bool | int | float | list[str]]
    settings = {"threads": 1, "preserve_insertion_order": False}
    with duckdb.connect(database, config=settings) as connection:
        rows = f"read_parquet('{file}')"
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"create table if not exists event_data as from {rows} limit 0")
        connection.execute("begin")
        connection.execute(f"delete from event_data where id in (select id from {rows})")
        connection.execute(f"insert into event_data from {rows}")
        connection.execute("commit")
