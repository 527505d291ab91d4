"""Many syncs of a world that lives, one after another: does anything grow with them?

`python -m bench.long_run [SYNCS]`: a table of what there is after each tenth of them, of which the
oldest runs are deleted as `housekeeping` does. It takes some two seconds a sync.
"""

import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import duckdb

EVENTS = 2_000
KEPT = 20  # runs in Dagster's history
DAY = timedelta(days=1)


def main(syncs: int) -> None:
    """Sync so often, a day of the world's time apart, and print what grows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dagster").mkdir()
        os.environ.update(
            EVENTS_DUCKDB=str(folder / "data/warehouse.duckdb"),
            DAGSTER_HOME=str(folder / "dagster"),
        )
        print(f"{'syncs':>6} {'rows':>8} {'DuckDB':>9} {'dlt':>9} {'Dagster':>9} {'memory':>9}")
        for number in _synced(syncs):
            if number % max(syncs // 10, 1) == 0:
                print(_line(number, folder), flush=True)


def _synced(syncs: int) -> Iterator[int]:
    import dagster as dg

    from event_assets.definitions import defs
    from event_assets.housekeeping import clean
    from event_assets.sandbox import KEY, Sandbox, World

    now = datetime.now(timezone.utc)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with Sandbox(World(EVENTS), clock=lambda: now) as api, dg.DagsterInstance.get() as instance:
        os.environ.update(EVENTS_API_URL=api.url, API_KEY=KEY)
        job = defs().resolve_job_def("sync_events")
        for number in range(1, syncs + 1):
            with redirect_stdout(StringIO()):  # the summary of each
                done = job.execute_in_process(instance=instance, run_config=quiet)
            if not done.success:
                raise SystemExit(f"sync {number} failed")
            now += DAY / 24
            records = instance.get_run_records(limit=KEPT + 1)
            if len(records) > KEPT:
                clean(instance, records[KEPT - 1].create_timestamp)
            yield number


def _line(number: int, folder: Path) -> str:
    file = folder / "data/warehouse.duckdb"
    with duckdb.connect(file) as database:
        rows = database.table("events.event_data").aggregate("count(*)").fetchone()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = [file.stat().st_size, _size(folder / "data/dlt"), _size(folder / "dagster")]
    shown = " ".join(f"{size / 2**20:6.1f} MB" for size in [*sizes, peak * 2**20])
    return f"{number:6,} {rows[0] if rows else 0:8,} {shown}"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
