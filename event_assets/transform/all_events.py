"""`all_events`: the current events of every source, in one view."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from event_assets import warehouse
from event_assets.config.source_files import SANDBOX
from event_assets.sync.sync_log import recorded_origin
from event_assets.values.errors import WarehouseError
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import has_view
from event_assets.warehouse.sql import quote_identifier, quote_literal
from event_assets.warehouse.tables import ensure_kind

ALL_EVENTS = "all_events"
CURRENT_EVENTS = "current_events"
Columns = Mapping[str, str]  # names and dlt's types


def common_columns(contracts: Iterable[Columns]) -> list[tuple[str, str]]:
    """Return every field of the contracts; as text if the types differ."""
    types: dict[str, set[str]] = {}
    for contract in contracts:
        for name, kind in contract.items():
            types.setdefault(name, set()).add(kind)
    mixed = [(name, kinds.pop() if len(kinds) == 1 else "text") for name, kinds in types.items()]
    return [("source", "text"), *((name, kind) for name, kind in mixed if name != "source")]


def create_view(
    contracts: Mapping[str, Columns], columns: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Create or replace the view `all_events`, and return its metadata.

    Raises:
        WarehouseError: there are no current events of any source.
    """

    def create(database: Database) -> tuple[list[str], dict[str, int]]:
        synced = [name for name in sorted(contracts) if has_view(database, name, CURRENT_EVENTS)]
        apis = {name: recorded_origin(database, name)[0] for name in synced}
        if set(apis.values()) != {SANDBOX}:  # invented events are not mixed with others
            synced = [name for name in synced if apis[name] != SANDBOX]
        if not synced:
            raise WarehouseError("No source has been synced yet: materialize event_data first.")
        ensure_kind(database, "main", ALL_EVENTS, is_view=True)
        parts = " union all ".join(
            _select(database, name, contracts[name], columns) for name in synced
        )
        database.execute(f"create or replace view main.{ALL_EVENTS} as {parts}")
        view = database.sql(f"from main.{ALL_EVENTS}")
        return synced, dict(view.aggregate("source, count(*)", "source").fetchall())

    synced, counts = warehouse.run(create)
    return {
        "dagster/row_count": sum(counts.values()),
        **{f"events_of_{name}": counts.get(name, 0) for name in synced},
        "not_synced_yet": ", ".join(sorted(set(contracts) - set(synced))) or "-",
    }


def drop_view(database: Database) -> None:
    """Drop the view `all_events`, which would go on to show a source that is no more."""
    if has_view(database, "main", ALL_EVENTS):
        database.execute(f"drop view main.{ALL_EVENTS}")


def _select(
    database: Database, name: str, contract: Columns, columns: Sequence[tuple[str, str]]
) -> str:
    """Return the SQL of a source's events; its table may be older than its contract."""
    known = contract.keys() & {*database.sql(f"from {name}.{CURRENT_EVENTS}").columns}
    values = [
        f"try_cast({quote_identifier(column) if column in known else 'null'}"
        f" as {COLUMN_TYPES[kind].duckdb}) as {quote_identifier(column)}"
        for column, kind in columns
        if column != "source"
    ]
    chosen = ", ".join([f"{quote_literal(name)} as source", *values])
    return f"select {chosen} from {name}.{CURRENT_EVENTS}"
