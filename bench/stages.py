"""Parts of this project's sync by themselves: what they take of its time."""

from itertools import chain
from pathlib import Path

import orjson
import requests

from bench import contender
from bench.contenders import PAGE, PATH, Prepared, rows_in
from event_assets.sandbox import KEY

SOME_CHANGED = "update events.event_data set name = name || ' (new)' where hash(id) % 100 = 0"


def typing_of_records(url: str, _folder: Path) -> Prepared:
    """Prepare turning the API's records, decoded and at hand, into typed Arrow tables."""
    from event_assets.records.arrow_builder import ArrowTableBuilder
    from event_assets.records.contract import build_field_readers
    from event_assets.sync.dlt_resource import garbage_collection_paused

    records = _records(url)
    fields = build_field_readers(contender.contract())
    made: list[int] = []

    def run() -> bool:
        with garbage_collection_paused():
            made.extend(len(table) for table in ArrowTableBuilder(fields).tables(records))
        return True

    return Prepared(run, lambda: sum(made))


def changes_of_none(url: str, folder: Path) -> Prepared:
    """Prepare `event_changes` after a sync in which nothing changed."""
    return _changes(url, folder, None)


def changes_of_some(url: str, folder: Path) -> Prepared:
    """Prepare `event_changes` after a sync in which 1 % of the events changed."""
    return _changes(url, folder, SOME_CHANGED)


def _changes(url: str, folder: Path, update: str | None) -> Prepared:
    synced = contender.in_process(url, folder)
    synced.run()
    from event_assets import warehouse
    from event_assets.orchestration.derived_assets import CREATE_CURRENT_EVENTS
    from event_assets.transform import changes

    with warehouse.connect() as database:
        database.execute(CREATE_CURRENT_EVENTS.format(schema="events"))
        changes.record_changes(database, "events", tuple(contender.contract()))
        if update:
            database.execute(update)

    def run() -> bool:
        with warehouse.connect() as database:
            changes.record_changes(database, "events", tuple(contender.contract()))
        return True

    return Prepared(
        run, lambda: rows_in(folder / contender.DATABASE, contender.TABLE), synced.database
    )


def _records(url: str) -> list[object]:
    """Fetch all records, decoded as a sync does it: the texts of names are shared."""
    with requests.Session() as session:

        def page(offset: int) -> list[object]:
            asked: dict[str, str | int] = {"limit": PAGE, "offset": offset, "api_key": KEY}
            found: list[object] = orjson.loads(session.get(url + PATH, params=asked).content)[
                "data"
            ]
            return found

        pages: list[list[object]] = []
        while not pages or pages[-1]:
            pages.append(page(PAGE * len(pages)))
    return list(chain.from_iterable(pages))
