"""Prepare a table for columns whose type changes."""

from collections.abc import Mapping, Sequence

import duckdb

from event_assets.values.types import DUCKDB_TYPES
from event_assets.warehouse import set_memory_limit
from event_assets.warehouse.inspection import column_types, has_table
from event_assets.warehouse.sql import quote_identifier, transaction


def prepare_staging(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    widened: Sequence[str],
    retyped: Mapping[str, str],
    columns: int,
) -> list[str]:
    """Make dlt's staging of a table ready for what is loaded next.

    Args:
        database: a connection.
        schema: the source's.
        table: its name.
        widened: columns of whole numbers that become floats; their values stay the same.
        retyped: columns that the contract has as another type: what is in them moves to a column
            beside, `NAME__v_TYPE`, and the API's events fill the new one.
        columns: how many the table will have.

    Returns:
        What makes the table itself ready, as `alter table` takes it: done together with the load.
    """
    set_memory_limit(database, columns)
    before = column_types(database, schema, table)
    changes = [
        f"alter {quote_identifier(column)} type {DUCKDB_TYPES['double']}" for column in widened
    ]
    staged = {**dict.fromkeys(widened, "double"), **retyped}
    for column, kind in retyped.items():
        beside, number = f"{column}__v_{before[column]}", 1
        while beside in before:
            number += 1
            beside = f"{column}__v_{before[column]}__x{number}"
        changes.append(f"rename {quote_identifier(column)} to {quote_identifier(beside)}")
        changes.append(f"add {quote_identifier(column)} {DUCKDB_TYPES[kind]}")
        staged[beside] = before[column]
    staging = f"{schema}_staging"
    if has_table(database, staging, table):
        with transaction(database):
            for column, kind in staged.items():  # its rows are done with
                alter = f"alter table {quote_identifier(staging)}.{quote_identifier(table)}"
                database.execute(f"{alter} drop column if exists {quote_identifier(column)}")
                database.execute(f"{alter} add {quote_identifier(column)} {DUCKDB_TYPES[kind]}")
    return changes
