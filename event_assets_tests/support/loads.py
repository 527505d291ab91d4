"""Loads of tables of records, without an API."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NoReturn

import dlt
import pyarrow as pa

from event_assets import warehouse
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import column_types
from event_assets.warehouse.load import load_package
from event_assets.warehouse.merge import TableLoad
from event_assets.warehouse.pipeline import build_schema, open_pipeline, split_into_row_groups

NAME, SCHEMA, TABLE = "events", "events", "event_data"
MERGE = {"disposition": "merge", "strategy": "delete-insert"}


def nothing(_: str) -> None:
    """Write nothing beside the rows."""


def fail(*_: Any) -> NoReturn:
    raise OSError("The disk is full")


@contextmanager
def extracted(*tables: pa.Table, key: Sequence[str] = ("id",), **hints: Any) -> Iterator[Any]:
    """Extract tables, as a sync does; yield the pipeline."""

    def rows() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()
        yield from chain.from_iterable(map(split_into_row_groups, tables))

    given = {"primary_key": key, "write_disposition": MERGE} if key else {}
    resource = dlt.resource(rows, name=TABLE, **{**given, **hints})
    with open_pipeline(NAME, SCHEMA) as pipeline:
        types = warehouse.run(lambda database: column_types(database, SCHEMA, TABLE))
        given_names = {name for table in tables for name in table.column_names}
        known = {name: types[name] for name in types if name in given_names}
        schema = build_schema(NAME, TABLE, known)
        pipeline.extract(resource, schema=schema, loader_file_format="parquet")
        yield pipeline


def load(
    *tables: pa.Table,
    key: Sequence[str] = ("id",),
    also: Callable[[Database, str], None] = lambda _, __: None,
    hints: dict[str, Any] | None = None,
    **options: Any,
) -> None:
    """Load tables of records."""
    with extracted(*tables, key=key, **hints or {}) as pipeline, warehouse.connect() as database:
        how = TableLoad(TABLE, key, **options)
        load_package(pipeline, database, how, lambda load_id: also(database, load_id))


def rows(query: str = "select * exclude (_dlt_load_id) from events.event_data order by id") -> Any:
    with warehouse.connect() as database:
        return database.sql(query).fetchall()


def records(first: int, number: int, **columns: Any) -> pa.Table:
    """Build records with the ids from `first` on."""
    ids = [f"{number:03}" for number in range(first, first + number)]
    return pa.table({"id": ids, **{name: [value] * number for name, value in columns.items()}})


def execute(statement: str) -> None:
    with warehouse.connect() as database:
        database.execute(statement)
