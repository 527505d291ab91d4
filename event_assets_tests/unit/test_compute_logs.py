"""What a step prints: in Dagster's file of its output, and on the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from event_assets._compat.dagster import ComputeLogs

KEY = ["run", "compute_logs", "step"]
PRINTED = "".join(f"line {number}\n" for number in range(10_000))


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComputeLogs:
    """Dagster's files of output, in a folder of the test, made without any other process."""
    monkeypatch.delattr(subprocess, "Popen")
    return ComputeLogs(str(tmp_path))


def read(logs: ComputeLogs) -> tuple[str, str]:
    data = logs.get_log_data(KEY)
    assert data.stdout is not None
    assert data.stderr is not None
    return data.stdout.decode(), data.stderr.decode()


def test_all_that_is_printed_is_shown_and_kept(
    logs: ComputeLogs, capfd: pytest.CaptureFixture[str]
) -> None:
    with logs.capture_logs(KEY):
        print(PRINTED, end="")
        os.write(sys.stderr.fileno(), b"of a library in C\n")
    print("behind it")
    assert capfd.readouterr() == (f"{PRINTED}behind it\n", "of a library in C\n")
    assert read(logs) == (PRINTED, "of a library in C\n")
    assert logs.is_capture_complete(KEY)


def test_it_is_shown_while_the_step_goes_on(
    logs: ComputeLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as shown, os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with logs.capture_logs(KEY):
            print("at once", file=stream, flush=True)
            assert shown.readline() == "at once\n"


def test_a_terminal_that_is_gone_stops_no_step(
    logs: ComputeLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", None)
        with logs.capture_logs(KEY):
            print(PRINTED, end="", file=stream, flush=True)
    assert read(logs) == (PRINTED, "")
