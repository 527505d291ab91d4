"""What checkpoints cost: first syncs with and without them, in turn, each in a process of its own.

`python -m bench.checkpoints [EVENTS] [PARTS] [TIMES]`: medians of wall-clock time, processor time
and peak memory, of syncs that are loaded at once, and in so many parts.
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
from bench.contenders import PAGE, PATH, rows_in

ASKED = ("seconds", "cpu", "peak_mb")
HEAD = ("", "seconds", "of the processor", "peak MB")


def main(events: int, parts: int, times: int) -> None:
    """Measure, and print the medians and their ratios."""
    from event_assets import sandbox

    rows = {"at once": 0, f"in {parts} parts": events // parts - 200}
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in rows}
    with sandbox.run_sandbox(events, frozen=True, timeout=600.0) as url:
        for _ in range(times):
            for name, checkpoint_rows in rows.items():
                taken[name].append(_measured(url, checkpoint_rows, events))
                print(name, taken[name][-1], file=sys.stderr, flush=True)
    print(f"{events:,} events, medians of {times}")
    print("{:>14} {:>10} {:>17} {:>9}".format(*HEAD))
    found = [[median(run[what] for run in taken[name]) for what in ASKED] for name in rows]
    for name, figures in zip(rows, found, strict=True):
        print("{:>14} {:10.2f} {:17.2f} {:9.0f}".format(name, *figures))
    ratios = [with_them / without for without, with_them in zip(*found, strict=True)]
    print("{:>14} {:10.2f} {:17.2f} {:9.2f}".format("ratio", *ratios))


def _measured(url: str, checkpoint_rows: int, events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="event_assets_bench_") as folder:
        command = [sys.executable, "-m", "bench.checkpoints", "child", url, str(checkpoint_rows)]
        done = subprocess.run(
            command,
            env={**os.environ, "EVENTS_DUCKDB": f"{folder}/bench.duckdb", "HOME": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures: dict[str, float] = json.loads(done.stdout)
        if figures["rows"] != events:
            raise SystemExit(f"{figures['rows']:,.0f} rows came, not {events:,}")
        return figures


def child(url: str, checkpoint_rows: int) -> None:
    """Sync once; print the figures as JSON."""
    from bench.contender import contract
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
    source = SourceConfig("events", api, contract(), checkpoint_rows=checkpoint_rows)
    began = time.perf_counter(), time.process_time()
    runner.run_sync(source.events, lambda _: None, lambda *_: None)
    figures = {
        "seconds": time.perf_counter() - began[0],
        "cpu": time.process_time() - began[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": rows_in(Path(os.environ["EVENTS_DUCKDB"]), TABLE),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], int(sys.argv[3]))
    else:
        given = [int(number) for number in sys.argv[1:]]
        main(*[*given, *(300_000, 10, 3)[len(given) :]])
