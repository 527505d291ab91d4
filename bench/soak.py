"""Run many syncs of changing events in one `dagster dev`, to see whether anything grows.

`python -m bench.soak [SYNCS] [--chart FILE.svg]` prints memory, file sizes and counts after every
tenth sync, and their growth. Syncs are launched one after the other as from the UI, while the
schedule ticks each minute; `housekeeping` keeps the runs of the last 10 minutes instead of 30
days. A sync takes about 7 seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import vl_convert

from bench.dagster_dev import DagsterDev, copy_project, run_dagster_dev, wait_for
from bench.process_memory import PARTS, measure_memory
from event_assets.sandbox import KEY, EventSimulation, Sandbox
from event_assets.warehouse import Database

EVENTS = 2_000
SAMPLE_INTERVAL = 10  # syncs
RETENTION_DAYS = 10 / (24 * 60)  # 10 minutes
SIMULATED_INTERVAL = timedelta(hours=1)  # between two syncs
MB = 2**20
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
    parser.add_argument("--rows", type=Path, help="write the measurements as JSON lines")
    options = parser.parse_args()
    print(" ".join(f"{name:>9}" for name in COLUMNS), flush=True)
    rows = []
    for row in _run_syncs(options.syncs):
        rows.append(row)
        print(" ".join(f"{row[name]:9,.1f}" for name in COLUMNS), flush=True)
        if options.rows:
            with options.rows.open("a") as file:
                file.write(json.dumps(row) + "\n")
    if len(rows) > 1:
        print(_format_growth(rows))
    if options.chart:
        draw_chart(rows, options.chart)


def _run_syncs(syncs: int) -> Iterator[Row]:
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
            "EVENTS_KEEP_RUNS_DAYS": str(RETENTION_DAYS),
        }
        with run_dagster_dev(folder, settings) as dagster:
            done = 0
            while done < syncs:
                for _ in range(SAMPLE_INTERVAL):
                    if (status := dagster.run("sync_events")) != "SUCCESS":
                        raise SystemExit(f"a sync ended with {status}: {dagster.folder}")
                    now += SIMULATED_INTERVAL
                row = _take_sample(dagster)
                done = int(row["syncs"])
                yield row
                if dagster.run("housekeeping") != "SUCCESS":
                    raise SystemExit("housekeeping failed")


def _take_sample(dagster: DagsterDev) -> Row:
    sizes = {
        name: sum(_measure_size(dagster.folder / path) for path in paths) / MB
        for name, paths in SIZES.items()
    }
    return {
        **_count_tables(dagster),
        "runs": dagster.count_runs(),
        **measure_memory(dagster.pid),
        **sizes,
    }


def _count_tables(dagster: DagsterDev) -> Row:
    def count() -> Row:
        try:
            with duckdb.connect(dagster.folder / SIZES["DuckDB"][0], read_only=True) as database:
                return {name: _count_rows(database, table) for name, table in TABLES.items()}
        except duckdb.IOException:  # a scheduled sync holds the file
            return {}

    return wait_for(count)


def _count_rows(database: Database, table: str) -> float:
    (found,) = database.table(f"events.{table}").aggregate("count(*)").fetchall()
    return float(found[0])


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


def _format_growth(rows: Sequence[Row]) -> str:
    """Return the growth in 100 syncs, by a linear fit of the last two thirds."""
    late = rows[len(rows) // 3 :]
    slopes = {name: 100 * _fit_slope([(r["syncs"], r[name]) for r in late]) for name in COLUMNS[1:]}
    return "growth in 100 syncs: " + ", ".join(
        f"{name} {slope:+,.2f}" for name, slope in slopes.items()
    )


def _fit_slope(points: Sequence[tuple[float, float]]) -> float:
    table = pa.table({"x": [x for x, _ in points], "y": [y for _, y in points]})
    with duckdb.connect() as nowhere:
        ((slope,),) = nowhere.from_arrow(table).aggregate("regr_fit_slope(y, x)").fetchall()
    return float(slope or 0)


def draw_chart(rows: Sequence[Row], file: Path) -> None:
    """Draw the measurements over the number of syncs, as SVG."""
    panels = [
        _build_panel(rows, list(PARTS), "memory, MB"),
        _build_panel(rows, list(SIZES), "files, MB"),
        _build_panel(rows, ["runs"], "runs in Dagster's history"),
    ]
    apart = {"scale": {"color": "independent"}}
    chart = {"hconcat": panels, "resolve": apart, "background": "#ffffff"}
    file.write_text(vl_convert.vegalite_to_svg(chart, vl_version="5.20"), encoding="utf-8")


def _build_panel(rows: Sequence[Row], names: Sequence[str], title: str) -> dict[str, Any]:
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
