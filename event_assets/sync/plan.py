"""Plan a sync: what is in the tables, and what is to be requested."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dlt import Pipeline, Schema
from duckdb import DuckDBPyRelation

from event_assets.config.fields import LAST_SEEN
from event_assets.config.source import ResourceConfig
from event_assets.config.time_windows import parse_day
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.position import CursorReader
from event_assets.http.credentials import configured_secrets
from event_assets.records.column_names import DLT_PREFIX, VARIANT, SourcePaths
from event_assets.records.contract import build_contract
from event_assets.sync import schema_changes, sync_log
from event_assets.sync.guards import ensure_same_origin
from event_assets.sync.parent_rows import load_parent_rows
from event_assets.sync.reconcile import reconcile
from event_assets.values.json_text import decode_stored
from event_assets.values.naming import normalize_name
from event_assets.warehouse import Database, inspection, sql
from event_assets.warehouse.pipeline import build_schema


@dataclass(frozen=True, kw_only=True)
class SyncPlan:
    """What is in the tables when a sync begins, and what it requests.

    Attributes:
        column_types: of the table, by dlt's names.
        widenable: integer columns that can become floats without loss.
        source_paths: of the values in the table's columns, where the names do not say it; None for
            those that are lost.
        user_columns: of the table, that no sync has loaded.
        reserved_columns: those of them that no field of the API can get.
        latest_load: the id of the newest load; empty if there is none.
        table_rows: in the table; of the account, if there is one.
        cursor_value: the position of previous syncs; None: everything is read.
        newest_value: of the cursor, that previous syncs received; None if there is none.
        parents: an Arrow table with a column for each field of the parent's records that requests
            need; None: the resource has no parent.
        bound: the configured one that leaves out records of the table, if any, as `since` a value.
        parents_doubt: why these may not be all; empty if they surely are.
        dlt_schema: of the tables, as dlt knows it.
        accepts_new_origin: the tables may be of another API, or of other ids.
    """

    resource: ResourceConfig
    column_types: Mapping[str, str]
    widenable: frozenset[str]
    source_paths: SourcePaths
    user_columns: frozenset[str]
    reserved_columns: frozenset[str]
    latest_load: str
    table_rows: int
    cursor_value: Any
    newest_value: Any
    bound: str
    parents: Any
    parents_doubt: str
    dlt_schema: Schema
    accepts_new_origin: bool

    @property
    def parent_records(self) -> Iterator[Mapping[str, Any]]:
        """The parent's records, as fields by path."""
        for batch in self.parents.to_batches() if self.parents else ():
            yield from batch.to_pylist()

    @property
    def is_full(self) -> bool:
        """Whether everything is read, so that records that do not come are gone."""
        return self.cursor_value is None and not self.bound

    @property
    def identity(self) -> str:
        """A text, with secrets, of all that decides whether recorded responses are still valid."""
        source = self.resource.source
        state = (self.latest_load, self.cursor_value, sorted(configured_secrets(source)))
        return repr((source.config_hash, self.resource.name, source.windows, *state))


def plan_sync(
    database: Database,
    resource: ResourceConfig,
    pipeline: Pipeline,
    full_refresh: bool,
    accepts_new_origin: bool = False,
) -> SyncPlan:
    """Read the current state of the tables, once they are what syncs leave.

    Raises:
        ConfigError: the tables hold other events, or a parent's table is missing.
    """
    source, schema, table = resource.source, resource.source.name, resource.name
    loaded = reconcile(database, source)[table]
    ensure_same_origin(database, source, accepts_new=accepts_new_origin)
    syncs, own = sync_log.sync_log_table(table), sql.account_filter(source.account)
    column_types = inspection.column_types(database, schema, table)
    position, newest = _load_position(database, resource)
    parents, doubt = load_parent_rows(database, resource) if resource.parent else (None, "")
    added = _find_user_columns(database, resource, loaded)
    loadable = {name: kind for name, kind in column_types.items() if name not in added}
    return SyncPlan(
        resource=resource,
        column_types=column_types,
        widenable=inspection.losslessly_widenable(database, schema, table),
        source_paths=schema_changes.load_source_paths(database, resource),
        user_columns=added,
        reserved_columns=added if loaded else frozenset(),  # else they may be those of syncs
        latest_load=inspection.latest_value(database, schema, syncs, "load_id", own) or "",
        table_rows=inspection.count_rows(database, schema, table, source.account),
        cursor_value=None if full_refresh else position,
        newest_value=newest,
        bound=_find_bound(database, resource),
        parents=parents,
        parents_doubt=doubt,
        dlt_schema=build_schema(pipeline.pipeline_name, table, loadable),
        accepts_new_origin=accepts_new_origin,
    )


def _find_user_columns(
    database: Database, resource: ResourceConfig, loaded: Collection[str]
) -> frozenset[str]:
    """Return the columns that a user has added to a table: no sync has filled them."""
    found = inspection.catalog_columns(database, resource.source.name, resource.name)
    ours = {LAST_SEEN, *resource.source.partition_columns, *build_contract(resource)}
    return frozenset(
        name
        for name in found.keys() - {*ours, *loaded}
        if not name.startswith(DLT_PREFIX) and name.partition(VARIANT)[0] not in {*ours, *loaded}
    )


def _load_position(database: Database, resource: ResourceConfig) -> tuple[Any, Any]:
    """Return the position of the last complete sync, and the newest value that it received.

    Without a position everything is read: without `incremental`, under another configuration than
    that of the last sync, where the windows have moved on, and where rows or columns that syncs
    have loaded up to the position are gone, or the two are not written alike.
    """
    source, syncs = resource.source, sync_log.sync_log_table(resource.name)
    cursor = IncrementalCursor.from_endpoint(resource.endpoint)
    if not cursor or not inspection.has_column(database, source.name, syncs, "newest"):
        return None, None
    version, own = sql.quote_literal(source.config_hash), sql.account_filter(source.account)
    others = f"from {source.name}.{syncs} select max(sync_number) where {own}"
    complete = database.table(f"{source.name}.{syncs}").filter(
        f"complete and version = {version} and {own} and sync_number > "
        f"coalesce(({others} and version is distinct from {version}), 0)"
    )
    last = next(iter(inspection.fetch_rows(complete.order("sync_number desc").limit(1))), {})
    position, newest = (decode_stored(last.get(name), object) for name in ("position", "newest"))
    if position is None or _have_windows_moved_on(resource, last["read_until"]):
        return None, newest
    if _has_lost_rows(database, resource, complete, last["table_rows"]):
        return None, newest
    known, received = CursorReader(resource, cursor).parse([position, newest])
    with suppress(ValueError):  # dlt applies no `lag` to this notation
        is_of_api = known and received and known.kind == received.kind  # else a person has set it
        if is_of_api and cursor.request_start(position) is not None:
            return position, newest
    return None, newest


def _have_windows_moved_on(resource: ResourceConfig, read_until: datetime | None) -> bool:
    """Return whether windows reach events now that were in none, however old their last change."""
    windows = resource.source.windows if resource.is_events else None
    until = parse_day(windows.until, datetime.now(UTC)) if windows and windows.until else None
    return until is not None and (read_until is None or read_until < until)


def _find_bound(database: Database, resource: ResourceConfig) -> str:
    """Return the configured bound of requests outside of which the table has records, if any."""
    cursor, schema = IncrementalCursor.from_endpoint(resource.endpoint), resource.source.name
    if not cursor or cursor.initial_value is cursor.end_value is None:
        return ""
    reader, path = CursorReader(resource, cursor), cursor.cursor_path.removeprefix("$.")
    contract = build_contract(resource).items()
    own = (name for name, column in contract if path in column.source_paths)
    column = next(own, "__".join(map(normalize_name, path.split("."))))
    if not inspection.has_column(database, schema, resource.name, column):
        return ""
    rows = database.table(f"{schema}.{resource.name}")
    known = rows.filter(sql.account_filter(resource.source.account)).aggregate(
        "min({0})::varchar, max({0})::varchar".format(sql.quote_identifier(column))
    )
    ((oldest, newest),) = known.fetchall()
    first, last, start, end = reader.parse([oldest, newest, cursor.initial_value, cursor.end_value])
    if first and start and first.order < start.order:
        return f"since {start.raw}"
    return f"until {end.raw}" if last and end and last.order > end.order else ""


def _has_lost_rows(
    database: Database, resource: ResourceConfig, syncs: DuckDBPyRelation, left: int | None
) -> bool:
    """Return whether the table has fewer rows or columns than complete syncs have left in it."""
    schema, table = resource.source.name, resource.name
    rows = inspection.count_rows(database, schema, table, resource.source.account)
    if rows < (1 if left is None else left):  # earlier versions noted no count
        return True
    filled = {name for (name,) in syncs.project("unnest(json_keys(columns))").fetchall()}
    return not filled <= inspection.catalog_columns(database, schema, table).keys()
