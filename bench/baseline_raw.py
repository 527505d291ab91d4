"""The raw baseline: the minimal work of any sync, without checks, retries or history."""

import http.client
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import duckdb

from bench.contenders import PAGE, PATH, Prepared, count_rows
from event_assets.sandbox import KEY

CONNECTIONS = 8
EVENT = """
    id VARCHAR, name VARCHAR, status VARCHAR,
    start_time TIMESTAMPTZ, end_time TIMESTAMPTZ,
    description VARCHAR, url VARCHAR, category VARCHAR, tags VARCHAR[],
    venue STRUCT(
        id VARCHAR, name VARCHAR, city VARCHAR, country VARCHAR, capacity BIGINT,
        location STRUCT(lat DOUBLE, lon DOUBLE)
    ),
    price STRUCT(currency VARCHAR, min BIGINT, max BIGINT),
    is_online BOOLEAN, attendee_count BIGINT,
    created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ
"""
MERGE = f"""
    merge into event_data using (
        select unnest(event) from (
            select unnest(data) as event from read_json(
                $pages,
                format = 'newline_delimited',
                records = true,
                columns = {{data: 'STRUCT({EVENT})[]'}}
            )
        )
    ) as page on event_data.id = page.id
    when matched then update
    when not matched then insert
"""


def prepare(url: str, folder: Path) -> Prepared:
    """Prepare to fetch all pages into files and merge them in one transaction."""
    database = folder / "limit.duckdb"

    def run() -> bool:
        fetch(urlsplit(url).netloc, folder)
        merge(database, folder)
        return True

    return Prepared(run, lambda: count_rows(database, "event_data"), database)


def fetch(host: str, folder: Path) -> None:
    """Write every page as one line, one file per connection."""
    offsets = itertools.count(PAGE, PAGE)  # its next() is atomic
    with (folder / "pages.json").open("wb") as file:
        (body,) = _pages(host, iter([0]))
        file.write(body + b"\n")
    total = json.loads(body)["total"]

    def worker(number: int) -> None:
        remaining = itertools.takewhile(lambda offset: offset < total, offsets)
        with (folder / f"pages{number}.json").open("wb") as file:
            file.writelines(body + b"\n" for body in _pages(host, remaining))

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(worker, range(CONNECTIONS)))


def _pages(host: str, offsets: Iterator[int]) -> Iterator[bytes]:
    """Yield pages fetched over one persistent connection."""
    connection = http.client.HTTPConnection(host)
    for offset in offsets:
        query = urlencode({"api_key": KEY, "limit": PAGE, "offset": offset})
        connection.request("GET", f"{PATH}?{query}")
        response = connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"{response.status} at offset {offset}")
        yield body
    connection.close()


def merge(database: Path, folder: Path) -> None:
    """Merge the events of all pages by id."""
    pages = [str(file) for file in folder.glob("pages*.json") if file.stat().st_size]
    with duckdb.connect(database) as connection:
        connection.execute(f"create table if not exists event_data ({EVENT})")
        connection.execute(MERGE, {"pages": pages})
