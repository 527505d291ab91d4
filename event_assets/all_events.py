"""`all_events`: the current events of every source, in one view."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from event_assets import tables, warehouse
from event_assets.failures import plainly
from event_assets.metadata import DESCRIPTIONS
from event_assets.source import DEFAULT_SOURCE
from event_assets.tables import TYPES, literal, quoted

ALL_EVENTS = "all_events"
CURRENT_EVENTS = "current_events"
Columns = Mapping[str, str]  # names and dlt's types


def build_all_events(specs: Iterable[dg.AssetSpec]) -> list[dg.AssetsDefinition]:
    """Build the view over the current events of all sources; none when there is only one."""
    keys = {}
    contracts: dict[str, Columns] = {}
    for spec in specs:
        *source, table = spec.key.path
        if table == CURRENT_EVENTS:
            name = source[0] if source else DEFAULT_SOURCE
            keys[name] = spec.key
            schema: dg.TableSchema = spec.metadata["dagster/column_schema"]
            contracts[name] = {column.name: column.type for column in schema.columns}
    return [_all_events(keys, contracts)] if len(keys) > 1 else []


def _all_events(
    keys: Mapping[str, dg.AssetKey], contracts: Mapping[str, Columns]
) -> dg.AssetsDefinition:
    columns = common_columns(contracts.values())
    described = [dg.TableColumn(name, kind, DESCRIPTIONS.get(name)) for name, kind in columns]

    @dg.asset(
        key=ALL_EVENTS,
        deps=list(keys.values()),
        description="The current events of every source: which `source`, and the contracts' "
        f"fields. Of: {', '.join(sorted(keys))}.",
        group_name=ALL_EVENTS,
        kinds={warehouse.place().kind, "view"},
        metadata={
            "dagster/table_name": warehouse.table_name("main", ALL_EVENTS),
            "dagster/column_schema": dg.TableSchema(described),
        },
    )
    def all_events() -> dg.MaterializeResult[None]:
        return plainly(lambda: dg.MaterializeResult(metadata=_made(contracts, columns)))

    return all_events


def common_columns(contracts: Iterable[Columns]) -> list[tuple[str, str]]:
    """Give every field of the contracts; text, where they do not agree on its type."""
    types: dict[str, set[str]] = {}
    for contract in contracts:
        for name, kind in contract.items():
            types.setdefault(name, set()).add(kind)
    mixed = [(name, kinds.pop() if len(kinds) == 1 else "text") for name, kinds in types.items()]
    return [("source", "text"), *((name, kind) for name, kind in mixed if name != "source")]


def _made(contracts: Mapping[str, Columns], columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    def make(database: duckdb.DuckDBPyConnection) -> tuple[list[str], dict[str, int]]:
        there = [name for name in sorted(contracts) if _is_there(database, name)]
        parts = " union all ".join(_select(name, contracts[name], columns) for name in there)
        database.execute(f"create or replace view main.{ALL_EVENTS} as {parts}")
        view = database.sql(f"from main.{ALL_EVENTS}")
        return there, dict(view.aggregate("source, count(*)", "source").fetchall())

    there, counts = warehouse.run(make)
    return {
        "dagster/row_count": sum(counts.values()),
        **{f"events_of_{name}": counts.get(name, 0) for name in there},
        "not_synced_yet": ", ".join(sorted(set(contracts) - set(there))) or "-",
    }


def _is_there(database: duckdb.DuckDBPyConnection, schema: str) -> bool:
    return tables.has_view(database, schema, CURRENT_EVENTS)


def _select(name: str, contract: Columns, columns: Sequence[tuple[str, str]]) -> str:
    values = [
        f"{quoted(column) if column in contract else 'null'}::{TYPES[kind]} as {quoted(column)}"
        for column, kind in columns
        if column != "source"
    ]
    chosen = ", ".join([f"{literal(name)} as source", *values])
    return f"select {chosen} from {name}.{CURRENT_EVENTS}"  # noqa: S608 (our names)
