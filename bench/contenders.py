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
    "project": Contender("this project, in process", "bench.project:prepare_in_process"),
    "command": Contender(
        "this project, `dagster asset materialize`", "bench.project:prepare_command"
    ),
    "validate": Contender(
        "this project, `dagster definitions validate`", "bench.project:prepare_validate"
    ),
    "bare": Contender(
        "one bare asset, `dagster asset materialize`", "bench.bare_dagster:prepare_command"
    ),
    "bare validate": Contender(
        "one bare asset, `dagster definitions validate`", "bench.bare_dagster:prepare_validate"
    ),
    "floor": Contender("the floor, in process", "bench.floor:prepare"),
    "by hand": Contender("by hand, in process", "bench.baseline_raw:prepare"),
    "dlt": Contender("plain dlt, in process", "bench.baseline_dlt:prepare_default"),
    "dlt parquet": Contender(
        "plain dlt with Parquet, in process", "bench.baseline_dlt:prepare_parquet"
    ),
    "duckdb": Contender("DuckDB SQL alone", "bench.peers:DUCKDB.prepare"),
    "duckle": Contender("duckle", "bench.peers:DUCKLE.prepare"),
    "singer": Contender("Singer", "bench.peers:SINGER.prepare"),
    "airbyte": Contender("PyAirbyte", "bench.peers:AIRBYTE.prepare"),
    "sling": Contender("sling", "bench.peers:SLING.prepare"),
    "typing": Contender("typing the records only", "bench.stages:prepare_typing"),
    "none changed": Contender("event_changes, nothing changed", "bench.stages:prepare_no_changes"),
    "some changed": Contender("event_changes, 1 % changed", "bench.stages:prepare_some_changes"),
    "all changed": Contender(
        "event_changes, every event changed", "bench.stages:prepare_all_changes"
    ),
}


def count_rows(database: Path, table: str) -> int:
    """Return the number of rows of a table; 0 when the file or table does not exist."""
    import duckdb

    if not database.exists():
        return 0
    with duckdb.connect(database, read_only=True) as connection:
        try:
            ((counted,),) = connection.sql(f"select count(*) from {table}").fetchall()
        except duckdb.CatalogException:
            return 0
    return int(counted)
