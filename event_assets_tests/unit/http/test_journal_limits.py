"""The journal costs a sync little time, memory and disk, and never its success."""

import os
import secrets
import subprocess
import sys
import textwrap
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from event_assets.http import journal as module
from event_assets.http.journal import Journal, open_journal
from event_assets_tests.support.journals import (
    HEADERS,
    IDENTITY,
    count_responses,
    files,
    record,
    replayed,
    run_to_failure,
    write_at_once,
)
from event_assets_tests.support.polling import until


def test_a_short_sync_writes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 60)
    with open_journal(file, IDENTITY, 6) as journal:
        assert not journal.is_resumed
        journal.record("page 1", HEADERS, b"one")
        assert not file.parent.exists()
    assert not file.parent.exists()


def test_a_longer_sync_is_written_while_it_goes_on_and_leaves_no_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    with open_journal(file, IDENTITY, 6) as journal:
        for number in range(1, 4):
            journal.record(f"page {number}", HEADERS, b"one")
            until(lambda: file.exists() and count_responses(file) == number)  # noqa: B023
    assert files(file) == []


def test_what_an_api_sends_quickly_is_not_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def monotonic() -> float:
        looks.append(len(looks) / 100)
        return looks[-1]

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic, time=time.time))
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    monkeypatch.setattr(module, "MAX_RATE", 0)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        count = len(looks)
        until(lambda: len(looks) > count + 4)
        assert not file.exists()
        monkeypatch.setattr(module, "MAX_RATE", 10_000)
        journal.record("page 2", HEADERS, b"two")
        until(lambda: file.exists() and count_responses(file) == 1)


def test_a_sync_of_a_quick_api_that_fails_records_nothing_at_its_end(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    monkeypatch.setattr(module, "MAX_RATE", 0)
    with suppress(KeyboardInterrupt), open_journal(file, IDENTITY, 6) as journal:
        until(lambda: journal.is_quick)
        journal.record("page 1", HEADERS, b"one")
        raise KeyboardInterrupt
    assert files(file) == []


def test_the_room_that_the_load_needs_is_left(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_at_once(monkeypatch)
    monkeypatch.setattr(module, "MIN_FREE_BYTES", 1 << 60)
    with suppress(KeyboardInterrupt), open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        raise KeyboardInterrupt
    assert "less than 100 MB are left on its disk" in caplog.text
    with open_journal(file, IDENTITY, 6) as journal:
        assert not journal.is_resumed


def test_a_full_disk_is_told_once(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_at_once(monkeypatch)
    monkeypatch.setattr(module, "MIN_FREE_BYTES", 1 << 60)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        journal.end_reading(is_replay=False)
    assert caplog.text.count("are left on its disk") == 1
    assert files(file) == []


def test_what_is_buffered_is_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED_BYTES", 10)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"0123456789")
        assert not file.exists()
        journal.record("page 2", HEADERS, b"0")
        assert count_responses(file) == 2


RECORD_TO_A_FULL_DISK = """
    import logging, os, resource, sys
    from pathlib import Path
    from event_assets.http import journal as module

    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    module.MAX_BUFFERED_BYTES = 5_000
    with module.open_journal(Path(sys.argv[1]), "identity", 6) as journal:
        for number in range(100):
            journal.record(f"page {number}", {}, b"%d " % number + os.urandom(1_000))
        print("all received", flush=True)
        raise KeyboardInterrupt
"""


def test_a_full_disk_ends_the_recording_not_the_sync(file: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(RECORD_TO_A_FULL_DISK), str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    warning, after = ended.stdout.splitlines()
    assert warning == "If this sync is interrupted, it resumes here or earlier: disk I/O error."
    assert after == "all received"
    assert "KeyboardInterrupt" in ended.stderr
    with open_journal(file, "identity", 6) as journal:
        bodies = [taken.body for number in range(100) if (taken := journal.take(f"page {number}"))]
    assert 10 < len(bodies) < 100
    assert [content.split(b" ")[0] for content in bodies] == [
        str(number).encode() for number in range(len(bodies))
    ]


def test_a_folder_that_cannot_be_written_does_not_fail_the_sync(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_at_once(monkeypatch)
    file.parent.write_text("a file in place of the folder")
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        journal.record("page 2", HEADERS, b"two")
    assert len(caplog.records) == 1
    assert "If this sync is interrupted" in caplog.text


def test_beyond_its_limit_in_bytes_nothing_is_recorded_and_what_is_there_serves(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_at_once(monkeypatch)
    monkeypatch.setattr(module, "MAX_BYTES", 200_000)
    bodies = [secrets.token_hex(4_000) for _ in range(100)]
    run_to_failure(file, record(*[(f"page {number}", each) for number, each in enumerate(bodies)]))
    assert len(caplog.records) == 1
    assert 150_000 < file.stat().st_size <= 200_000
    assert replayed(file, "page 0", "page 5", "page 99") == [bodies[0], bodies[5], None]


def test_memory_does_not_grow_with_the_bodies(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED_BYTES", 1_000_000)
    content = os.urandom(500_000)

    def record_40(journal: Journal) -> None:
        for number in range(40):
            journal.record(f"page {number}", HEADERS, content)

    def take_40(journal: Journal) -> None:
        for number in range(40):
            assert journal.take(f"page {number}")

    tracemalloc.start()
    try:
        run_to_failure(file, record_40)
        run_to_failure(file, take_40)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.stat().st_size > 20_000_000
    assert peak < 4_000_000
