"""Run a contender in a fresh process and collect its numbers."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from bench.contenders import NO_ROWS

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS = 1200.0
ENV_VARS = ("PATH", "LANG", "LC_ALL")  # no proxies, settings or keys


class ContenderError(Exception):
    """A contender failed to sync; the message is one line."""


def measure(contender: str, url: str, folder: Path, times: int = 1) -> dict[str, float]:
    """Run a contender's sync of the API at `url` `times` times in a fresh process.

    `folder` is its home, its working directory and the location of its database. The numbers are
    those that `bench.worker` prints.

    Raises:
        ContenderError: when the process fails.
    """
    arguments = (contender, url, str(folder), str(times))
    # A new session, so that its child processes can be stopped with it.
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.worker", *arguments],
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
    numbers: dict[str, float] = json.loads(out.splitlines()[-1])
    return numbers


def require_complete(numbers: dict[str, float], events: int) -> dict[str, float]:
    """Return the numbers of a sync that reports success and loaded every event.

    Raises:
        ContenderError: otherwise; they are not comparable.
    """
    rows = int(numbers["rows"])
    if not numbers["succeeded"]:
        raise ContenderError(f"reported failure with {rows:,} of {events:,} events")
    if rows not in (events, NO_ROWS):
        raise ContenderError(f"loaded {rows:,} of {events:,} events")
    return numbers


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
