"""Remember the pages of a sync: the next one neither types nor writes the records of the same.

A file beside the database has their digests, and one of the rows that they became: it holds while
the table has these very rows, and while the same record would become the same row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from dlt import Pipeline

from event_assets import records, values
from event_assets.config.database_file import is_lake
from event_assets.extract.known_pages import DIGEST_SIZE, KnownPages, can_recognize
from event_assets.records.arrow_builder import ArrowTableBuilder
from event_assets.sync.plan import SyncPlan
from event_assets.sync.schema_changes import load_source_paths
from event_assets.values.errors import ConcurrentSchemaChangeError
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import catalog_columns, count_rows
from event_assets.warehouse.merge import MAX_ROWS, OF_SYNC
from event_assets.warehouse.pipeline import journal_file
from event_assets.warehouse.sql import quote_identifier, quote_name
from event_assets.warehouse.tables import LOAD_ID

ROWS = "from {table} select sum({hash}), bit_xor({hash})"
MARK = "update {} set last_seen_at = '{}', _dlt_load_id = '{}' where id in (from known_now)"


class KnownRows:
    """The rows of a table that a sync receives again as they are, on known pages."""

    def __init__(self, database: Database, plan: SyncPlan, pipeline: Pipeline) -> None:
        """Read what is known, if the table has the rows of which it is."""
        self.pages: KnownPages | None = None  # None: they are not to be remembered
        self.ids: list[Any] = []
        self._plan, journal = plan, journal_file(pipeline.pipeline_name)
        self._file = journal.with_suffix(".pages")
        self._table = quote_name(plan.resource.source.name, plan.resource.name)
        self._loaded: set[bytes | None] = set()  # digests of pages whose records are all loaded
        if can_recognize(plan.resource) and not is_lake():
            found = self._file.read_bytes() if self._file.is_file() else b""
            parts = [found[at : at + DIGEST_SIZE] for at in range(0, len(found), DIGEST_SIZE)]
            self._state, *known = parts or [b""]
            is_valid = self._state and self._state == self._describe(database)
            self.pages = KnownPages(plan.resource, frozenset(known if is_valid else ()))

    def take(self, rows: Sequence[Any]) -> bool:
        """Note the rows that a page delivers; return whether the table has them already."""
        pages = self.pages
        if pages and pages.are_loaded(rows) and len(self._loaded) < MAX_ROWS:
            self._loaded.add(pages.digest)
        if pages and pages.is_known:
            self.ids += pages.read_ids(rows)
        return bool(pages and pages.is_known)

    def begin_again(self) -> None:
        """Forget what is known, and have the sync begin again without it."""
        self._file.unlink(missing_ok=True)
        raise ConcurrentSchemaChangeError(f"{self._plan.resource.name} was changed meanwhile.")

    def check(self, database: Database) -> None:
        """Raise ConcurrentSchemaChangeError if the table was changed since the sync began."""
        if self.ids and self._state != self._describe(database):
            self.begin_again()

    def mark(self, database: Database, builder: ArrowTableBuilder, at: object, load: str) -> None:
        """Write a load and its time into the rows; tell `builder` which columns have values."""
        if not self.ids:
            return
        database.register("known_now", pa.table({"id": pa.array(self.ids, pa.string())}))
        database.execute(MARK.format(self._table, at, load))
        ignored = {*self._plan.user_columns, *OF_SYNC, *builder.observed_types}
        if types := {n: t for n, t in self._plan.column_types.items() if n not in ignored}:
            counts = ", ".join(f"count({quote_identifier(name)})" for name in types)
            query = f"from {self._table} select {counts} where id in (from known_now)"
            (found,) = database.execute(query).fetchall()
            filled = zip(types.items(), found, strict=True)
            builder.observed_types.update(column for column, count in filled if count)

    def remember(self, database: Database) -> None:
        """Remember the pages of the newest sync, in which each record became a row of its own."""
        if self.pages and (state := self._describe(database)):
            with suppress(OSError):  # the next sync will take longer
                self._file.write_bytes(b"".join(filter(None, (state, *self._loaded))))

    def _describe(self, database: Database) -> bytes | None:
        """Return a digest of the table's rows, and of what decides how they are made."""
        resource, source = self._plan.resource, self._plan.resource.source
        columns = catalog_columns(database, source.name, resource.name)
        paths = load_source_paths(database, resource)
        count = count_rows(database, source.name, resource.name)
        if LOAD_ID not in columns or None in paths.values() or count > MAX_ROWS:
            return None
        hashed = ", ".join(map(quote_identifier, sorted(columns.keys() - {*OF_SYNC})))
        query = ROWS.format(table=self._table, hash=f"hash({hashed})")
        sums = database.execute(query).fetchall()
        code = (path for of in (records, values) for path in Path(of.__path__[0]).glob("*.py"))
        versions = duckdb.__version__, pa.__version__, sorted(p.stat().st_mtime_ns for p in code)
        config = source.config_hash, source.events_url, resource.id_paths
        state = versions, config, sorted(columns.items()), sorted(paths.items()), count, sums
        return hashlib.sha256(repr(state).encode(errors="replace")).digest()[:DIGEST_SIZE]
