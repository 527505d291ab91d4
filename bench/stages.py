"""Stages of this project's sync, measured separately."""

from itertools import chain
from pathlib import Path

import orjson
import requests

from bench import project
from bench.contenders import PAGE, PATH, Prepared, count_rows
from event_assets.sandbox import KEY

CHANGE_ALL = "update events.event_data set name = name || ' (new)'"
CHANGE_SOME = f"{CHANGE_ALL} where hash(id) % 100 = 0"


def prepare_typing(url: str, _folder: Path) -> Prepared:
    """Prepare the conversion of decoded records to typed Arrow tables."""
    from event_assets.records.arrow_builder import ArrowTableBuilder
    from event_assets.records.contract import build_field_readers
    from event_assets.sync.typed_tables import pause_garbage_collection

    records = _fetch_records(url)
    fields = build_field_readers(project.build_contract())
    row_counts: list[int] = []

    def run() -> bool:
        with pause_garbage_collection():
            row_counts.extend(
                len(table) for table in ArrowTableBuilder(fields).build_batches(records)
            )
        return True

    return Prepared(run, lambda: sum(row_counts))


def prepare_no_changes(url: str, folder: Path) -> Prepared:
    """Prepare `event_changes` after a sync without changes."""
    return _prepare_changes(url, folder, None)


def prepare_some_changes(url: str, folder: Path) -> Prepared:
    """Prepare `event_changes` after a sync that changed 1 % of the events."""
    return _prepare_changes(url, folder, CHANGE_SOME)


def prepare_all_changes(url: str, folder: Path) -> Prepared:
    """Prepare `event_changes` after a sync that changed every event."""
    return _prepare_changes(url, folder, CHANGE_ALL)


def _prepare_changes(url: str, folder: Path, update: str | None) -> Prepared:
    synced = project.prepare_in_process(url, folder, (project.ASSET, "current_events"))
    synced.run()
    from event_assets import warehouse
    from event_assets.config.source import SourceConfig
    from event_assets.transform import changes

    source = SourceConfig(name="events", rest_api={}, fields=project.build_contract())
    with warehouse.connect() as database:
        changes.record_changes(database, source)
        if update:
            database.execute(update)

    def run() -> bool:
        with warehouse.connect() as database:
            changes.record_changes(database, source)
        return True

    return Prepared(
        run, lambda: count_rows(folder / project.DATABASE, project.TABLE), synced.database
    )


def _fetch_records(url: str) -> list[object]:
    """Fetch and decode all records as a sync does, with shared strings for names."""
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
