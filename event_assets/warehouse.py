"""The DuckDB file: where it is, who may write it when, and the dlt pipeline that does."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt import Pipeline
from filelock import FileLock, Timeout

LOG = logging.getLogger("dagster")
FOREIGN_WAIT = 60.0  # seconds
PROJECT_ROOT = Path(__file__).resolve().parents[1]


# One thread writes as fast as two here (measured), in half the memory; the limit makes DuckDB use
# the disk for large merges, so that memory does not grow with rows.
MEMORY = 128  # MB, unless a table is very wide
MEMORY_OF_COLUMN = 1  # MB: a merge holds a block or two of each column
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": f"{MEMORY}MB",
    "threads": 1,
    "preserve_insertion_order": False,
}


TYPES = {  # DuckDB's names for dlt's types
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "json": "JSON",
}


class WarehouseError(Exception):
    """The database cannot be used. The message says which, why and what to do."""


def path() -> Path:
    """Absolute path of the DuckDB file: `EVENTS_DUCKDB`, by default under the project."""
    return PROJECT_ROOT / os.environ.get("EVENTS_DUCKDB", "data/warehouse.duckdb")


def table_name(schema: str, table: str) -> str:
    """Full name of a table as DuckDB says it: `database.schema.table`."""
    return f"{path().stem}.{schema}.{table}"


class BusyError(Exception):
    """Another sync has the database."""


@contextmanager
def connect(patience: float | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database for reading and writing, when it is our turn.

    Another sync, of this Dagster or another, is waited for as long as it takes; any other process
    that holds the file for `FOREIGN_WAIT` seconds.

    Raises:
        WarehouseError: when the file cannot be opened.
        BusyError: when another sync has it for longer than `patience` seconds, if there is a limit.
    """
    path().parent.mkdir(parents=True, exist_ok=True)
    with _turn(patience), _opened() as connection:
        make_room(connection)
        connection.execute("set timezone = 'UTC'")  # times as text are the same everywhere
        yield connection


def make_room(database: duckdb.DuckDBPyConnection, columns: int = 0) -> None:
    """Let DuckDB use the memory that its widest table, or one of so many columns, needs."""
    widest = database.sql("select max(column_count) from duckdb_tables()").fetchone()
    most = max(columns, (widest[0] if widest else 0) or 0)
    database.execute(f"set memory_limit = '{max(MEMORY, MEMORY_OF_COLUMN * most)}MB'")


@contextmanager
def _turn(patience: float | None) -> Iterator[None]:
    lock = FileLock(f"{path()}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        LOG.info("Waiting for another sync that writes %s ...", path())
        try:
            lock.acquire(timeout=-1 if patience is None else patience)
        except Timeout:
            raise BusyError from None
    try:
        yield
    finally:
        lock.release()


def _opened() -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + FOREIGN_WAIT
    while True:
        try:
            return duckdb.connect(path(), config=CONFIG)
        except duckdb.IOException as error:
            problem = describe(error)
            held = "lock" in str(error)
        if not held or time.monotonic() > deadline:
            # Outside the except block: the sentence says it all.
            raise WarehouseError(problem)
        time.sleep(0.2)


def describe(error: duckdb.IOException) -> str:
    """Say in one sentence why the database cannot be used, and which process holds it."""
    reason = " ".join(str(error).removeprefix("IO Error: ").partition(" See also")[0].split())
    return f"The database {path()} cannot be used: {reason.rstrip('.')}; close what holds it."


@contextmanager
def pipeline(schema: str) -> Iterator[tuple[Pipeline, duckdb.DuckDBPyConnection]]:
    """Give the dlt pipeline that writes `schema` and its connection, when it is their turn.

    Its working folder lies beside the database and belongs to the one sync that holds the lock.
    """
    if "'" in str(path()):
        raise WarehouseError(
            f"The path of the database, {path()}, has an apostrophe in it, which dlt cannot load "
            "from: name another one in EVENTS_DUCKDB."
        )
    if path().stem == schema:
        raise WarehouseError(
            f"The database {path()} is named like the schema {schema} in it, which DuckDB finds "
            f"ambiguous; give the file another name in EVENTS_DUCKDB."
        )
    with connect() as connection:
        writer = dlt.pipeline(
            pipeline_name=schema,
            pipelines_dir=str(path().parent / "dlt" / path().stem),
            destination=dlt.destinations.duckdb(connection, destination_name=path().stem),
            dataset_name=schema,
        )
        yield writer, connection


@contextmanager
def transaction(database: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Do everything inside, or nothing."""
    database.begin()
    try:
        yield
    except BaseException:
        database.rollback()
        raise
    database.commit()


def reserved_words() -> set[str]:
    """Give the words that cannot name a schema."""
    with duckdb.connect() as nowhere:
        words = nowhere.sql("from duckdb_keywords()").filter("keyword_category != 'unreserved'")
        return {str(word) for word, _ in words.fetchall()} | {"temp", "main", "system"}


def quoted(name: str) -> str:
    """Write a name so that DuckDB takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text so that DuckDB takes it as it is."""
    return "'" + text.replace("'", "''") + "'"


def types(database: duckdb.DuckDBPyConnection, schema: str) -> dict[str, str]:
    """Give the columns that `event_data` has and their types, by dlt's names."""
    names = {duck: name for name, duck in TYPES.items()}
    found = database.execute(
        "select column_name, data_type from duckdb_columns() "
        "where schema_name = ? and table_name = 'event_data'",
        [schema],
    ).fetchall()
    return {column: names[kind] for column, kind in found if kind in names}


def may_widen(database: duckdb.DuckDBPyConnection, schema: str, column: str) -> bool:
    """Are all whole numbers in a column of `event_data` exact as floats?"""
    inexact = f"bool_or(abs({quoted(column)}::hugeint) > {2**53})"
    return database.table(f"{schema}.event_data").aggregate(inexact).fetchone() != (True,)


def prepare(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    widened: Sequence[str],
    retyped: Mapping[str, str],
    columns: int,
) -> None:
    """Make `event_data`, and dlt's staging of it, ready for what is loaded next.

    Args:
        database: a connection.
        schema: the source's.
        widened: columns of whole numbers that become floats; their values stay the same.
        retyped: columns that the contract has as another type: what is in them moves to a column
            beside, `NAME__v_TYPE`, and the API's events fill the new one.
        columns: how many the table will have.
    """
    before = types(database, schema)
    with transaction(database):
        for owner in (schema, f"{schema}_staging"):
            if not has_table(database, owner, "event_data"):
                continue
            table = f"{quoted(owner)}.event_data"
            for column in widened:
                database.execute(f"alter table {table} alter {quoted(column)} type double")
            for column, kind in retyped.items():
                beside, number = f"{column}__v_{before[column]}", 1
                while beside in before:
                    number += 1
                    beside = f"{column}__v_{before[column]}__x{number}"
                database.execute(f"alter table {table} rename {quoted(column)} to {quoted(beside)}")
                database.execute(f"alter table {table} add {quoted(column)} {TYPES[kind]}")
    make_room(database, columns)


def rows_of(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Fetch rows as dicts by column."""
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def has_table(database: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Is there a table of this name?"""
    found = database.execute(
        "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchone()
    return found != (0,)


def last_value(database: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> Any:
    """Give a column of the newest row of a table of our own; None where there is none."""
    known = database.execute(
        "select count(*) from duckdb_columns() "
        "where schema_name = ? and table_name = ? and column_name = ?",
        [schema, table, column],
    ).fetchone()
    if not known or not known[0]:
        return None
    newest = database.table(f"{schema}.{table}").order("started_at desc").limit(1)
    row = newest.project(column).fetchone()
    return row[0] if row else None


def note_api(database: duckdb.DuckDBPyConnection, schema: str, api: str) -> None:
    """Write down which API the tables of a schema come from, before anything is loaded."""
    database.execute(f"create schema if not exists {schema}")
    database.execute(f"create or replace table {schema}.event_data_api as select ? as api", [api])


def noted_api(database: duckdb.DuckDBPyConnection, schema: str) -> str | None:
    """Give the API that the tables of a schema come from, if there are any."""
    if not has_table(database, schema, "event_data_api"):
        return None
    found = database.table(f"{schema}.event_data_api").fetchone()
    return str(found[0]) if found else None


def last_load_id(database: duckdb.DuckDBPyConnection, schema: str) -> str:
    """Give the id of the newest load of a schema."""
    loads = database.table(f"{schema}._dlt_loads").order("inserted_at desc").limit(1)
    newest = loads.project("load_id").fetchone()
    return str(newest[0]) if newest else ""


def append(
    database: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    columns: Mapping[str, str],
    row: Mapping[str, Any],
) -> None:
    """Add a row to a table of our own, which is made, or gets its new columns, when needed."""
    name = f"{schema}.{table}"
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    database.execute(f"create table if not exists {name} ({declared})")
    for column, kind in columns.items():
        database.execute(f"alter table {name} add column if not exists {column} {kind}")
    values = [row[column] for column in columns]
    marks = ", ".join("?" * len(values))
    insert = f"insert into {name} ({', '.join(columns)}) values ({marks})"  # noqa: S608 (our names)
    database.execute(insert, values)
