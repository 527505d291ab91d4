"""Delete from a DuckLake what its tables no longer hold: snapshots, files, bounds of values."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.sql import Database, quote_identifier, quote_literal, quote_name

TIMEOUT = 60.0  # seconds, for transactions of others


@dataclass(frozen=True)
class Purge:
    """Deletes all old snapshots of a lake, and all that tables of a schema held.

    DuckLake leaves deleted rows in their file, and their values in the bounds that it knows of each
    column, until it writes the file again, as it does only if rows of it are deleted.

    Attributes:
        database: has the lake attached, and is in no transaction.
        lake: the name of the lake there.
        is_shared: others may write at the same time.
        retry: runs an action, again if another writer conflicts.
    """

    database: Database
    lake: str
    is_shared: bool
    retry: Callable[[Callable[[], object]], object]

    def run(self, schema: str, tables: Sequence[str]) -> None:
        """Run it; the tables are named in small letters.

        Raises:
            WarehouseError: A transaction of others, which may need what is deleted, does not end.
        """
        for table in tables:
            self._write_again(schema, table)
        versions = f"from {self._catalog}.ducklake_snapshot select snapshot_id order by all desc"
        _, *old = self._query(versions)
        if self.is_shared:
            self._wait_for_others()
        if old:
            self._call("expire_snapshots", f"versions => {[version for (version,) in old]}")
        self._call("cleanup_old_files", "cleanup_all => true")
        # What killed syncs have left; the files of those that run are not in the catalog yet.
        recent = "older_than => now() - interval 1 hour"
        self._call("delete_orphaned_files", recent if self.is_shared else "cleanup_all => true")

    def _write_again(self, schema: str, table: str) -> None:
        """Write the files of a table again that have deleted rows or dropped columns.

        One row is changed, so that there is one: DuckLake then computes the bounds anew.
        """
        name = quote_name(schema, table)
        ((table_id,),) = self._query(
            f"from {self._catalog}.ducklake_table as tables "
            f"join {self._catalog}.ducklake_schema using (schema_id) select table_id "
            f"where schema_name = {quote_literal(schema)} "
            f"and lower(table_name) = {quote_literal(table)} and tables.end_snapshot is null"
        )
        is_dropped = (
            f"table_id = {table_id} and column_id not in (from {self._catalog}.ducklake_column "
            f"select column_id where table_id = {table_id} and end_snapshot is null)"
        )
        flush = f"schema_name => {quote_literal(schema)}, table_name => {quote_literal(table)}"
        self._call("flush_inlined_data", flush)
        ((has_dropped,),) = self._query(
            f"from {self._catalog}.ducklake_file_column_stats select count(*) > 0 "
            f"where {is_dropped} and data_file_id in (from {self._catalog}.ducklake_data_file "
            "select data_file_id where end_snapshot is null)"
        )
        column = quote_identifier(self.database.sql(f"from {name} limit 0").columns[0])
        one = f"rowid = (select min(rowid) from {name})"
        for rows in ("true", one) if has_dropped else (one,):
            change = f"update {name} set {column} = {column} where {rows}"
            self.retry(lambda: self._query(change))  # noqa: B023 (runs at once)
            self._call("flush_inlined_data", flush)
        files = f"{quote_literal(table)}, schema => {quote_literal(schema)}"
        self._call("rewrite_data_files", f"{files}, delete_threshold => 0")
        bounds = f"{self._catalog}.ducklake_table_column_stats"
        self.retry(lambda: self._query(f"delete from {bounds} where {is_dropped}"))
        # Without a row there was no file to write. Of a table with rows, DuckLake would take
        # unknown bounds for those of the rows that come next, and not find the others.
        is_empty = f"table_id = {table_id} and not exists (from {name})"
        forget = f"update {bounds} set min_value = null, max_value = null where {is_empty}"
        self.retry(lambda: self._query(forget))

    def _wait_for_others(self) -> None:
        """Wait until all transactions have ended that may read what is deleted, or write beside it.

        DuckLake finds conflicts in the snapshots since a transaction began. Only a superuser of
        Postgres, or a member of `pg_read_all_stats`, sees transactions of other users.
        """
        ((began,),) = self._query_postgres("select clock_timestamp()::text")
        running = (
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and backend_type = 'client backend' and pid <> pg_backend_pid() "
            f"and xact_start < {quote_literal(began)}"
        )
        deadline = time.monotonic() + TIMEOUT
        while self._query_postgres(running) != [(0,)]:
            if time.monotonic() > deadline:
                raise WarehouseError(
                    "It is erased from the tables, but not from the files of before, which another "
                    f"program may be reading: its transaction has not ended in {TIMEOUT:.0f} s. "
                    "Wait until it has, and erase it again."
                )
            time.sleep(0.2)

    @property
    def _catalog(self) -> str:
        return f"__ducklake_metadata_{self.lake}"

    def _call(self, function: str, arguments: str) -> None:
        statement = f"call ducklake_{function}({quote_literal(self.lake)}, {arguments})"
        self.retry(lambda: self._query(statement))

    def _query_postgres(self, query: str) -> list[Any]:
        catalog = quote_literal(self._catalog)
        return self._query(f"from postgres_query({catalog}, {quote_literal(query)})")

    def _query(self, query: str) -> list[Any]:
        return self.database.execute(query).fetchall()
