"""Memory of the processes of a `dagster dev`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

# The long-running processes, by parts of their command line.
PARTS = {
    "daemon": ("dagster._daemon", "daemon run"),
    "webserver": ("dagster_webserver", "dagster-webserver"),
    "code": ("api grpc",),
    "proxy": ("code-server start",),
}


def measure_memory(root: int) -> Mapping[str, float]:
    """Return the resident MB of each part, among the process `root` and its descendants."""
    resident = dict.fromkeys(PARTS, 0.0)
    for pid in _find_descendants(root):
        command = _read(pid, "cmdline").replace("\0", " ")
        for part, words in PARTS.items():
            if any(word in command for word in words):
                resident[part] += _read_resident_mb(pid)
                break
    return resident


def _find_descendants(root: int) -> Iterator[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (after_name := _read(entry.name, "stat").rpartition(")")[2]):
            parents[int(entry.name)] = int(after_name.split()[1])
    pending = [root]
    while pending:
        current = pending.pop()
        yield current
        pending += [pid for pid, parent in parents.items() if parent == current]


def _read_resident_mb(pid: int) -> float:
    lines = _read(pid, "status").splitlines()
    return float(next((line.split()[1] for line in lines if "VmRSS" in line), "0")) / 1024


def _read(pid: int | str, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # the process has ended
        return ""
