"""Postgres: read by DuckDB's extension, loaded by dlt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from event_assets.warehouse import advisory
from event_assets.warehouse.catalog import CATALOG, opened
from event_assets.warehouse.errors import WarehouseError
from event_assets.warehouse.place import Place, advice_for, reason_of
from event_assets.warehouse.retrying import causes
from event_assets.warehouse.urls import Url, literal, postgres_url, setting

if TYPE_CHECKING:
    from dlt.common.destination import Destination

URL = "EVENTS_POSTGRES_URL"
SECRET = "events_postgres"  # noqa: S105 (its name in DuckDB)
ADVICE = {
    "authentication failed|no password|role .* does not exist": "correct the user and the password",
    "database .* does not exist": "make the database",
    "permission denied": "grant the user what it needs",
    "[Nn]o space left|[Dd]isk full": "make room on its disk",
    "[Cc]onnection|could not|timeout|closed the": "see that it runs and can be reached from here",
    "read-only transaction": "name the server that takes writes",
}
CONFLICT = (
    "could not serialize|deadlock detected|lock timeout|duplicate key value|already exists"
    "|concurrently"
)
LOCK_TIMEOUT = "-c lock_timeout=60000"  # milliseconds; then it is tried again
# Settings of DuckDB's extension: Postgres cannot hold the character NUL, so it is left out.
SETTINGS = ("set pg_null_byte_replacement = ''",)


class Postgres(Place):
    """A database in Postgres."""

    kind = "postgres"
    main = "public"
    longest_name = 63
    widens = False  # a view of the column is in the way

    @property
    def catalog(self) -> str:
        """Give its alias, which no schema has."""
        return CATALOG

    @cached_property
    def url(self) -> Url:
        """Give its address."""
        return postgres_url(URL, setting(URL))

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Give the errors of its driver."""
        if not find_spec("psycopg2"):
            return ()
        import psycopg2

        return (psycopg2.Error,)

    @property
    def shown(self) -> str:
        """Give its address without user and password."""
        return str(self.url)

    @property
    def another(self) -> str:
        """Say how to begin with an empty one."""
        return f"name another one in {URL}"

    @property
    def name(self) -> str:
        """Give the name of the database."""
        return self.url.database

    def verify(self) -> None:
        """See whether the address is one."""
        postgres_url(URL, setting(URL))
        super().verify()

    @property
    def extensions(self) -> Sequence[str]:
        """Name the one that reads it."""
        return ["postgres_scanner"]

    def open(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """Attach it."""
        attach = (
            f"attach {literal(self.url.parameters())} as {CATALOG} (type postgres, secret {SECRET})"
        )
        steps = (*SETTINGS, self.url.secret(SECRET), attach)
        return opened(folder, self.kind, self.extensions, steps)

    @contextmanager
    def loading(
        self,
        connection: duckdb.DuckDBPyConnection,
        pipeline: str,
        first: Sequence[str] = (),
    ) -> Iterator[Destination[Any, Any]]:
        """Give it to dlt, which merges inside Postgres."""
        if not find_spec("psycopg2"):
            raise WarehouseError(
                "Postgres needs packages that are not here: run `make setup-scale`."
            )
        from event_assets.warehouse.postgres_client import Client, Destination

        # Of its own, so that many can load at once; of a name that Postgres neither cuts nor folds.
        staging = f"staging_{hashlib.sha256(pipeline.encode()).hexdigest()[:16]}"
        client = Client.beginning(first)
        # What was read before ends: else its transaction keeps dlt from changing the table.
        connection.execute("call pg_clear_cache()").fetchall()
        try:
            yield Destination(self.url.native(LOCK_TIMEOUT), self.kind, client, staging)
        finally:
            run(connection, f"drop schema if exists {staging} cascade")
            connection.execute("call pg_clear_cache()")

    def describe(self, error: BaseException) -> str | None:
        """Say what is wrong with the server."""
        if not isinstance(error, (duckdb.Error, *self.errors)):
            return None
        advice = advice_for(error, ADVICE)
        if advice is None:
            return None
        reason = self.url.hidden(reason_of(error)).removeprefix(
            'Unable to connect to Postgres at "": '
        )
        return f"The Postgres database {self.shown} cannot be used: {reason}; {advice} ({URL})."

    def is_conflict(self, error: BaseException) -> bool:
        """See whether another writer came in between."""
        return any(
            isinstance(cause, (duckdb.Error, *self.errors)) and re.search(CONFLICT, str(cause))
            for cause in causes(error)
        )

    def alone(self, name: str, waiting: str) -> AbstractContextManager[None]:
        """Hold a lock in the database."""
        return advisory.held(self.url, f"event_assets {name}", waiting)

    def columns(
        self, connection: duckdb.DuckDBPyConnection, schema: str, table: str
    ) -> dict[str, str]:
        """Give the columns of a table; DuckDB takes those of JSON for text."""
        query = (
            "select column_name from information_schema.columns where data_type = 'json' "  # noqa: S608
            f"and table_schema = {literal(schema)} and table_name = {literal(table)}"
        )
        asked = f"from postgres_query('{CATALOG}', {literal(query)})"
        of_json = {str(name): "JSON" for (name,) in connection.execute(asked).fetchall()}
        return super().columns(connection, schema, table) | of_json

    def create_view(self, connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
        """Make a view that Postgres itself understands; anew, where its columns are others."""
        connection.begin()
        try:
            run(connection, f"create or replace view {name} as {select}")
        except duckdb.Error:
            connection.rollback()
            connection.begin()
            run(connection, f"drop view if exists {name}")
            run(connection, f"create view {name} as {select}")
        connection.commit()
        connection.execute("call pg_clear_cache()")


def run(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Have Postgres run a statement, in the transaction that is open."""
    connection.execute(f"call postgres_execute('{CATALOG}', {literal(statement)})")
