"""DuckLake: Parquet files on a shared disk or S3, and a catalog that says which of them count."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from event_assets.values.errors import WarehouseError
from event_assets.warehouse import duckdb_file, extensions, postgres_lock, s3
from event_assets.warehouse.attach import CATALOG, attach
from event_assets.warehouse.destination import PROJECT_ROOT, Destination, advice_for, reason_of
from event_assets.warehouse.postgres_url import Url, literal, postgres_url, setting
from event_assets.warehouse.retry import _causes

if TYPE_CHECKING:
    from dlt.common.destination import Destination as DltDestination

CATALOG_AT = "EVENTS_DUCKLAKE_CATALOG"
STORAGE_AT = "EVENTS_DUCKLAKE_STORAGE"
KEEP = "EVENTS_DUCKLAKE_KEEP_DAYS"
DAYS = 7
SECRET = "events_catalog"  # noqa: S105 (its name in DuckDB)
ADVICE = {
    "does not match existing data path": f"name the storage that the catalog knows in {STORAGE_AT}",
    "HTTP|S3|Forbidden|NoSuchBucket": "correct EVENTS_S3_*",
    **duckdb_file.ADVICE,
    # Of the catalog in Postgres:
    "authentication failed|no password|role .* does not exist": "correct the user and the password",
    "database .* does not exist": "make the database",
    "permission denied": "grant the user what it needs",
    "[Nn]o space left|[Dd]isk full": "make room on its disk",
    "[Cc]onnection|could not|timeout|closed the": "see that it runs and can be reached from here",
    "read-only transaction": "name the server that takes writes",
}
CONFLICT = (
    "[Cc]onflict|Failed to commit DuckLake transaction"
    # Of the catalog in Postgres:
    "|could not serialize|deadlock detected|lock timeout|duplicate key value|already exists"
    "|concurrently"
)
SETTINGS = ("set ducklake_max_retry_count = 30",)  # of commits that only came in between others


class DuckLake(Destination):
    """A DuckLake."""

    kind = "ducklake"

    @cached_property
    def url(self) -> Url | None:
        """Give the address of the catalog in Postgres; None: it is a file."""
        address = setting(CATALOG_AT, "data/lake.ducklake")
        return postgres_url(CATALOG_AT, address) if "://" in address else None

    @cached_property
    def catalog_file(self) -> Path:
        """Give the catalog's file, where it is one."""
        return PROJECT_ROOT / setting(CATALOG_AT, "data/lake.ducklake")

    @cached_property
    def storage(self) -> str:
        """Give the folder or the address of the Parquet files."""
        address = os.environ.get(STORAGE_AT) or "data/lake"
        return address if "://" in address else str(PROJECT_ROOT / address)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Give the errors of the catalog's driver."""
        if not (self.url and find_spec("psycopg2")):
            return ()
        import psycopg2

        return (psycopg2.Error,)

    @property
    def display_name(self) -> str:
        """Name the catalog and the storage."""
        return f"{self.url or self.catalog_file} with files in {self.storage}"

    @property
    def new_database_hint(self) -> str:
        """Say how to begin with an empty one."""
        return f"name another one in {CATALOG_AT} and {STORAGE_AT}"

    @property
    def name(self) -> str:
        """Name it."""
        return "lake"

    @property
    def single_writer(self) -> bool:
        """Only one process can have a catalog open that is a file."""
        return self.url is None

    @property
    def lock_file(self) -> Path:
        """Give the file by which writers take turns."""
        return Path(f"{self.catalog_file}.lock")

    def check(self, schema: str) -> None:  # noqa: ARG002 (its alias is no schema's name)
        """See whether it can be attached."""
        if "'" in f"{self.storage}{self.catalog_file}":
            raise WarehouseError(
                f"The path of the lake, {self.display_name}, has an apostrophe in it: name another "
                f"one in {CATALOG_AT} and {STORAGE_AT}."
            )

    def verify(self) -> None:
        """See whether the catalog's address is one, and the storage is known here."""
        scheme, separator, _ = self.storage.partition("://")
        if separator and not s3.is_s3(self.storage):
            raise WarehouseError(
                f"{STORAGE_AT} must be a folder or begin with s3://, not with {scheme}://."
            )
        for name in self.extensions:
            extensions.file_of(name, self.kind)

    @property
    def extensions(self) -> Sequence[str]:
        """Name DuckLake's, and those that reach the catalog and the storage."""
        names = {"postgres_scanner": self.url, "httpfs": s3.is_s3(self.storage), "ducklake": True}
        return [name for name, needed in names.items() if needed]

    def open(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """Attach it."""
        steps = list(SETTINGS)
        options = f"data_path {literal(self.storage)}"
        if self.url:
            steps.append(self.url.secret(SECRET))
            options += f", meta_secret {literal(SECRET)}"
            catalog = f"postgres:{self.url.parameters()}"
        else:
            self.catalog_file.parent.mkdir(parents=True, exist_ok=True)
            catalog = str(self.catalog_file)
        if s3.is_s3(self.storage):
            steps.append(s3.secret(self.storage))
        steps.append(f"attach {literal(f'ducklake:{catalog}')} as {CATALOG} ({options})")
        return attach(folder, self.kind, self.extensions, steps)

    def destination(
        self, connection: duckdb.DuckDBPyConnection, first: Sequence[str] = ()
    ) -> DltDestination[Any, Any]:
        """Build dlt's destination of the attached lake."""
        from event_assets.warehouse.dlt_clients.duckdb import CatalogClient, Destination

        return Destination(connection, self.kind, CatalogClient.beginning(first))

    def describe(self, error: BaseException) -> str | None:
        """Say what is wrong with the catalog or the storage."""
        if not isinstance(error, (duckdb.Error, OSError, *self.errors)):
            return None
        advice = advice_for(error, ADVICE)
        if advice is None and not isinstance(error, duckdb.IOException):
            return None
        reason = reason_of(error)
        reason = self.url.hidden(reason) if self.url else reason
        advice = advice or "see docs/destinations.md"
        return f"The lake {self.display_name} cannot be used: {reason}; {advice}."

    def tidying(self) -> Sequence[str]:
        """Forget old states of the tables, put small files together, and delete what is left."""
        keep = os.environ.get(KEEP) or str(DAYS)
        if not keep.isdigit():
            raise WarehouseError(f"{KEEP} must be a whole number of days, not `{keep}`.")
        before = f"older_than => now() - interval {keep} day"
        return [
            f"call ducklake_expire_snapshots('{CATALOG}', {before})",
            f"call ducklake_rewrite_data_files('{CATALOG}')",
            f"call ducklake_merge_adjacent_files('{CATALOG}')",
            f"call ducklake_cleanup_old_files('{CATALOG}', {before})",
            f"call ducklake_delete_orphaned_files('{CATALOG}', {before})",
        ]

    def is_conflict(self, error: BaseException) -> bool:
        """See whether another writer came in between."""
        return self.url is not None and any(
            isinstance(cause, (duckdb.Error, *self.errors)) and re.search(CONFLICT, str(cause))
            for cause in _causes(error)
        )

    def pipeline_lock(self, name: str, waiting: str) -> AbstractContextManager[None]:
        """Hold a lock in the catalog's database."""
        if self.url is None:
            return nullcontext()
        return postgres_lock.hold_postgres_lock(
            self.url, f"event_assets {self.storage} {name}", waiting
        )

    def turn(self) -> AbstractContextManager[None]:
        """Queue up behind those that came in between before."""
        return self.pipeline_lock("", "")
