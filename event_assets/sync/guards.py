"""Refuse to mix origins in a table, and distrust results that would empty it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from event_assets import warehouse
from event_assets.config.accounts import ACCOUNT
from event_assets.config.program import program
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.config.source_files import EVENT_DATA, SANDBOX
from event_assets.pagination.result import PaginationResult
from event_assets.sync import sync_log
from event_assets.sync.current_events import TIMES, event_times
from event_assets.sync.removed import REMOVED_TABLE
from event_assets.values.errors import ConfigError
from event_assets.values.urls import is_same_api
from event_assets.values.wording import counted
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import (
    catalog_columns,
    column_types,
    count_rows,
    latest_value,
)
from event_assets.warehouse.sql import account_filter, quote_literal

EMPTY_EVENTS = "The API returned no events, but did before: the existing events stay current."
FEWEST_EVENTS = 2  # of which none comes again, and of others: one may be all of a list
FEWEST_COMING = 10  # events that are to come, of which fewer than one in ten comes again
# Of the last complete full sync, and in none since. A time may be of another zone.
UNSEEN_COMING = """
from {table} as event select count(*)
where {own} and _dlt_load_id = {load_id} and {start} > {since}::timestamptz + interval 24 hour
"""
UNTIL = " and {end} <= {until}::timestamptz - interval 24 hour"
NOT_REMOVED = " and id not in (from {removed} select id where {own} and id is not null)"
EMPTY_LIST = "The API returned no records, but did before: the existing rows are kept."


def distrust_empty_result(
    database: Database, resource: ResourceConfig, records: int, result: PaginationResult
) -> PaginationResult:
    """Treat the empty result of a full sync as unverified if the table has rows."""
    is_verdict = resource.is_events or not resource.primary_key_columns
    if records or not result.complete or not is_verdict or not _has_rows(database, resource):
        return result
    return result.doubted(EMPTY_EVENTS if resource.is_events else EMPTY_LIST)


def distrust_lost_total(
    database: Database, resource: ResourceConfig, result: PaginationResult
) -> PaginationResult:
    """Treat a complete result as unverified if rows left together with the total of the API.

    The total is that of the last complete full sync with the same configuration.
    """
    source, log = resource.source, sync_log.sync_log_table(resource.name)
    version = quote_literal(source.config_hash)
    syncs = f"complete and full_sync and version = {version} and {account_filter(source.account)}"
    before = latest_value(database, source.name, log, "total_reported", syncs)
    if result.facts.reported is not None or not result.facts.distinct < (before or 0):
        return result
    return result.doubted(
        f"{counted(result.facts.distinct, 'row')} received, but the API no longer reports a total, "
        f"which was {before:,}: the others may be missing. If they are not, set `total_path: null`."
    )


def count_unseen_coming(database: Database, resource: ResourceConfig) -> int:
    """Count the events that only the last complete full sync has brought, and that are to come.

    They are in the list of this sync, too, but for those that were removed, or are not in its
    windows.
    """
    source, own = resource.source, account_filter(resource.source.account)
    log, syncs = sync_log.sync_log_table(resource.name), f"complete and full_sync and {own}"
    load_id = latest_value(database, source.name, log, "load_id", syncs)
    types = column_types(database, source.name, resource.name)
    if not (resource.is_events and load_id and types):
        return 0
    since, until = datetime.now(UTC), None
    if source.windows and not source.windows.whole:
        first, until = source.windows.span(since)
        since = max(since, first)
    start, end = _times(types)
    query = UNSEEN_COMING + UNTIL * bool(until) + NOT_REMOVED * bool(source.removed_when)
    names = {
        "table": f"{source.name}.{resource.name}",
        "removed": f"{source.name}.{REMOVED_TABLE}",
        "load_id": quote_literal(load_id),
        "since": quote_literal(str(since)),
        "until": quote_literal(str(until)),
    }
    ((count,),) = database.execute(query.format(own=own, start=start, end=end, **names)).fetchall()
    return int(count)


def distrust_other_list(
    database: Database,
    resource: ResourceConfig,
    coming: int,
    records: int,
    rejects: int,
    result: PaginationResult,
) -> PaginationResult:
    """Treat a complete result as unverified if few of the events that are to come are in it.

    They are not over, as at the end of a season: the list was cut short, or has other ids.

    Args:
        coming: `count_unseen_coming` before the load.
    """
    if coming < FEWEST_COMING:
        return result
    listed = coming - count_unseen_coming(database, resource) + rejects
    if listed * 10 >= coming:
        return result
    return result.doubted(
        f"{f'Only {listed:,}' if listed else 'None'} of the {coming:,} known events that are still "
        f"to come {'are' if listed > 1 else 'is'} among the {counted(records, 'record')} of the "
        "list, as if it were cut short, or its ids were others: all stay current. Ask the API's "
        f"operator, or {_accept(resource.source, '--full ')}."
    )


def distrust_parents(
    resource: ResourceConfig, doubt: str, result: PaginationResult
) -> PaginationResult:
    """Treat a complete result as unverified if more parents may be there than are known."""
    return result.doubted(
        f"{result.reason.rstrip('.')}, but there may be more `{resource.parent}` than these: "
        f"{doubt}."
    )


def distrust_shared_keys(
    resource: ResourceConfig, shared: int, result: PaginationResult
) -> PaginationResult:
    """Treat a complete result as unverified if different records have the same key."""
    if not shared:
        return result
    return result.doubted(
        f"{result.reason.rstrip('.')}, but different ones share {counted(shared, 'key')}, of each "
        f"of which only the first is loaded: set the `primary_key` of {resource.name} to the "
        "fields that tell them apart, or to null if they have no key."
    )


def ensure_same_origin(
    database: Database, source: SourceConfig, *, accepts_new: bool = False
) -> None:
    """Raise ConfigError if events of two origins, or of both account modes, would be mixed.

    The origin is the URL of the events, and where the ids are in them. `accepts_new` allows another
    one, but not the sandbox beside an API.
    """
    destination = warehouse.get_destination()
    if _is_of_other_mode(database, source):
        mode = "without `accounts`" if source.account is not None else "with `accounts`"
        raise ConfigError(
            f"The table {source.name}.{EVENT_DATA} in {destination.display_name} was loaded "
            f"{mode}: rename the folder of the source, or {destination.new_database_hint}."
        )
    tables = (source.for_all or source).resources.values()
    if not any(_has_rows(database, table) for table in tables):
        return
    recorded, paths = sync_log.recorded_origin(database, source.name)
    accept = _accept(source)
    if recorded and not is_same_api(recorded, source.events_url):
        is_mixed = SANDBOX in (recorded, source.events_url)
        to_set = "" if source.base_url else f"set {source.url_setting}, or "
        if is_mixed or not accepts_new:
            raise ConfigError(
                f"The database {destination.display_name} contains events of {recorded}, not of "
                f"{source.events_url}: {to_set}{destination.new_database_hint}, "
                f"{'and sync again' if is_mixed else f'or {accept}'}."
            )
    if paths and paths != source.events.id_paths and not accepts_new:
        raise ConfigError(
            f"The ids of the events in {destination.display_name} come from `{', '.join(paths)}`, "
            f"not from `{', '.join(source.events.id_paths)}`, by which each would be there twice: "
            f"change it back in defs.yaml, {destination.new_database_hint}, or {accept}."
        )


def count_rows_of_other_configuration(database: Database, resource: ResourceConfig) -> int:
    """Return the number of events, if their last complete full sync had another configuration.

    If all of them are over, none is missed: 0.
    """
    source = resource.source
    log, account = sync_log.sync_log_table(resource.name), source.account
    syncs = f"complete and full_sync and {account_filter(account)}"
    version = latest_value(database, source.name, log, "version", syncs)
    if not resource.is_events or version in (None, source.config_hash):
        return 0
    _, end = _times(column_types(database, source.name, resource.name))
    coming = database.sql(
        f"from {source.name}.{resource.name} as event "
        f"where {account_filter(account)} and coalesce({end} >= now(), true) limit 1"
    )
    return count_rows(database, source.name, resource.name, account) if coming.fetchall() else 0


def ensure_known_events(
    database: Database, resource: ResourceConfig, before: int, rows: int, load_id: str
) -> None:
    """Raise ConfigError if a full sync brought none of the events `before`, but others.

    Where the configuration changed, the list is more likely another one than a new one.
    """
    source = resource.source
    table = f"{source.name}.{resource.name} where {account_filter(source.account)}"
    loaded = f"from {table} and _dlt_load_id = {quote_literal(load_id)}"
    ((received,),) = database.execute(f"select count(*) {loaded}").fetchall()
    if min(before, received) < FEWEST_EVENTS or received > rows - before:
        return
    raise ConfigError(
        f"None of the {before:,} events in {source.name}.{EVENT_DATA} is among the {received:,} "
        "that the API sends since the configuration changed, as if they were those of another "
        "list: change it back in defs.yaml, "
        f"{warehouse.get_destination().new_database_hint}, or {_accept(source)}."
    )


def _accept(source: SourceConfig, options: str = "") -> str:
    command = f"`{program()} sync {source.name} {options}--accept-new-origin`"
    return f"accept it, by {command} or a run in Dagster with `accept_new_origin: true`"


def _times(types: Mapping[str, str]) -> tuple[str, str]:
    return event_times("event", {name: kind for name, kind in types.items() if kind in TIMES})


def _is_of_other_mode(database: Database, source: SourceConfig) -> bool:
    """Return whether syncs with accounts loaded the tables, or without; a column proves neither."""
    log = catalog_columns(database, source.name, sync_log.SYNC_LOG)
    if source.account is not None:
        return bool(log) and ACCOUNT not in log
    syncs = f"from {source.name}.{sync_log.SYNC_LOG} where {ACCOUNT} is not null limit 1"
    return ACCOUNT in log and bool(database.execute(syncs).fetchall())


def _has_rows(database: Database, resource: ResourceConfig) -> bool:
    source = resource.source
    return count_rows(database, source.name, resource.name, source.account) > 0
