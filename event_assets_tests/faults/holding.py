"""A process that holds a DuckDB file open."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = """
import duckdb, sys
held = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("held", flush=True)
input()
"""


@contextmanager
def holding(database: Path, how: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Hold a database file open, to "read" or to "write" it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        yield holder
        assert holder.stdin
        holder.stdin.close()
