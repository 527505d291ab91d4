"""Run one contender in this process: import, then time; print one line of JSON.

The arguments are the contender, the URL of the API, a folder, and the number of syncs. Times and
sizes are those of the last sync, and `first_file_mb` that of the first.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from bench.contenders import CONTENDERS, Prepared

# The unit of ru_maxrss: bytes on macOS, KiB elsewhere.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
MB = 1_000_000


def main(contender: str, url: str, folder: str, times: str) -> None:
    """Run a contender's syncs and print the numbers."""
    sync = CONTENDERS[contender].prepare(url, Path(folder))
    syncs = [_run_once(sync) for _ in range(int(times))]
    numbers = {
        **syncs[-1],
        "first_file_mb": syncs[0]["file_mb"],
        "succeeded": all(each["succeeded"] for each in syncs),
        "peak_mb": _measure_peak_mb(),
        "rows": sync.count_rows(),
    }
    print(json.dumps(numbers))


def _run_once(sync: Prepared) -> dict[str, float]:
    started_at, used = time.perf_counter(), _measure_cpu()
    succeeded = sync.run()
    return {
        "seconds": time.perf_counter() - started_at,
        "cpu": _measure_cpu() - used,
        "file_mb": _measure_file_mb(sync),
        "succeeded": succeeded,
    }


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
    main(*sys.argv[1:])
