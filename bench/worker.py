"""One contender in a process of its own: imports first, then the clock; one line of JSON."""

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, Prepared

# What ru_maxrss counts in: bytes on macOS, KiB elsewhere.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
MB = 1_000_000


def main() -> int:
    """Sync so many times with one contender and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.child")
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    sync = CONTENDERS[options.contender].prepare(options.url, options.folder)
    figures: dict[str, Any] = {"seconds": [], "file_mb": [], "succeeded": True}
    for _ in range(options.times):
        began = time.perf_counter()
        succeeded = sync.run()
        figures["seconds"].append(time.perf_counter() - began)
        figures["succeeded"] &= succeeded
        figures["file_mb"].append(_file_mb(sync))
    figures["peak_mb"] = _peak_mb()
    print(json.dumps({**figures, "rows": sync.rows()}))
    return 0


def _file_mb(sync: Prepared) -> float:
    if sync.database is None:
        return 0.0
    files = (sync.database, sync.database.with_name(sync.database.name + ".wal"))
    return sum(file.stat().st_size for file in files if file.exists()) / MB


def _peak_mb() -> float:
    """Give the most memory that this process, or one it started, ever held."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(who).ru_maxrss for who in whose) * RSS_UNIT / MB


if __name__ == "__main__":
    sys.exit(main())
