"""The sandbox as a process of its own."""

import contextlib
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO

from event_assets.sandbox.fault_flags import flags_of
from event_assets.sandbox.faults import Faults
from event_assets.sandbox.server import SandboxError

ROOT = Path(__file__).parents[2]  # the directory that event_assets is imported from
STOP_SECONDS = 5.0


@contextlib.contextmanager
def process(
    events: int = 5000,
    frozen: bool = False,
    seed: int = 0,
    faults: Faults | None = None,
    port: int = 0,
    timeout: float = 60.0,
) -> Generator[str, None, None]:
    """Run a sandbox in a child process; the value is its URL, the key is `KEY`.

    The child inherits no environment, ends with the block, and ends too if this process dies in
    whatever way. Raises SandboxError if it does not answer within `timeout` seconds.
    """
    options = [f"--events={events}", f"--seed={seed}", f"--port={port}", "--with-parent"]
    if frozen:
        options.append("--frozen")
    command = [
        sys.executable,
        "-m",
        "event_assets.sandbox",
        *options,
        *flags_of(faults or Faults()),
    ]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        # A session of its own, so that Ctrl-C reaches only the parent, which then stops the child.
        subprocess.Popen(  # noqa: S603 (our own command)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={},
            start_new_session=True,
        ) as child,
    ):
        try:
            yield _url(child, errors, timeout)
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _url(child: subprocess.Popen[str], errors: IO[str], timeout: float) -> str:
    """Wait for the child's first line and return the URL in it."""
    late = threading.Event()

    def give_up() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(timeout, give_up)
    timer.start()
    try:
        line = child.stdout.readline() if child.stdout else ""
    finally:
        timer.cancel()
        timer.join()
    found = re.search(r"http://[\d.]+:\d+", line)
    if found:
        return found[0]
    status = child.wait()
    errors.seek(0)
    said = errors.read().strip().splitlines()
    reason = said[-1] if said else f"it ended with status {status}"
    if late.is_set():
        reason = f"it did not answer within {timeout:g} s"
    problem = f"The sandbox did not start: {reason}"
    raise SandboxError(problem)
