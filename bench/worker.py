"""Run one contender in this process: import, then time; print one line of JSON."""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, Prepared

# The unit of ru_maxrss: bytes on macOS, KiB elsewhere.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
MB = 1_000_000


def main() -> int:
    """Run a contender's syncs and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker")
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    sync = CONTENDERS[options.contender].prepare(options.url, options.folder)
    figures: dict[str, Any] = {"seconds": [], "cpu": [], "file_mb": [], "succeeded": True}
    for _ in range(options.times):
        started_at, used = time.perf_counter(), _measure_cpu()
        succeeded = sync.run()
        figures["seconds"].append(time.perf_counter() - started_at)
        figures["cpu"].append(_measure_cpu() - used)
        figures["succeeded"] &= succeeded
        figures["file_mb"].append(_measure_file_mb(sync))
    figures["peak_mb"] = _measure_peak_mb()
    print(json.dumps({**figures, "rows": sync.count_rows()}))
    return 0


def _measure_cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _measure_file_mb(sync: Prepared) -> float:
    if sync.database is None:
        return 0.0
    files = (sync.database, sync.database.with_name(sync.database.name + ".wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / MB


def _measure_peak_mb() -> float:
    """Return the peak memory of this process or one of its children."""
    scopes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(scope).ru_maxrss for scope in scopes) * RSS_UNIT / MB


if __name__ == "__main__":
    sys.exit(main())
