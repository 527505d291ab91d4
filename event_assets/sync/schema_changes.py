"""Change the types of a table's columns."""

from collections.abc import Mapping, Sequence

from event_assets.records.column_names import VARIANT
from event_assets.values.types import COLUMN_TYPES
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import column_types
from event_assets.warehouse.sql import quote_identifier


def build_alter_statements(
    database: Database, schema: str, table: str, widened: Sequence[str], retyped: Mapping[str, str]
) -> list[str]:
    """Return the ends of the `alter table` statements that change the types of columns.

    Integer columns that are `widened` become floats without loss. The values of columns with a new
    type in the contract (`retyped`) move to a variant column, `NAME__v_TYPE`.
    """
    before = column_types(database, schema, table)
    statements = [
        f"alter {quote_identifier(column)} type {COLUMN_TYPES['double'].duckdb}"
        for column in widened
    ]
    for column, kind in retyped.items():
        variant, number = f"{column}{VARIANT}{before[column]}", 1
        while variant in before:
            number += 1
            variant = f"{column}{VARIANT}{before[column]}__x{number}"
        statements.append(f"rename {quote_identifier(column)} to {quote_identifier(variant)}")
        statements.append(f"add {quote_identifier(column)} {COLUMN_TYPES[kind].duckdb}")
    return statements
