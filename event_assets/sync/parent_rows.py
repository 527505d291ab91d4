"""Read the parent records from which child requests are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from event_assets.config.source import EVENT_DATA, ResourceConfig
from event_assets.records.column_names import ColumnNamer
from event_assets.records.contract import build_contract
from event_assets.sync.current_events import current_events_query
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import parse_path
from event_assets.warehouse import Database, inspection, sql


def load_parent_rows(database: Database, resource: ResourceConfig) -> Any:
    """Load the fields of each current parent record from which requests are built.

    Returns:
        An Arrow table with a column for each field, named as in the API.

    Raises:
        ConfigError: the parent's table or a column does not exist.
    """
    source, parent = resource.source, str(resource.parent)
    name = f"{source.name}.{sql.quote_identifier(parent)}"
    if not inspection.has_table(database, source.name, parent):
        raise ConfigError(
            f"The requests for {resource.name} are built from the table {name}, which does not "
            f"exist yet: materialize {parent} first."
        )
    rows = (
        database.sql(current_events_query(source))
        if parent == EVENT_DATA
        else database.sql(f"from {name}").filter(sql.account_filter(source.account))
    )
    columns = {field: _column(resource, field, rows.columns) for field in resource.parent_fields}
    selection = ", ".join(
        f"{sql.quote_identifier(column)} as {sql.quote_identifier(field)}"
        for field, column in columns.items()
    )
    first = sql.quote_identifier(next(iter(columns.values())))
    return rows.filter(f"{first} is not null").project(selection).order("all").to_arrow_table()


def _column(resource: ResourceConfig, field: str, columns: Iterable[str]) -> str:
    """Return the column of a parent's table that contains a field of its records."""
    known = list(columns)
    parent = resource.source.resources[str(resource.parent)]
    typed = {
        ".".join(map(str, reader.plain_path)): name
        for name, reader in build_contract(parent).items()
        if reader.plain_path
    }
    default = ColumnNamer((), (), {}).column(parse_path(field))
    for column in (typed.get(field), default):
        if column in known:
            return str(column)
    raise ConfigError(
        f"The requests for {resource.name} need `{field}` of each record of {parent.name}, but the "
        f"table has no such column; its columns are {', '.join(c for c in known if c[0] != '_')}."
    )
