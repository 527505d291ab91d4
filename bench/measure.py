"""Run a contender in a fresh process and take its figures."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 3600.0  # seconds that one process may take
KEPT = ("PATH", "LANG", "LC_ALL")  # of the environment; no proxies, settings or keys


class ContenderError(Exception):
    """A contender did not sync what it should. The message says what happened, in one line."""


@dataclass(frozen=True)
class Figures:
    """What one process of a contender did.

    Attributes:
        seconds: of each sync.
        file_mb: the size of the DuckDB file after each sync, in 10^6 bytes.
        peak_mb: the most memory that the process held, imports included, in 10^6 bytes.
        rows: events in the table at the end.
        succeeded: whether every sync said so.
    """

    seconds: list[float]
    file_mb: list[float]
    peak_mb: float
    rows: int
    succeeded: bool


def measure(contender: str, url: str, folder: Path, times: int = 1) -> Figures:
    """Let a contender sync the API at `url` so many times, in one fresh process.

    `folder` is its home, its working directory and where its database is.

    Raises:
        ContenderError: when the process fails.
    """
    command = [sys.executable, "-m", "bench.child", contender, url, str(folder), f"--times={times}"]
    # A session of its own, so that whatever it starts can be ended with it.
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, errors = child.communicate(timeout=PATIENCE)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ContenderError(f"did not end within {PATIENCE:g} s") from None
        raise
    if child.returncode:
        raise ContenderError(_last_line(errors) or f"ended with status {child.returncode}")
    return Figures(**json.loads(out.splitlines()[-1]))


def expect(figures: Figures, events: int) -> Figures:
    """Give the figures back if the sync said that it succeeded and every event arrived.

    Raises:
        ContenderError: otherwise; such figures are not to be compared.
    """
    if not figures.succeeded:
        raise ContenderError(f"said that it failed, with {figures.rows:,} of {events:,} events")
    if figures.rows != events:
        raise ContenderError(f"has {figures.rows:,} of {events:,} events")
    return figures


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(ROOT),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
