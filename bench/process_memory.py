"""What the processes of a `dagster dev` take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

# What tells each part that stays by its command line.
PARTS = {
    "daemon": ("dagster._daemon", "daemon run"),
    "webserver": ("dagster_webserver", "dagster-webserver"),
    "code": ("api grpc",),
    "proxy": ("code-server start",),
}


def memory(root: int) -> Mapping[str, float]:
    """Give the MB that each part holds, of the process `root` and all that it started."""
    held = dict.fromkeys(PARTS, 0.0)
    for pid in _descendants(root):
        command = _read(pid, "cmdline").replace("\0", " ")
        for part, words in PARTS.items():
            if any(word in command for word in words):
                held[part] += _resident(pid)
                break
    return held


def _descendants(root: int) -> Iterator[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (after_name := _read(entry.name, "stat").rpartition(")")[2]):
            parents[int(entry.name)] = int(after_name.split()[1])
    todo = [root]
    while todo:
        parent = todo.pop()
        yield parent
        todo += [pid for pid, of in parents.items() if of == parent]


def _resident(pid: int) -> float:
    lines = _read(pid, "status").splitlines()
    return float(next((line.split()[1] for line in lines if "VmRSS" in line), "0")) / 1024


def _read(pid: int | str, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:  # it has ended
        return ""
