"""One sync: fetched without the database, then loaded in one turn of it, or in several parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryFile
from typing import Any

import duckdb
from dlt import Pipeline
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import accounted, checkpoints, reading, tables, warehouse
from event_assets.accounted import TableMovedError
from event_assets.auth import ConfigError
from event_assets.columns import Names
from event_assets.current import current
from event_assets.parents import records
from event_assets.parts import Parts
from event_assets.progress import Show
from event_assets.rejects import NOT_LOADED, Found
from event_assets.source import EVENT_DATA, SANDBOX, EventSource, Resource
from event_assets.syncs import SYNCS, Sync, columns_of, syncs_of

Database = duckdb.DuckDBPyConnection
MOST_TRIES = 3  # of one sync, when others change the table meanwhile


@dataclass(frozen=True)
class Loaded:
    """What a sync has done.

    Attributes:
        sync: the sync.
        row: what it says of itself in the table of the syncs.
    """

    sync: Sync
    row: Mapping[str, Any]


def sync(
    resource: Resource,
    show: Show,
    look: Callable[[Database, Loaded], None],
    *,
    full: bool = False,
) -> None:
    """Sync a resource: read the API, then change the database, all at once.

    A first sync of many rows does so in parts; one that is interrupted is gone on with.

    Args:
        resource: what to sync.
        show: is told how far it is.
        look: is given the database when all is done, before others get their turn.
        full: read everything, also where the API can be asked for what is new only.

    Raises:
        ConfigError, WarehouseError, TooManyRejectsError, PipelineStepFailed: when it cannot be
            done; the tables are then as they were, or as the last part left them.
    """
    for _ in range(MOST_TRIES - 1):
        with suppress(TableMovedError):
            return _synced(resource, show, look, full)
    return _synced(resource, show, look, full)


def _synced(
    resource: Resource, show: Show, look: Callable[[Database, Loaded], None], full: bool
) -> None:
    source = resource.source
    with TemporaryFile() as file, warehouse.pipeline(resource.pipeline, source.name) as pipeline:
        found = Found(file)
        now, parents = warehouse.run(
            lambda database: _begun(database, resource, pipeline, show, full)
        )
        now.reject = found.add
        rows = records(parents) if parents is not None else ()
        with reading.connected(resource, now, rows) as parts:
            _fetch(resource, pipeline, now, parts, found)
            while parts.position:
                warehouse.run(partial(_load_part, resource, pipeline, now, found, parts.position))
                _fetch(resource, pipeline, now, parts, found)
        warehouse.run(
            lambda database: look(database, _loaded(database, resource, pipeline, now, found))
        )


def _begun(
    database: Database, resource: Resource, pipeline: Pipeline, show: Show, full: bool
) -> tuple[Sync, Any]:
    """See what is there already, and have dlt do so."""
    source = resource.source
    _refuse_to_mix(database, source)
    warehouse.prepare(pipeline, database)  # what a killed sync left behind is fetched anew
    increment = resource.increment
    position = None
    if increment and not full:
        same = (
            f"complete and version = {tables.literal(source.version)} "
            f"and {tables.of_account(source.account)}"
        )
        syncs = syncs_of(resource.name)
        if tables.has_column(database, source.name, syncs, "version"):
            position = tables.last_value(database, source.name, syncs, "position", same)
    began = Sync(
        show,
        types=tables.types(database, source.name, resource.name),
        exact=tables.exact(database, source.name, resource.name),
        increment=increment,
        position=json.loads(position) if position else None,
        part_rows=checkpoints.part_rows(database, resource),
        paths=accounted.paths(database, source.name, resource.name) if source.account else {},
        account=source.account,
    )
    if began.part_rows:
        checkpoints.go_on(database, resource, began)
    return began, _parents(database, resource) if resource.parent else None


def _fetch(resource: Resource, pipeline: Pipeline, now: Sync, parts: Parts, found: Found) -> None:
    """Read the next part, which may be all."""
    try:
        api = reading.source_of(resource, parts, now)
        pipeline.extract(api, loader_file_format="parquet")
        pipeline.normalize()
    except PipelineStepFailed:
        warehouse.run(
            lambda database: found.keep(
                database,
                resource.source.name,
                resource.name,
                NOT_LOADED,
                now.started_at,
                complete=False,
                account=resource.source.account,
            )
        )
        raise


def _load_part(
    resource: Resource,
    pipeline: Pipeline,
    now: Sync,
    found: Found,
    position: str,
    database: Database,
) -> None:
    """Load what came; then write down how far it goes, so that no row of that is lacking."""
    schema, table = resource.source.name, resource.name
    _load(database, resource, pipeline, now)
    load_id = tables.last_load_id(database, schema, resource.pipeline)
    now.first_load = now.first_load or load_id
    account = resource.source.account
    found.keep(database, schema, table, load_id, now.started_at, complete=False, account=account)
    checkpoints.keep(database, resource, now, position)
    before, now.types = now.types, tables.types(database, schema, table)
    made = {name for name, kind in now.types.items() if kind == "bigint" and name not in before}
    now.exact |= made  # what they hold by now is in the sync's tally


def _load(database: Database, resource: Resource, pipeline: Pipeline, now: Sync) -> None:
    source, table = resource.source, resource.name
    _refuse_to_mix(database, source)
    tables.note_api(database, source.name, source.api)
    accounted.refuse_if_moved(database, resource, now)
    if source.account is not None:
        accounted.note(database, source.name, source.account)
    changes: list[str] = []
    if now.shaped:
        changes = tables.prepare(
            database,
            source.name,
            table,
            now.shaped.widened,
            now.shaped.retyped,
            now.shaped.width,
        )
    if resource.columns_of_key or not _spares(database, resource, now):
        warehouse.load(pipeline, database, changes)
    accounted.keep_paths(database, resource, now)


def _loaded(
    database: Database, resource: Resource, pipeline: Pipeline, now: Sync, found: Found
) -> Loaded:
    source, table = resource.source, resource.name
    _load(database, resource, pipeline, now)
    if resource.has_events:
        _doubt_an_empty_answer(database, resource, now)
    load_id = tables.last_load_id(database, source.name, resource.pipeline)
    row = now.row(load_id, source.api, source.version)
    found.keep(
        database,
        source.name,
        table,
        load_id,
        now.started_at,
        complete=row["complete"] is True and now.is_full,
        has_ids="id" in resource.columns_of_key,
        account=source.account,
        first_load=now.first_load or load_id,
    )

    def end() -> None:
        with tables.transaction(database):
            columns = columns_of(source.account)
            tables.append(database, source.name, syncs_of(table), columns, row)
            checkpoints.forget(database, resource)

    warehouse.again(end)
    return Loaded(now, row)


def _spares(database: Database, resource: Resource, now: Sync) -> bool:
    """Keep a table that would be replaced by nothing, or by less than there is."""
    schema, table = resource.source.name, resource.name
    if not tables.has_table(database, schema, table):
        return False
    if not accounted.count(database, resource) or (now.kept and now.outcome.complete is not False):
        return False
    if now.outcome.complete:
        reason = "The API answered with no records, where it had some before: these stay."
        now.outcome = replace(now.outcome, complete=None, reason=reason)
    return True


def _doubt_an_empty_answer(database: Database, events: Resource, now: Sync) -> None:
    """An API that has no events any more is more likely one that does not show them."""
    nothing = now.is_full and now.outcome.complete and not now.kept
    if nothing and accounted.count(database, events):
        reason = "The API answered with no events, where it had some before: these stay current."
        now.outcome = replace(now.outcome, complete=None, reason=reason)


def _refuse_to_mix(database: Database, source: EventSource) -> None:
    """Keep the sandbox's invented events and real ones apart."""
    if not tables.has_table(database, source.name, EVENT_DATA):
        return
    before = tables.noted_api(database, source.name) or tables.last_value(
        database, source.name, SYNCS, "api"
    )
    if before and before != source.api and SANDBOX in (before, source.api):
        raise ConfigError(
            f"The database {warehouse.place().shown} holds the events of {before}, not of "
            f"{source.api}: {warehouse.place().another}, and sync again."
        )
    if accounted.are_mixed(database, source.name, source.account):
        way = "without `accounts`" if source.account is not None else "with `accounts`"
        raise ConfigError(
            f"The table {source.name}.{EVENT_DATA} in {warehouse.place().shown} was filled {way}: "
            f"give the source a folder of another name, or {warehouse.place().another}."
        )


def _parents(database: Database, resource: Resource) -> Any:
    """Fetch what the requests are made from: of each current parent record, the fields needed.

    Returns:
        An Arrow table with a column for each field, by the name that it has in the API.
    """
    source, parent = resource.source, str(resource.parent)
    name = f"{source.name}.{tables.quoted(parent)}"
    if not tables.has_table(database, source.name, parent):
        raise ConfigError(
            f"There is no table {name} yet, from which the requests for {resource.name} are made: "
            f"materialize {parent} first."
        )
    rows = (
        database.sql(current(source))
        if parent == EVENT_DATA
        else database.sql(f"from {name}").filter(tables.of_account(source.account))
    )
    asked = {field: _column(resource, field, rows.columns) for field in resource.of_parent}
    chosen = ", ".join(
        f"{tables.quoted(column)} as {tables.quoted(field)}" for field, column in asked.items()
    )
    first = tables.quoted(next(iter(asked.values())))
    return rows.filter(f"{first} is not null").project(chosen).order("all").to_arrow_table()


def _column(resource: Resource, field: str, columns: Iterable[str]) -> str:
    """Find the column of a parent's table that holds a field of its records."""
    known = list(columns)
    of = resource.source.resources[str(resource.parent)]
    typed = {
        ".".join(map(str, reader.whole)): name
        for name, reader in of.contract().items()
        if reader.whole
    }
    plain = Names((), (), {}).column(tuple(field.split(".")))
    for column in (typed.get(field), plain):
        if column in known:
            return str(column)
    raise ConfigError(
        f"The requests for {resource.name} need `{field}` of each record of {of.name}, and there "
        f"is no column for it; there are: {', '.join(c for c in known if c[0] != '_')}."
    )
