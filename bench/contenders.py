"""The contenders: each prepares a sync in its own process."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

PATH = "/v1/events"
PAGE = 100  # events per request
NO_ROWS = -1  # counted where a contender loads none
# The typed columns of the default source's contract, as dlt column hints.
COLUMNS: dict[str, dict[str, object]] = {
    "id": {"data_type": "text", "nullable": False},
    "name": {"data_type": "text"},
    "start_time": {"data_type": "timestamp"},
    "end_time": {"data_type": "timestamp"},
}


@dataclass(frozen=True)
class Prepared:
    """A sync with its imports done.

    Attributes:
        run: the timed function; returns whether the sync reports success.
        count_rows: counts the loaded events, after the clock has stopped.
        database: the DuckDB file, if one is written.
    """

    run: Callable[[], bool]
    count_rows: Callable[[], int]
    database: Path | None = None


Prepare = Callable[[str, Path], Prepared]


@dataclass(frozen=True)
class Contender:
    """One way to sync, with the function that prepares it from a URL and a folder."""

    label: str
    function: str  # MODULE:NAME

    def prepare(self, url: str, folder: Path) -> Prepared:
        """Import the contender and return its sync of the API at `url`."""
        return cast("Prepare", pkgutil.resolve_name(self.function))(url, folder)


CONTENDERS = {
    "a": Contender("(a) raw baseline: fetch, DuckDB JSON, merge", "bench.baseline_raw:prepare"),
    "b1": Contender("(b1) this project: sync in process", "bench.contender:prepare_in_process"),
    "b2": Contender(
        "(b2) this project: `dagster asset materialize`", "bench.contender:prepare_command"
    ),
    "c": Contender("(c) plain dlt", "bench.baseline_dlt:prepare_default"),
    "d": Contender("(d) plain dlt with Parquet", "bench.baseline_dlt:prepare_parquet"),
    "r": Contender("(r) typing the records only", "bench.stages:prepare_typing"),
    "h": Contender("(h) DuckDB SQL alone, whole process", "bench.peers:prepare_duckdb"),
    "k": Contender("(k) duckle, whole process", "bench.peers:prepare_duckle"),
    "v": Contender(
        "(v) this project: `dagster definitions validate`", "bench.contender:prepare_validate"
    ),
    "x": Contender(
        "(x) one bare asset: `dagster asset materialize`", "bench.bare_dagster:prepare_command"
    ),
    "xv": Contender(
        "(x) one bare asset: `dagster definitions validate`", "bench.bare_dagster:prepare_validate"
    ),
    "e0": Contender("(e) event_changes, nothing changed", "bench.stages:prepare_no_changes"),
    "e1": Contender("(e) event_changes, 1 % changed", "bench.stages:prepare_some_changes"),
    "e2": Contender("(e) event_changes, every event changed", "bench.stages:prepare_all_changes"),
    "s": Contender("(s) sequential requests", "bench.baseline_dlt:prepare_sequential"),
}


def count_rows(database: Path, table: str) -> int:
    """Return the number of rows of a table; 0 when the file or table does not exist."""
    import duckdb

    if not database.exists():
        return 0
    with duckdb.connect(database, read_only=True) as connection:
        try:
            counted = connection.execute(f"select count(*) from {table}").fetchone()
        except duckdb.CatalogException:
            return 0
    return int(counted[0]) if counted else 0
