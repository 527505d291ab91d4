"""The DuckDB file: where it is, who may write it when, and the dlt pipeline that does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
import duckdb
from dlt import Pipeline
from filelock import FileLock

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class WarehouseError(Exception):
    """The database cannot be used. The message says which, why and what to do."""


def path() -> Path:
    """Absolute path of the DuckDB file: `EVENTS_DUCKDB`, by default under the project."""
    return PROJECT_ROOT / os.environ.get("EVENTS_DUCKDB", "data/warehouse.duckdb")


def table_name(schema: str, table: str) -> str:
    """Full name of a table as DuckDB says it: `database.schema.table`."""
    return f"{path().stem}.{schema}.{table}"


@contextmanager
def connect() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database for reading and writing.

    Raises:
        WarehouseError: when another process holds the file.
    """
    path().parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(path())
    except duckdb.IOException as error:
        problem = describe(error)
    else:
        with connection:
            yield connection
        return
    raise WarehouseError(problem)


def describe(error: duckdb.IOException) -> str:
    """Say in one sentence why the database cannot be used, and which process holds it."""
    reason = " ".join(str(error).removeprefix("IO Error: ").partition(" See also")[0].split())
    return f"The database {path()} cannot be used: {reason.rstrip('.')}; close what holds it."


@contextmanager
def pipeline(schema: str) -> Iterator[Pipeline]:
    """Give the dlt pipeline that writes `schema`, once every other sync of it has ended.

    Its working folder lies beside the database and belongs to the one sync that holds the lock.
    """
    if path().stem == schema:
        raise WarehouseError(
            f"The database {path()} is named like the schema {schema} in it, which DuckDB finds "
            f"ambiguous; give the file another name in EVENTS_DUCKDB."
        )
    folder = path().parent / "dlt" / path().stem
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{schema}.lock"), connect() as connection:
        yield dlt.pipeline(
            pipeline_name=schema,
            pipelines_dir=str(folder),
            destination=dlt.destinations.duckdb(connection, destination_name=path().stem),
            dataset_name=schema,
        )
