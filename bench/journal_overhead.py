"""Measure the overhead of the journal: first syncs with and without it, each in a new process.

`python -m bench.journal_overhead [EVENTS] [TIMES]` prints medians of wall-clock time, CPU time and
peak memory of first syncs that record the responses and that do not.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.contender import TABLE
from bench.contenders import PAGE, PATH, count_rows

METRICS = ("seconds", "cpu", "peak_mb")
HEAD = ("", "seconds", "CPU seconds", "peak MB")


def main(events: int, times: int) -> None:
    """Measure and print the medians and their ratios."""
    from event_assets import sandbox
    from event_assets.config.source import DEFAULT_RESUME_HOURS

    hours = {"not recorded": 0.0, "recorded": DEFAULT_RESUME_HOURS}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in hours}
    with sandbox.run_sandbox(events, frozen=True, timeout=600.0) as url:
        for _ in range(times):
            for name, resume_hours in hours.items():
                runs[name].append(_measure(url, resume_hours, events))
                print(name, runs[name][-1], file=sys.stderr, flush=True)
    print(f"{events:,} events, medians of {times}")
    print("{:>14} {:>10} {:>17} {:>9}".format(*HEAD))
    medians = [[median(run[metric] for run in runs[name]) for metric in METRICS] for name in hours]
    for name, figures in zip(hours, medians, strict=True):
        print("{:>14} {:10.2f} {:17.2f} {:9.0f}".format(name, *figures))
    ratios = [recorded / without for without, recorded in zip(*medians, strict=True)]
    print("{:>14} {:10.2f} {:17.2f} {:9.2f}".format("ratio", *ratios))


def _measure(url: str, resume_hours: float, events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="event_assets_bench_") as folder:
        command = [sys.executable, "-m", "bench.journal_overhead", "child", url, str(resume_hours)]
        completed = subprocess.run(
            command,
            env={**os.environ, "EVENTS_DUCKDB": f"{folder}/bench.duckdb", "HOME": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures: dict[str, float] = json.loads(completed.stdout)
        if figures["rows"] != events:
            raise SystemExit(f"loaded {figures['rows']:,.0f} rows instead of {events:,}")
        return figures


def sync_once(url: str, resume_hours: float) -> None:
    """Sync once and print the figures as JSON."""
    from bench.contender import build_contract
    from event_assets.config.source import SourceConfig
    from event_assets.sandbox import KEY
    from event_assets.sync import runner

    os.environ["API_KEY"] = KEY
    api = {
        "client": {
            "base_url": url,
            "auth": {"type": "api_key", "name": "api_key", "location": "query"},
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": "event_data",
                "endpoint": {
                    "path": PATH,
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": PAGE},
                },
            }
        ],
    }
    source = SourceConfig(
        name="events", rest_api=api, fields=build_contract(), resume_hours=resume_hours
    )
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    runner.run_sync(source.events, lambda _: None, lambda *_: None)
    figures = {
        "seconds": time.perf_counter() - wall_start,
        "cpu": time.process_time() - cpu_start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": count_rows(Path(os.environ["EVENTS_DUCKDB"]), TABLE),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        sync_once(sys.argv[2], float(sys.argv[3]))
    else:
        arguments = [int(number) for number in sys.argv[1:]]
        main(*[*arguments, *(100_000, 5)[len(arguments) :]])
