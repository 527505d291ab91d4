"""Prepare tables for columns that change their type."""

from collections.abc import Mapping, Sequence

from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse import Database, set_memory_limit
from event_assets.warehouse.inspection import column_types, has_table
from event_assets.warehouse.sql import quote_identifier, transaction


def prepare_staging(
    database: Database,
    schema: str,
    table: str,
    widened: Sequence[str],
    retyped: Mapping[str, str],
    columns: int,
) -> list[str]:
    """Change the column types of dlt's staging table for the next load.

    Integer columns that are `widened` become floats without loss. The values of columns with a new
    type in the contract (`retyped`) move to a variant column, `NAME__v_TYPE`. `columns` is the
    number of columns after the load.

    Returns:
        The clauses of `alter table` for the table itself, to run in the load's transaction.
    """
    set_memory_limit(database, columns)
    before = column_types(database, schema, table)
    changes = [
        f"alter {quote_identifier(column)} type {COLUMN_TYPES['double'].duckdb}"
        for column in widened
    ]
    staged = {**dict.fromkeys(widened, "double"), **retyped}
    for column, kind in retyped.items():
        variant, number = f"{column}__v_{before[column]}", 1
        while variant in before:
            number += 1
            variant = f"{column}__v_{before[column]}__x{number}"
        changes.append(f"rename {quote_identifier(column)} to {quote_identifier(variant)}")
        changes.append(f"add {quote_identifier(column)} {COLUMN_TYPES[kind].duckdb}")
        staged[variant] = before[column]
    staging = f"{schema}_staging"
    if has_table(database, staging, table):
        with transaction(database):
            for column, kind in staged.items():  # rows in staging are already merged
                alter = f"alter table {quote_identifier(staging)}.{quote_identifier(table)}"
                database.execute(f"{alter} drop column if exists {quote_identifier(column)}")
                database.execute(
                    f"{alter} add {quote_identifier(column)} {COLUMN_TYPES[kind].duckdb}"
                )
    return changes
