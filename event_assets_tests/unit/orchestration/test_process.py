"""How a process of Dagster's that executes a run ends."""

import signal
import subprocess
import sys

import pytest

ENDED_BY = """
import os
from dagster import DagsterExecutionInterruptedError
from event_assets.orchestration import process
process.end_run_by_signals()
try:
    os.kill(os.getpid(), {number})
except KeyboardInterrupt:
    raise {error} from None
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("error", ["KeyboardInterrupt", "DagsterExecutionInterruptedError('')"])
def test_an_interrupt_behind_the_run_is_one_line(number: signal.Signals, error: str) -> None:
    code = ENDED_BY.format(number=int(number), error=error)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (128 + number, "Interrupted.\n")


def test_a_defect_behind_the_run_is_not_hidden() -> None:
    code = ENDED_BY.format(number=int(signal.SIGINT), error="ValueError('a defect')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ValueError: a defect\n" in done.stderr
