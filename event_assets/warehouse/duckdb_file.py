"""The DuckDB file: one process writes, or many read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from event_assets.values.errors import WarehouseError
from event_assets.warehouse.destination import (
    CONFIG,
    DUCKDB,
    Destination,
    advice_for,
    database_file,
    reason_of,
)

if TYPE_CHECKING:
    from dlt.common.destination import Destination as DltDestination

HELD = "lock on file"
ANOTHER = f"name another file in {DUCKDB}"
# What to do, by what DuckDB or the system says.
ADVICE = {
    HELD: "close what holds it",
    "No space left|[Qq]uota exceeded|File too large|No usable temporary": "make room on its disk "
    "and in the folder for temporary files (TMPDIR, else /tmp)",
    "Permission denied|not permitted|[Rr]ead-only": "let the user who syncs write there",
    "newer version": f"update DuckDB to the version that wrote it, or {ANOTHER}",
    "valid DuckDB|[Cc]orrupt|enough bytes|Input/output error": "put a backup in its place, as "
    f"docs/operations.md says, or {ANOTHER}",
    "Not a directory|Is a directory|File exists|name too long": ANOTHER,
}


class DuckDbFile(Destination):
    """A DuckDB file."""

    kind = "duckdb"

    @property
    def single_writer(self) -> bool:
        """DuckDB lets one process in, that writes."""
        return True

    @property
    def display_name(self) -> str:
        """Give its path."""
        return str(database_file())

    @property
    def new_database_hint(self) -> str:
        """Say how to begin with an empty one."""
        return f"move the file away, or name another one in {DUCKDB}"

    @property
    def name(self) -> str:
        """Give its stem, as DuckDB calls it."""
        return database_file().stem

    @property
    def files(self) -> list[Path]:
        """Give the file."""
        return [database_file()]

    def query(self, sql: str) -> str:
        """Give a line of Python that needs nothing but DuckDB."""
        return f"import duckdb; duckdb.connect('{database_file()}').sql('{sql}').show()"

    def check(self, schema: str) -> None:
        """See whether dlt and DuckDB can live with the names."""
        if "'" in str(database_file()):
            raise WarehouseError(
                f"The path of the database, {database_file()}, has an apostrophe in it, which dlt "
                f"cannot load from: name another one in {DUCKDB}."
            )
        if self.name == schema:
            raise WarehouseError(
                f"The database {self.display_name} is named like the schema {schema} in it, which "
                f"DuckDB finds ambiguous; give the database another name."
            )

    def open(self, folder: Path) -> duckdb.DuckDBPyConnection:  # noqa: ARG002 (beside the file)
        """Open the file."""
        database_file().parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(database_file(), config=CONFIG)

    def destination(
        self, connection: duckdb.DuckDBPyConnection, first: Sequence[str] = ()
    ) -> DltDestination[Any, Any]:
        """Build dlt's destination of the open file."""
        from event_assets.warehouse.dlt_clients.duckdb import Client, Destination

        return Destination(connection, self.name, Client.beginning(first))

    def describe(self, error: BaseException) -> str | None:
        """Say what is wrong with the file or its disk."""
        if not isinstance(error, (duckdb.Error, OSError)):
            return None
        advice = advice_for(error, ADVICE)
        if advice is None and not isinstance(error, duckdb.IOException):
            return None
        advice = advice or "see docs/operations.md"
        return f"The database {database_file()} cannot be used: {reason_of(error)}; {advice}."
