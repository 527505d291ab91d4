"""The sandbox in a child process."""

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from multiprocessing.connection import wait
from pathlib import Path
from typing import IO, cast

from event_assets.sandbox.faults import Faults, format_faults
from event_assets.sandbox.server import SandboxError


@contextlib.contextmanager
def run_sandbox(
    events: int = 5000,
    frozen: bool = False,
    seed: int = 0,
    faults: Faults | None = None,
    port: int = 0,
    timeout: float = 60.0,
) -> Generator[str, None, None]:
    """Run a sandbox in a child process and yield its URL; the key is `KEY`.

    The child inherits no environment and ends with the block or with this process.

    Raises:
        SandboxError: when it does not start within `timeout` seconds.
    """
    options = [f"--events={events}", f"--seed={seed}", f"--port={port}", "--with-parent"]
    if frozen:
        options.append("--frozen")
    options += [f"--fault={option}" for option in format_faults(faults or Faults())]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        # A new session: Ctrl-C reaches only the parent, which then stops the child.
        subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "event_assets.sandbox", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=Path(__file__).parents[2],  # the folder that event_assets is imported from
            env={},
            start_new_session=True,
        ) as child,
    ):
        try:
            yield _read_url(child, errors, timeout)
        finally:
            child.terminate()
            try:
                child.wait(5.0)
            except subprocess.TimeoutExpired:
                child.kill()


def _read_url(child: subprocess.Popen[str], errors: IO[str], timeout: float) -> str:
    """Return the URL in the child's first line of output."""
    output = cast("IO[str]", child.stdout)
    ready = wait([output.fileno()], timeout)
    line = output.readline() if ready else ""
    if found := re.search(r"http://[\d.]+:\d+", line):
        return found[0]
    reason = f"it did not respond within {timeout:g} s"
    if ready:  # its output has ended
        status = child.wait()
        errors.seek(0)
        lines = errors.read().strip().splitlines()
        reason = lines[-1] if lines else f"it exited with status {status}"
    raise SandboxError(f"The sandbox did not start: {reason}")
