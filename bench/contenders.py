"""Who is measured: a table of contenders, and what each of them prepares in its own process."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

PATH = "/v1/events"
PAGE = 100  # events asked for at once
COLUMNS: dict[
    str, dict[str, object]
] = {  # the typed columns of the default source's contract, as dlt says them
    "id": {"data_type": "text", "nullable": False},
    "name": {"data_type": "text"},
    "start_time": {"data_type": "timestamp"},
    "end_time": {"data_type": "timestamp"},
}


@dataclass(frozen=True)
class Prepared:
    """A sync whose imports are done.

    Attributes:
        run: what is timed; tells whether the sync itself says that it succeeded.
        rows: how many events arrived, asked when the clock has stopped.
        database: the DuckDB file that is written, if one is.
    """

    run: Callable[[], bool]
    rows: Callable[[], int]
    database: Path | None = None


Prepare = Callable[[str, Path], Prepared]


@dataclass(frozen=True)
class Contender:
    """One way to sync, and where the function is that prepares it from a URL and a folder."""

    label: str
    place: str

    def prepare(self, url: str, folder: Path) -> Prepared:
        """Import what the contender needs, and give its sync of the API at `url`."""
        return cast("Prepare", pkgutil.resolve_name(self.place))(url, folder)


CONTENDERS = {
    "a": Contender("(a) limit: bare fetch, DuckDB's JSON and merge", "bench.limit:prepare"),
    "b1": Contender("(b1) this project: sync in process", "bench.ours:in_process"),
    "b2": Contender("(b2) this project: `dagster asset materialize`", "bench.ours:command"),
    "c": Contender("(c) plain dlt", "bench.plain:by_default"),
    "d": Contender("(d) plain dlt with Parquet", "bench.plain:with_parquet"),
    "r": Contender("(r) typing the records, by itself", "bench.parts:typing_of_records"),
    "e0": Contender("(e) event_changes, nothing changed", "bench.parts:changes_of_none"),
    "e1": Contender("(e) event_changes, 1 % changed", "bench.parts:changes_of_some"),
    "s": Contender("(s) bare requests, one after another", "bench.plain:one_by_one"),
}


def rows_in(database: Path, table: str) -> int:
    """Count the rows of a table; 0 when there is no such file or table."""
    import duckdb

    if not database.exists():
        return 0
    with duckdb.connect(database, read_only=True) as connection:
        try:
            counted = connection.execute(f"select count(*) from {table}").fetchone()
        except duckdb.CatalogException:
            return 0
    return int(counted[0]) if counted else 0
