"""DuckLake: Parquet files on a shared disk or S3, and a catalog of them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import duckdb

from event_assets.config.project import project_path
from event_assets.values.errors import WarehouseError, exception_chain
from event_assets.values.redaction import SecretRedactor
from event_assets.warehouse import duckdb_file, s3
from event_assets.warehouse.destination import DUCKDB_CONFIG, Destination
from event_assets.warehouse.ducklake_purge import Purge
from event_assets.warehouse.file_lock import temporary_folder
from event_assets.warehouse.postgres_lock import hold_postgres_lock
from event_assets.warehouse.postgres_url import PostgresUrl, parse_postgres_url, read_setting
from event_assets.warehouse.sql import Database, quote_literal

CATALOG = "_warehouse"  # no schema has this name
CATALOG_VARIABLE = "EVENTS_DUCKLAKE_CATALOG"
DEFAULT_CATALOG = "data/lake.ducklake"
STORAGE_VARIABLE = "EVENTS_DUCKLAKE_STORAGE"
KEEP_DAYS_VARIABLE = "EVENTS_DUCKLAKE_KEEP_DAYS"
USE_OTHER_LAKE = f"name another one in {CATALOG_VARIABLE} and {STORAGE_VARIABLE}"
CATALOG_SECRET = "events_catalog"  # noqa: S105 (its name in DuckDB)
ADVICE = {
    "does not match existing data path": "name the storage that the catalog knows in "
    f"{STORAGE_VARIABLE}",
    "HTTP|S3|Forbidden|NoSuchBucket": "correct EVENTS_S3_*",
    **{
        problem: advice.replace(duckdb_file.USE_OTHER_FILE, USE_OTHER_LAKE)
        for problem, advice in duckdb_file.ADVICE.items()
    },
    # Of the catalog in Postgres:
    "authentication failed|no password|role .* does not exist": "correct the user and the password",
    "database .* does not exist": "create the database",
    "permission denied": "grant the user what it needs",
    "[Nn]o space left|[Dd]isk full": "make room on its disk",
    "[Cc]onnection|could not|timeout|closed the": "check that it runs and can be reached from here",
    "read-only transaction": "name the server that takes writes",
}
PREFACE = (
    r'^Failed to attach DuckLake MetaData "[^"]*" at path \+ "[^"]*"'
    '(Unable to connect to Postgres at "[^"]*": )?'
)
CONFLICT_PATTERN = (
    "[Cc]onflict|Failed to commit DuckLake transaction"
    # Of the catalog in Postgres:
    "|could not serialize|deadlock detected|lock timeout|duplicate key value|already exists"
    "|concurrently"
)


class DuckLake(Destination):
    """A DuckLake."""

    kind = "ducklake"
    noun = "lake"
    advice = ADVICE
    page = "docs/destinations.md"
    new_database_hint = USE_OTHER_LAKE

    @cached_property
    def url(self) -> PostgresUrl | None:
        """The URL of the catalog in Postgres; None if it is a file."""
        address = read_setting(CATALOG_VARIABLE, DEFAULT_CATALOG)
        return parse_postgres_url(CATALOG_VARIABLE, address) if "://" in address else None

    @cached_property
    def catalog_file(self) -> Path:
        """The catalog's file, if it is one."""
        return project_path(read_setting(CATALOG_VARIABLE, DEFAULT_CATALOG))

    @cached_property
    def storage(self) -> str:
        """The folder or the URL of the Parquet files."""
        address = os.environ.get(STORAGE_VARIABLE) or "data/lake"
        return address if "://" in address else str(project_path(address))

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """The errors of the catalog's driver."""
        if not (self.url and find_spec("psycopg2")):
            return ()
        import psycopg2

        return (psycopg2.Error,)

    @property
    def display_name(self) -> str:
        """The catalog and the storage."""
        return f"{self.url or self.catalog_file} with files in {self.storage}"

    @property
    def lock_file(self) -> Path | None:
        """A file beside the catalog's; None if the catalog is in Postgres."""
        return None if self.url else Path(f"{self.catalog_file}.lock")

    @property
    def files(self) -> list[Path]:
        """None: there are many."""
        return []

    def validate_names(self, schema: str) -> None:  # noqa: ARG002 (its alias is no schema's name)
        """Refuse an apostrophe in a path, which cannot be attached."""
        if "'" in f"{self.storage}{self.catalog_file}":
            raise WarehouseError(
                f"The path of the lake, {self.display_name}, has an apostrophe in it: "
                f"{self.new_database_hint}."
            )

    def validate_settings(self) -> None:
        """Check the storage and the extensions."""
        scheme, separator, _ = self.storage.partition("://")
        if separator and not s3.is_s3(self.storage):
            raise WarehouseError(
                f"{STORAGE_VARIABLE} must be a folder or begin with s3://, not with {scheme}://."
            )
        for name in self.extensions:
            _find_extension(name)

    @property
    def extensions(self) -> Sequence[str]:
        """The names of DuckDB's extensions for the lake, its catalog and its storage."""
        names = {"postgres_scanner": self.url, "httpfs": s3.is_s3(self.storage), "ducklake": True}
        return [name for name, needed in names.items() if needed]

    def spill_folder(self) -> AbstractContextManager[Path]:
        """Hold a folder of this process."""
        return temporary_folder()

    def open(self, folder: Path) -> Database:
        """Attach the lake to an in-memory database."""
        load = [f"load {quote_literal(str(_find_extension(name)))}" for name in self.extensions]
        config = DUCKDB_CONFIG | {
            "autoinstall_known_extensions": False,
            "temp_directory": str(folder / "spill"),
        }
        connection = duckdb.connect(":memory:", config=config)
        try:
            for statement in (*load, *self._attach_statements()):
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _attach_statements(self) -> list[str]:
        # Of commits that conflict with no change of the same table.
        statements = ["set ducklake_max_retry_count = 30"]
        options = f"data_path {quote_literal(self.storage)}"
        if self.url:
            statements.append(self.url.create_secret_sql(CATALOG_SECRET))
            options += f", meta_secret {quote_literal(CATALOG_SECRET)}"
            catalog = f"postgres:{self.url.option_string()}"
        else:
            self.catalog_file.parent.mkdir(parents=True, exist_ok=True)
            catalog = str(self.catalog_file)
        if s3.is_s3(self.storage):
            statements.append(s3.create_secret_sql(self.storage))
        statements.append(f"attach {quote_literal(f'ducklake:{catalog}')} as {CATALOG} ({options})")
        return [*statements, f"use {CATALOG}"]

    def error_reason(self, error: BaseException) -> str:
        """Return the first line of a message, without the password and DuckLake's preface."""
        redactor = SecretRedactor([(self.url and self.url.password) or ""])
        return redactor.redact_text(re.sub(PREFACE, "", super().error_reason(error)))

    def purge(self, database: Database, schema: str, tables: Sequence[str]) -> None:
        """Delete all old snapshots, write files again, and that of the catalog."""
        is_shared = self.url is not None
        Purge(database, CATALOG, is_shared, self.retry_on_conflict).run(schema, tables)
        database.close()
        if not is_shared:
            with closing(duckdb.connect(self.catalog_file, config=DUCKDB_CONFIG)) as catalog:
                duckdb_file.compact(catalog, self.catalog_file)

    def maintenance_statements(self) -> Sequence[str]:
        """Write the rows in the catalog, expire snapshots, merge files and delete orphaned ones."""
        keep = os.environ.get(KEEP_DAYS_VARIABLE) or "7"
        before = f"older_than => now() - interval {keep} day"
        return [
            f"call ducklake_flush_inlined_data('{CATALOG}')",
            f"call ducklake_expire_snapshots('{CATALOG}', {before})",
            f"call ducklake_rewrite_data_files('{CATALOG}')",
            f"call ducklake_merge_adjacent_files('{CATALOG}')",
            f"call ducklake_cleanup_old_files('{CATALOG}', {before})",
            # Until a load ends, its files are orphans, too.
            f"call ducklake_delete_orphaned_files('{CATALOG}', "
            f"older_than => now() - interval {max(1, int(keep))} day)",
        ]

    def is_conflict(self, error: BaseException) -> bool:
        """Return whether another writer caused the error."""
        return self.url is not None and any(
            isinstance(cause, (duckdb.Error, *self.driver_errors))
            and re.search(CONFLICT_PATTERN, str(cause))
            for cause in exception_chain(error)
        )

    def hold_lock(self, name: str, message: str) -> AbstractContextManager[None]:
        """Hold a lock in the catalog's database."""
        if self.url is None:
            return nullcontext()
        return hold_postgres_lock(self.url, f"event_assets {self.storage} {name}", message)


def _find_extension(name: str) -> Path:
    """Find the file of an extension in its Python package: nothing is downloaded at run time."""
    package = find_spec(f"duckdb_extension_{name}")
    for folder in (package and package.submodule_search_locations) or ():
        for file in Path(folder).glob(f"**/{name}.duckdb_extension"):
            return file
    raise WarehouseError(
        "EVENTS_DESTINATION=ducklake needs packages that are not installed: run `make setup-scale`."
    )
