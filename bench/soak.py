"""Many syncs of a world that lives, in one `dagster dev`: does anything grow with them?

`python -m bench.soak [SYNCS] [--chart FILE.svg]`: a table of what there is after every tenth
sync, and by how much it grows. Syncs are started as by the button in the UI, one after the other,
and the schedule ticks each minute beside them. Of the runs the last 10 minutes are kept, as the job
`housekeeping` keeps the last 30 days. A sync takes some 7 seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.dagster_dev import DagsterDev, copy_project, run_dagster_dev, wait_for
from bench.process_memory import PARTS, memory
from event_assets.orchestration import charts
from event_assets.sandbox import KEY, EventSimulation, Sandbox

EVENTS = 2_000
EVERY = 10  # syncs
KEPT = 10 / (24 * 60)  # days that a run is kept: 10 minutes
HOUR = timedelta(hours=1)  # of the world's time, for each sync
MB = 2**20
SIZES = {  # by name: files in the project's folder
    "DuckDB": ("data/warehouse.duckdb", "data/warehouse.duckdb.wal"),
    "dlt": ("data/dlt",),
    "Dagster": ("history", "schedules", "storage", "logs", ".logs_queue"),
    "temporary": ("tmp",),
}
TABLES = {"syncs": "event_data_syncs", "rows": "event_data", "changes": "event_changes"}
SHOWN = ("syncs", "rows", "changes", "runs", *PARTS, *SIZES)

Row = Mapping[str, float]


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("syncs", type=int, nargs="?", default=300)
    parser.add_argument("--chart", type=Path, help="a picture of it, as SVG")
    parser.add_argument("--rows", type=Path, help="what was measured, as JSON lines")
    options = parser.parse_args()
    print(" ".join(f"{name:>9}" for name in SHOWN), flush=True)
    rows = []
    for row in _measured(options.syncs):
        rows.append(row)
        print(" ".join(f"{row[name]:9,.1f}" for name in SHOWN), flush=True)
        if options.rows:
            with options.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    if len(rows) > 1:
        print(_growth(rows))
    if options.chart:
        draw(rows, options.chart)


def _measured(syncs: int) -> Iterator[Row]:
    now = datetime.now(timezone.utc)
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(EventSimulation(EVENTS), clock=lambda: now) as api,
    ):
        folder = Path(name)
        copy_project(folder, cron="* * * * *")
        settings = {
            "EVENTS_API_URL": api.url,
            "API_KEY": KEY,
            "EVENTS_KEEP_RUNS_DAYS": str(KEPT),
        }
        with run_dagster_dev(folder, settings) as dagster:
            done = 0
            while done < syncs:
                for _ in range(EVERY):
                    if (status := dagster.run("sync_events")) != "SUCCESS":
                        raise SystemExit(f"a sync ended with {status}: {dagster.folder}")
                    now += HOUR
                row = _now(dagster)
                done = int(row["syncs"])
                yield row
                if dagster.run("housekeeping") != "SUCCESS":
                    raise SystemExit("housekeeping failed")


def _now(dagster: DagsterDev) -> Row:
    sizes = {
        name: sum(_size(dagster.folder / place) for place in places) / MB
        for name, places in SIZES.items()
    }
    return {**_counts(dagster), "runs": dagster.count_runs(), **memory(dagster.pid), **sizes}


def _counts(dagster: DagsterDev) -> Row:
    def counted() -> Row:
        try:
            with duckdb.connect(dagster.folder / SIZES["DuckDB"][0], read_only=True) as database:
                return {name: _count(database, table) for name, table in TABLES.items()}
        except duckdb.IOException:  # a sync that the schedule started has it
            return {}

    return wait_for(counted)


def _count(database: duckdb.DuckDBPyConnection, table: str) -> float:
    (found,) = database.table(f"events.{table}").aggregate("count(*)").fetchall()
    return float(found[0])


def _size(place: Path) -> int:
    if place.is_file():
        return place.stat().st_size
    total = 0
    for file in place.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:  # gone meanwhile
            continue
    return total


def _growth(rows: Sequence[Row]) -> str:
    """Fit a line through the last two thirds: MB (or rows) in 100 syncs."""
    late = rows[len(rows) // 3 :]
    slopes = {name: 100 * _slope([(r["syncs"], r[name]) for r in late]) for name in SHOWN[1:]}
    return "in 100 syncs: " + ", ".join(f"{name} {slope:+,.2f}" for name, slope in slopes.items())


def _slope(points: Sequence[tuple[float, float]]) -> float:
    table = pa.table({"x": [x for x, _ in points], "y": [y for _, y in points]})
    with duckdb.connect() as nowhere:
        ((slope,),) = nowhere.from_arrow(table).aggregate("regr_slope(y, x)").fetchall()
    return float(slope or 0)


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draw what there was after so many syncs, as SVG."""
    panels = [
        _panel(rows, list(PARTS), "memory, MB"),
        _panel(rows, list(SIZES), "files, MB"),
        _panel(rows, ["runs"], "runs in Dagster's history"),
    ]
    apart = {"scale": {"color": "independent"}}
    charts.save({"hconcat": panels, "resolve": apart, "config": charts.CONFIG}, file)


def _panel(rows: Sequence[Row], names: Sequence[str], title: str) -> charts.Spec:
    points = [
        {"syncs": row["syncs"], "value": round(row[name], 1), "of": name}
        for row in rows
        for name in names
    ]
    legend = {"orient": "bottom", "columns": 2} if len(names) > 1 else None
    return {
        "title": title,
        "data": {"values": points},
        "mark": "line",
        "encoding": {
            "x": {"field": "syncs", "type": "quantitative"},
            "y": {"field": "value", "type": "quantitative", "title": None},
            "color": {"field": "of", "type": "nominal", "title": None, "sort": list(names),
                      "scale": {"scheme": "tableau10"}, "legend": legend},
        },
        "width": 200,
        "height": 140,
    }  # fmt: skip


if __name__ == "__main__":
    main()
