"""Read the database beside the syncs, without what they import."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import click
import duckdb

from event_assets.config.database_file import (
    database_file,
    is_lake,
    require_duckdb_file,
    require_writable_database,
)
from event_assets.config.program import program
from event_assets.config.project import project_setting
from event_assets.values.errors import WarehouseError

# In DuckDB's message.
LOCKED = re.compile(r"lock on file.*?(?: held in (.+? \(PID \d+\))|$)", re.DOTALL)
TIMEOUT = 60.0  # seconds; a load takes less


class MissingDatabaseError(WarehouseError):
    """Nothing was synced yet."""


@contextmanager
def open_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database for reading; waits while another process writes it.

    Raises:
        MissingDatabaseError: there is none yet.
        WarehouseError: a table is not as syncs leave it.
        duckdb.Error: it cannot be read, or stays in use.
    """
    with _open_lake() if is_lake() else closing(_open_file()) as database:
        database.execute("set timezone = 'UTC'")
        try:
            yield database
            return
        except (duckdb.DataError, duckdb.ProgrammingError) as error:
            reason = str(error).strip().partition("\n")[0].rstrip("!")
    if "sync_number" in reason:
        raise WarehouseError(
            f"The tables are those of an earlier release: `{program()} sync` takes them over."
        )
    raise WarehouseError(
        f"The tables are not as syncs leave them ({reason}): `{program()} sync` makes them again, "
        "or says what to do."
    )


def schemas(database: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the names of the tables and views by schema, without those of dlt and DuckDB."""
    found = database.execute(
        "select schema_name, list(name order by name) from ("
        "select schema_name, table_name as name from duckdb_tables() "
        "where database_name = current_database() union all "
        "select schema_name, view_name from duckdb_views() "
        "where database_name = current_database() and not internal"
        ") where name not like '\\_dlt%' escape '\\' group by schema_name"
    )
    return dict(found.fetchall())


def fetch(
    database: duckdb.DuckDBPyConnection, query: str, limit: int | None = None
) -> list[dict[str, Any]]:
    """Run a query, and return its rows, or the first ones, by column.

    Raises:
        duckdb.Error: it cannot be run.
    """
    result = database.execute(query)
    if not result:
        raise duckdb.InvalidInputException("it is empty")
    given = [column[0] for column in result.description or ()]
    twins = (given[:at].count(name) for at, name in enumerate(given))
    names = [f"{name}_{n}" if n else name for name, n in zip(given, twins, strict=True)]
    rows = result.fetchmany(limit) if limit else result.fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


@contextmanager
def _open_lake() -> Iterator[duckdb.DuckDBPyConnection]:
    from event_assets import warehouse  # dlt, which reads the secrets of a lake

    with warehouse.connect() as database:
        database.execute("begin transaction read only")
        yield database


def _open_file() -> duckdb.DuckDBPyConnection:
    file, began, is_told = database_file(), time.monotonic(), False
    if not os.path.isfile(file):  # noqa: PTH113 (False in a folder that may not be searched)
        project_setting("root_module")  # without a project, that is what is missing
        require_writable_database()
        raise MissingDatabaseError(f"There is no database {file} yet: `{program()} sync` makes it.")
    require_duckdb_file()
    while True:
        try:
            return duckdb.connect(file, read_only=True)
        except duckdb.IOException as error:
            locked = LOCKED.search(str(error))
            if not locked or time.monotonic() - began > TIMEOUT:
                raise
        if not is_told:
            holder = locked[1] or "another process"
            message = f"Waiting for {holder}, which has {file} open, up to {TIMEOUT:.0f} s ..."
            click.echo(message, err=True)
            is_told = True
        time.sleep(0.1)
