"""Run a contender in a fresh process and collect its figures."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import NO_ROWS

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS = 3600.0
ENV_VARS = ("PATH", "LANG", "LC_ALL")  # no proxies, settings or keys


class ContenderError(Exception):
    """A contender failed to sync; the message is one line."""


@dataclass(frozen=True)
class Figures:
    """The figures of one process of a contender.

    Attributes:
        seconds: the duration of each sync.
        cpu: the CPU seconds of each sync, with its child processes.
        file_mb: the size of the DuckDB file after each sync, in 10^6 bytes.
        peak_mb: the peak memory of the process, imports included, in 10^6 bytes.
        rows: events in the table at the end.
        succeeded: whether every sync reported success.
    """

    seconds: list[float]
    cpu: list[float]
    file_mb: list[float]
    peak_mb: float
    rows: int
    succeeded: bool


def measure(contender: str, url: str, folder: Path, times: int = 1) -> Figures:
    """Run a contender's sync of the API at `url` `times` times in a fresh process.

    `folder` is its home, its working directory and the location of its database.

    Raises:
        ContenderError: when the process fails.
    """
    command = [
        sys.executable,
        "-m",
        "bench.worker",
        contender,
        url,
        str(folder),
        f"--times={times}",
    ]
    # A new session, so that its child processes can be stopped with it.
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=_build_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, errors = child.communicate(timeout=TIMEOUT_SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ContenderError(f"timeout after {TIMEOUT_SECONDS:g} s") from None
        raise
    if child.returncode:
        raise ContenderError(_last_line(errors) or f"exited with status {child.returncode}")
    return Figures(**json.loads(out.splitlines()[-1]))


def require_complete(figures: Figures, events: int) -> Figures:
    """Return the figures of a sync that reports success and loaded every event.

    Raises:
        ContenderError: otherwise; its figures are not comparable.
    """
    if not figures.succeeded:
        raise ContenderError(f"reported failure with {figures.rows:,} of {events:,} events")
    if figures.rows not in (events, NO_ROWS):
        raise ContenderError(f"loaded {figures.rows:,} of {events:,} events")
    return figures


def _build_environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ENV_VARS if name in os.environ}
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
