"""A journal that the next run cannot trust is not replayed: the sync starts again."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_assets.http import journal as module
from event_assets.http.journal import Journal, open_journal
from event_assets.values.errors import (
    ApiError,
    BusyError,
    ConfigError,
    ExpiredJournalError,
    PaginationError,
    TooManyRejectsError,
)
from event_assets_tests.support.journals import (
    HEADERS,
    IDENTITY,
    KilledError,
    body,
    change,
    files,
    record,
    replayed,
    run_to_failure,
    write_at_once,
)


def leave_garbage(file: Path) -> None:
    file.write_bytes(b"not a journal of any version")


def leave_a_beginning(file: Path) -> None:
    os.truncate(file, 0)


def leave_the_first_half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def leave_another_table(file: Path) -> None:
    change(file, "alter table sync rename column salt to pepper")
    change(file, "alter table response drop column at")


def leave_another_version(file: Path) -> None:
    file.unlink()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "FORMAT", module.FORMAT + 1)
        run_to_failure(file, record(("page 1", "one")))


def leave_five_more_runs(file: Path) -> None:
    for _ in range(5):
        assert replayed(file, "page 1") == ["one"]


def leave_it(file: Path, hours: int) -> None:
    change(file, f"update response set at = at - 3600 * {hours}")


def leave_it_for_six_hours(file: Path) -> None:
    leave_it(file, 6)


def leave_five_hours_and_a_run(file: Path) -> None:
    leave_it(file, 5)
    assert replayed(file, "page 1") == ["one"]  # which is no reason to keep it for longer
    leave_it(file, 1)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (leave_garbage, "its journal cannot be read: file is not a database"),
        (leave_a_beginning, "its journal cannot be read: no such table: sync"),
        (leave_the_first_half, "its journal cannot be read: database disk image is malformed"),
        (leave_another_table, "its journal cannot be read: no such column: at"),
        (leave_another_version, "its configuration"),
        (leave_five_more_runs, "5 runs replayed the same responses and got no further"),
        (leave_it_for_six_hours, "its last response is more than 6 hours old"),
        (leave_five_hours_and_a_run, "its last response is more than 6 hours old"),
    ],
)
def test_a_file_that_is_void_is_not_replayed_and_a_new_sync_begins(
    file: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None], reason: str
) -> None:
    run_to_failure(file, record(("page 1", "one")))
    spoil(file)
    before = datetime.now(UTC)

    def start_again(journal: Journal) -> None:
        assert not file.exists()
        assert not journal.is_resumed
        assert journal.started_at >= before
        assert journal.take("page 1") is None
        journal.record("page 1", HEADERS, b"new")

    with caplog.at_level(logging.INFO, "dagster"):
        run_to_failure(file, start_again)
    assert f"Not resuming the interrupted sync: {reason}" in caplog.text
    assert replayed(file, "page 1", "page 1") == ["new", None]


def test_responses_to_another_identity_are_void(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one")))
    assert replayed(file, "page 1", identity="another key") == [None]
    assert not file.exists()


def test_a_sync_that_is_killed_again_and_again_goes_on_while_it_gets_further(file: Path) -> None:
    run_to_failure(file, record(("page 0", "0")))
    for number in range(1, 20):
        run_to_failure(file, record((f"page {number}", str(number)), ("page 0", "0")))
    assert replayed(file, "page 0", "page 19") == ["0", "19"]


def test_requests_that_are_repeated_are_no_step_further(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one")))
    for _ in range(5):
        run_to_failure(file, record(("page 1", "one")))
    assert replayed(file, "page 1") == [None]


@pytest.mark.parametrize("identity", [IDENTITY, "another"])
def test_with_0_hours_nothing_is_recorded_and_an_old_file_is_deleted(
    file: Path, identity: str
) -> None:
    run_to_failure(file, record(("page 1", "one")))
    run_to_failure(
        file,
        lambda journal: journal.take("page 1") is None or pytest.fail("replayed"),
        record(("page 1", "one")),
        identity=identity,
        resume_hours=0,
    )
    assert not file.exists()


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (TooManyRejectsError("90 % of the records break the contract."), False),
        (PaginationError("The total is no number."), False),
        (ConfigError("The selector finds nothing."), False),
        (ExpiredJournalError("The cursor has expired."), False),
        (ApiError("The API answered 500."), True),
        (BusyError("Another sync holds the database."), True),
        (OSError("No space left on device"), True),
        (KeyboardInterrupt(), True),
    ],
)
def test_a_failed_sync_is_replayed_unless_its_responses_are_why_it_failed(
    file: Path, error: BaseException, is_kept: bool
) -> None:
    run_to_failure(file, record(("page 1", "one")), error=error)
    assert file.exists() == is_kept
    wrapped = RuntimeError("Pipeline step failed")
    wrapped.__cause__ = error
    run_to_failure(file, record(("page 1", "one")), error=wrapped)
    assert file.exists() == is_kept


def end_reading(journal: Journal) -> None:
    journal.end_reading(is_replay=False)


@pytest.mark.parametrize("is_written", [True, False])
def test_what_was_read_to_the_end_is_replayed_by_the_same_sync_only(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_written: bool
) -> None:
    with monkeypatch.context() as patched:
        if is_written:
            write_at_once(patched)
        run_to_failure(file, record(("page 1", "one")), end_reading)
    with suppress(KilledError), open_journal(file, IDENTITY, 6, is_retry=True) as journal:
        assert body(journal.take("page 1")) == "one"
        journal.end_reading(is_replay=True)
        raise KilledError
    with caplog.at_level(logging.INFO, "dagster"):
        assert replayed(file, "page 1") == [None]
    assert "Not resuming the interrupted sync: its lists were read to their ends." in caplog.text
    assert not file.exists()


def test_what_was_read_to_the_end_is_deleted_where_that_cannot_be_noted(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_at_once(monkeypatch)

    def fill_the_disk(_: Journal) -> None:
        monkeypatch.setattr(module, "MIN_FREE_BYTES", 1 << 60)

    run_to_failure(file, record(("page 1", "one")), fill_the_disk, end_reading)
    assert files(file) == []


def test_a_sync_that_replayed_all_there_is_starts_again(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one")))
    with pytest.raises(ExpiredJournalError), open_journal(file, IDENTITY, 6) as journal:
        journal.end_reading(is_replay=True)
    assert files(file) == []


def test_discard_voids_what_is_recorded_and_starts_again(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two")))

    def start_again(journal: Journal) -> None:
        assert body(journal.take("page 1")) == "one"
        began = journal.started_at
        journal.record("page 3", HEADERS, b"three")
        journal.discard()
        assert not file.exists()
        assert journal.take("page 2") is None
        assert not journal.is_resumed
        assert journal.started_at > began
        journal.record("page 1", HEADERS, b"new")

    run_to_failure(file, start_again)
    keys = ["page 1", "page 1", "page 2", "page 3"]
    assert replayed(file, *keys) == ["new", None, None, None]


def test_a_damaged_response_voids_the_others(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two")))
    change(file, "update response set body = zeroblob(length(body)) where rowid = 2")

    def read_all(journal: Journal) -> None:
        assert body(journal.take("page 1")) == "one"
        journal.take("page 2")

    with pytest.raises(ExpiredJournalError):
        run_to_failure(file, read_all)
    assert files(file) == []
