"""Keep the syncs of several accounts from changing a table's columns at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import duckdb

from event_assets.config.source import ResourceConfig
from event_assets.extract.stream_state import Sync
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets.warehouse import inspection, sql

PATHS = "event_data_paths"
CREATE_PATHS = """
create table if not exists {schema}.event_data_paths
(table_name varchar, column_name varchar, path json)
"""
Paths = Mapping[str, Sequence[str | None]]


def load_source_paths(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> Paths:
    """Say where the values of a table's columns come from whose names do not say it."""
    if not inspection.has_table(database, schema, PATHS):
        return {}
    known = database.table(f"{schema}.{PATHS}").filter(f"table_name = {sql.quote_literal(table)}")
    return {name: json.loads(path) for _, name, path in known.fetchall()}


def ensure_schema_unchanged(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync
) -> None:
    """Look whether the columns of a table are still such that what was read goes into them.

    Raises:
        ConcurrentSchemaChangeError: when they are not, and all must be read again.
    """
    schema, table, shaped = resource.source.name, resource.name, now.shaped
    if resource.source.account is None or shaped is None:
        return
    problem = f"Other syncs changed the columns of {schema}.{table} meanwhile: sync again."
    there, known = (
        inspection.column_types(database, schema, table),
        load_source_paths(database, schema, table),
    )
    changed = {name for name, kind in there.items() if now.types.get(name) != kind}
    if shaped.widened and not inspection.losslessly_widenable(database, schema, table).issuperset(
        name for name in shaped.widened if name not in changed
    ):
        raise ConcurrentSchemaChangeError(problem)
    made = shaped.paths
    for name in changed:
        held = shaped.observed_types.get(name)
        fits = held is None or there[name] == held or (held, there[name]) == ("bigint", "double")
        plain = name.split("__")
        same = held is None or list(made.get(name, plain)) == list(known.get(name, plain))
        if not fits or not same or name in shaped.retyped:
            raise ConcurrentSchemaChangeError(problem)


def save_source_paths(
    database: duckdb.DuckDBPyConnection, resource: ResourceConfig, now: Sync
) -> None:
    """Write down where the values of new columns come from, for the other accounts' syncs."""
    if resource.source.account is None or now.shaped is None:
        return
    schema, table = resource.source.name, resource.name
    known = load_source_paths(database, schema, table)
    database.execute(CREATE_PATHS.format(schema=schema))
    for name, path in now.shaped.paths.items():
        if name not in known and name in now.shaped.observed_types:
            database.execute(
                f"insert into {schema}.{PATHS} values (?, ?, ?)",  # noqa: S608 (our names)
                [table, name, json.dumps(path)],
            )
