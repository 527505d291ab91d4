"""Change the columns of a table, which syncs of other accounts may do at the same time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from event_assets.config.source import ResourceConfig
from event_assets.records.arrow_builder import ArrowTableBuilder
from event_assets.records.column_names import VARIANT, SourcePaths
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets.values.json_text import decode_stored
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse import Database, inspection, sql
from event_assets.warehouse.tables import ensure_table

PATHS_TABLE = "event_data_paths"
PATHS_COLUMNS = {"table_name": "text", "column_name": "text", "path": "json"}


def load_source_paths(database: Database, resource: ResourceConfig) -> SourcePaths:
    """Return the recorded paths of the values in a table's columns; None for what is lost."""
    schema, table = resource.source.name, resource.name
    if not inspection.has_table(database, schema, PATHS_TABLE):  # each sync creates it
        return dict.fromkeys(inspection.column_types(database, schema, table))
    own = f"table_name = {sql.quote_literal(table)}"
    rows = database.table(f"{schema}.{PATHS_TABLE}").filter(own).project(", ".join(PATHS_COLUMNS))
    return {name: decode_stored(path, list[str | None]) for _, name, path in rows.fetchall()}


def ensure_schema_unchanged(
    database: Database,
    resource: ResourceConfig,
    planned_types: Mapping[str, str],
    builder: ArrowTableBuilder,
) -> None:
    """Raise ConcurrentSchemaChangeError if the records no longer fit the table: sync again."""
    schema, table = resource.source.name, resource.name
    if resource.source.account is None:
        return
    problem = f"Other syncs changed the columns of {schema}.{table}: sync again."
    current_types = inspection.column_types(database, schema, table)
    known = load_source_paths(database, resource)
    changed = {name for name, kind in current_types.items() if planned_types.get(name) != kind}
    if builder.widened and not inspection.losslessly_widenable(database, schema, table).issuperset(
        name for name in builder.widened if name not in changed
    ):
        raise ConcurrentSchemaChangeError(problem)
    for name in changed:
        observed, current = builder.observed_types.get(name), current_types[name]
        fits = observed in (None, current) or (observed, current) == ("bigint", "double")
        path, known_path = (
            list(p.get(name) or name.split("__")) for p in (builder.source_paths, known)
        )
        has_same_path = observed is None or path == known_path
        if not fits or not has_same_path or name in builder.retyped:
            raise ConcurrentSchemaChangeError(problem)


def save_source_paths(
    database: Database, resource: ResourceConfig, builder: ArrowTableBuilder
) -> None:
    """Record the paths of the values in new columns, which their names do not say."""
    schema, table = resource.source.name, resource.name
    ensure_table(database, schema, PATHS_TABLE, PATHS_COLUMNS)
    known = load_source_paths(database, resource)
    for name, path in builder.source_paths.items():
        if known.get(name) is None and name in builder.observed_types:
            lost = f"delete from {schema}.{PATHS_TABLE} where table_name = ? and column_name = ?"
            database.execute(lost, [table, name])
            row = {"table_name": table, "column_name": name, "path": json.dumps(path)}
            sql.insert_row(database, f"{schema}.{PATHS_TABLE}", row)


def build_alter_statements(
    database: Database, schema: str, table: str, widened: Sequence[str], retyped: Mapping[str, str]
) -> list[str]:
    """Return the ends of the `alter table` statements that change the types of columns.

    Integer columns that are `widened` become floats without loss. The values of columns with a new
    type in the contract (`retyped`) move to a variant column, `NAME__v_TYPE`.
    """
    before = inspection.column_types(database, schema, table)
    statements = [
        f"alter {sql.quote_identifier(column)} type {COLUMN_TYPES['double'].duckdb}"
        for column in widened
    ]
    for column, kind in retyped.items():
        variant, number = f"{column}{VARIANT}{before[column]}", 1
        while variant in before:
            number += 1
            variant = f"{column}{VARIANT}{before[column]}__x{number}"
        statements.append(
            f"rename {sql.quote_identifier(column)} to {sql.quote_identifier(variant)}"
        )
        statements.append(f"add {sql.quote_identifier(column)} {COLUMN_TYPES[kind].duckdb}")
    return statements
