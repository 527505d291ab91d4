"""Run many syncs of changing events in one `dagster dev`, to see whether anything grows.

`python -m bench.soak [SYNCS] [--chart FILE.svg]` prints memory, file sizes and counts after every
tenth sync, and their growth. Syncs are launched one after the other as from the UI, while the
schedule ticks each minute; `housekeeping` keeps the runs of the last 10 minutes instead of 30
days. A sync takes about 7 seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import linear_regression

import duckdb

from bench.line_chart import Panel, draw_chart
from bench.parts import print_progress
from bench.process_memory import PARTS, measure_memory
from bench.results import Run
from event_assets.sandbox import KEY, EventSimulation, Sandbox
from event_assets_tests.support.dagster_dev import Dagster, copied, dagster_dev, sync_at
from event_assets_tests.support.polling import until

PART, STEP = "history", "dev"
HISTORY_SYNCS = 40
EVENTS = 2_000
SAMPLE_INTERVAL = 10  # syncs
RETENTION_DAYS = 10 / (24 * 60)  # 10 minutes
SIMULATED_INTERVAL = timedelta(hours=1)  # between two syncs
MB = 1_000_000
SIZES = {  # files in the project's folder
    "DuckDB": ("data/warehouse.duckdb", "data/warehouse.duckdb.wal"),
    "dlt": ("data/dlt",),
    "Dagster": ("history", "schedules", "storage", "logs", ".logs_queue"),
    "temporary": ("tmp",),
}
TABLES = {"syncs": "event_data_syncs", "rows": "event_data", "changes": "event_changes"}
COLUMNS = ("syncs", "rows", "changes", "runs", *PARTS, *SIZES)

Row = Mapping[str, float]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("syncs", type=int, nargs="?", default=300)
    parser.add_argument("--chart", type=Path, help="write a chart as SVG")
    options = parser.parse_args()
    print(" ".join(f"{name:>9}" for name in COLUMNS), flush=True)
    rows = []
    for row in _run_syncs(options.syncs):
        rows.append(row)
        print(" ".join(f"{row[name]:9,.1f}" for name in COLUMNS), flush=True)
    if len(rows) > 1:
        slopes = (f"{name} {100 * _fit_slope(rows, name):+,.2f}" for name in COLUMNS[1:])
        print(f"growth in 100 syncs: {', '.join(slopes)}")
    if options.chart:
        options.chart.write_text(_draw(rows), "utf-8")


def measure_history() -> Iterator[Run]:
    """Yield the size of DAGSTER_HOME after 300 syncs, by its growth in fewer."""
    print_progress(f"{PART}: {HISTORY_SYNCS} syncs in `dagster dev`")
    rows = list(_run_syncs(HISTORY_SYNCS))
    left = 300 - rows[-1]["syncs"]
    home_mb = rows[-1]["Dagster"] + left * _fit_slope(rows, "Dagster")
    yield Run(PART, STEP, "syncs in `dagster dev`", EVENTS, {"home_mb": home_mb})


def _run_syncs(syncs: int) -> Iterator[Row]:
    now = datetime.now(UTC)
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(EventSimulation(EVENTS), clock=lambda: now) as api,
    ):
        folder = copied(Path(name))
        sync_at(folder, "* * * * *")
        settings = {
            "EVENTS_API_URL": api.url,
            "API_KEY": KEY,
            "EVENTS_KEEP_RUNS_DAYS": str(RETENTION_DAYS),
        }
        with dagster_dev(folder, settings) as dagster:
            done = 0
            while done < syncs:
                for _ in range(SAMPLE_INTERVAL):
                    _run_job(dagster, "sync_events")
                    now += SIMULATED_INTERVAL
                row = _take_sample(dagster)
                done = int(row["syncs"])
                yield row
                _run_job(dagster, "housekeeping")


def _run_job(dagster: Dagster, job: str) -> None:
    if (status := dagster.run(job)) != "SUCCESS":
        raise SystemExit(f"{job} ended with {status}: {dagster.folder}")


def _take_sample(dagster: Dagster) -> Row:
    sizes = {
        name: sum(_measure_size(dagster.folder / path) for path in paths) / MB
        for name, paths in SIZES.items()
    }
    return {
        **_count_tables(dagster),
        "runs": len(dagster.runs()),
        **measure_memory(dagster.pid),
        **sizes,
    }


def _count_tables(dagster: Dagster) -> Row:
    def count() -> Row:
        try:
            with duckdb.connect(dagster.folder / SIZES["DuckDB"][0], read_only=True) as database:
                counts = "".join(
                    f"(from events.{table} select count(*))," for table in TABLES.values()
                )
                (row,) = database.sql(f"select {counts}").fetchall()
                return dict(zip(TABLES, row, strict=True))
        except duckdb.IOException:  # a scheduled sync holds the file
            return {}

    return until(count)


def _measure_size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # deleted in the meantime
            continue
    return total


def _fit_slope(rows: Sequence[Row], name: str) -> float:
    """Return the growth of a column in one sync, by a linear fit of the last two thirds."""
    late = rows[len(rows) // 3 :]
    return linear_regression([row["syncs"] for row in late], [row[name] for row in late]).slope


def _draw(rows: Sequence[Row]) -> str:
    """Return a chart of the rows over the number of syncs."""
    ticks = {row["syncs"]: f"{row['syncs']:,.0f}" for row in (rows[0], rows[-1])}

    def panel(title: str, names: Sequence[str]) -> Panel:
        lines = {name: [(row["syncs"], row[name]) for row in rows] for name in names}
        return Panel(title, lines, ticks)

    return draw_chart(
        [
            panel("memory, MB", list(PARTS)),
            panel("files, MB", list(SIZES)),
            panel("runs in Dagster's history", ["runs"]),
        ]
    )


if __name__ == "__main__":
    main()
