"""The journal gives the next run what an unfinished sync received: each once, in order."""

import logging
import os
import secrets
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from event_assets.http import journal as module
from event_assets.http.journal import Journal, Recorded, open_journal
from event_assets.values.errors import (
    ApiError,
    BusyError,
    ConfigError,
    ExpiredJournalError,
    PaginationError,
    TooManyRejectsError,
)
from event_assets_tests.support.dagster_dev import until

HEADERS = {"Content-Type": "application/json"}
SECRET = "k3y-of-the-platform"
IDENTITY = f"config 12ab, cursor 2026-01-01, {SECRET}"


class KilledError(Exception):
    """Ends a run as a kill would: the file stays as it is."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "working" / "events.journal"


def run_to_failure(
    file: Path,
    *steps: Callable[[Journal], object],
    error: BaseException | None = None,
    identity: str = IDENTITY,
    resume_hours: float = 6,
) -> None:
    """Open the journal, take the steps, and fail."""
    error = error or KilledError()
    with suppress(type(error)), open_journal(file, identity, resume_hours) as journal:
        for step in steps:
            step(journal)
        raise error


def record(*responses: tuple[str, str]) -> Callable[[Journal], None]:
    def step(journal: Journal) -> None:
        for key, body in responses:
            journal.record(key, HEADERS, body.encode())

    return step


def body(recorded: Recorded | None) -> str | None:
    return recorded and recorded.body.decode()


def replayed(file: Path, *keys: str, identity: str = IDENTITY) -> list[str | None]:
    """Return what a further run, which fails as well, takes."""
    bodies: list[str | None] = []
    run_to_failure(
        file,
        lambda journal: bodies.extend(body(journal.take(key)) for key in keys),
        identity=identity,
    )
    return bodies


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)


def count_responses(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        [(count,)] = database.execute("select count(*) from response")
    return int(count)


def files(file: Path) -> list[str]:
    return sorted(beside.name for beside in file.parent.glob("*"))


def write_at_once(patched: pytest.MonkeyPatch) -> None:
    """Let each response be written when it is recorded."""
    patched.setattr(module, "MAX_BUFFERED_BYTES", 0)


def test_a_short_sync_writes_nothing(file: Path) -> None:
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


def test_what_a_fast_api_sends_is_not_written_at_first(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looks = [0.0], []

    def monotonic() -> float:
        looks.append(now[0])
        return now[0]

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic, time=time.time))
    monkeypatch.setattr(module, "INTERVAL", 0.01)
    monkeypatch.setattr(module, "MAX_RESPONSES", 0)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        until(lambda: len(looks) > 3)
        assert not file.exists()
        now[0] = module.START_AFTER
        until(lambda: file.exists() and count_responses(file) == 1)


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


def test_what_is_buffered_is_limited(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUFFERED_BYTES", 10)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"0123456789")
        assert not file.exists()
        journal.record("page 2", HEADERS, b"0")
        assert count_responses(file) == 2


@pytest.mark.parametrize("error", [None, KilledError(), ConfigError("It cannot be.")])
def test_its_thread_ends_with_the_sync(file: Path, error: Exception | None) -> None:
    before = threading.active_count()
    with suppress(KilledError, ConfigError), open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        assert threading.active_count() == before + 1
        if error:
            raise error
    assert threading.active_count() == before


def test_a_run_is_never_given_its_own_responses(file: Path) -> None:
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
        assert journal.take("page 1") is None
    run_to_failure(file, record(("page 1", "one")))
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 2", HEADERS, b"two")
        assert journal.take("page 2") is None
        assert body(journal.take("page 1")) == "one"


def test_the_next_run_is_given_each_response_once_in_the_order_recorded(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two"), ("page 1", "one, later")))
    keys = ["page 2", "page 1", "page 3", "page 1", "page 1", "page 2"]
    assert replayed(file, *keys) == ["two", "one", None, "one, later", None, None]


def test_what_a_run_replays_is_replayed_again_with_what_it_recorded_behind(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two")))
    run_to_failure(
        file,
        lambda journal: journal.take("page 1"),
        record(("page 3", "three"), ("page 1", "one, read again")),
    )
    keys = ["page 1", "page 2", "page 3", "page 1", "page 1"]
    expected = ["one", "two", "three", "one, read again", None]
    assert replayed(file, *keys) == expected
    assert replayed(file, *keys) == expected


def test_a_response_is_what_it_was_but_for_its_cookies(file: Path) -> None:
    content = bytes(range(256)) * 1_000
    headers = {"Link": '<https://api/é?page=2>; rel="next"', "SET-cookie": f"session={SECRET}"}

    def step(journal: Journal) -> None:
        journal.record("POST https://api/ü\udc80 {}", headers, content)
        journal.record("empty", {}, b"")

    run_to_failure(file, step)
    with open_journal(file, IDENTITY, 6) as journal:
        taken = journal.take("POST https://api/ü\udc80 {}")
        assert taken == Recorded({"Link": headers["Link"]}, content)
        assert journal.take("empty") == Recorded({}, b"")


def test_a_sync_counts_from_the_beginning_of_its_first_run(file: Path) -> None:
    before = datetime.now(timezone.utc)
    began: list[datetime] = []
    note: Callable[[Journal], None] = lambda journal: began.append(journal.started_at)  # noqa: E731
    run_to_failure(file, note, record(("page 1", "one")))
    run_to_failure(file, note, record(("page 2", "two")))
    with open_journal(file, IDENTITY, 6) as journal:
        assert journal.is_resumed
        assert [journal.started_at] * 2 == began
    assert before <= began[0] <= datetime.now(timezone.utc)


def test_only_the_owner_can_read_the_files_whatever_the_umask(file: Path) -> None:
    before = os.umask(0)
    try:
        run_to_failure(file, record(("page 1", "one")))
        with closing(sqlite3.connect(file)) as database:
            database.execute("insert into response values (1, 2, 3, 4, 5)")  # not committed
            modes = {stat.S_IMODE(beside.stat().st_mode) for beside in file.parent.iterdir()}
            assert len(files(file)) == 2
    finally:
        os.umask(before)
    assert modes == {0o600}


def test_no_secret_and_no_request_is_in_the_file(file: Path, tmp_path: Path) -> None:
    run_to_failure(file, record(("GET https://api/v1/events", "one")))
    run_to_failure(tmp_path / "other", record(("GET https://api/v1/events", "one")))
    content = file.read_bytes()
    assert SECRET.encode() not in content
    assert b"v1/events" not in content
    hashed = set()
    for each in (file, tmp_path / "other"):
        with closing(sqlite3.connect(each)) as database:
            hashed |= set(database.execute("select identity, key from sync, response"))
    assert len({identity for identity, _ in hashed}) == 2  # salted
    assert len({key for _, key in hashed}) == 2


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
    before = datetime.now(timezone.utc)

    def begin_anew(journal: Journal) -> None:
        assert not file.exists()
        assert not journal.is_resumed
        assert journal.started_at >= before
        assert journal.take("page 1") is None
        journal.record("page 1", HEADERS, b"new")

    with caplog.at_level(logging.INFO, "dagster"):
        run_to_failure(file, begin_anew)
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


def test_discard_voids_what_is_recorded_and_begins_anew(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two")))

    def begin_anew(journal: Journal) -> None:
        assert body(journal.take("page 1")) == "one"
        began = journal.started_at
        journal.record("page 3", HEADERS, b"three")
        journal.discard()
        assert not file.exists()
        assert journal.take("page 2") is None
        assert not journal.is_resumed
        assert journal.started_at > began
        journal.record("page 1", HEADERS, b"new")

    run_to_failure(file, begin_anew)
    keys = ["page 1", "page 1", "page 2", "page 3"]
    assert replayed(file, *keys) == ["new", None, None, None]


def test_nothing_is_recorded_after_the_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_at_once(monkeypatch)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
    journal.record("page 2", HEADERS, b"two")  # by a thread that was late
    assert not file.exists()


def test_a_damaged_response_voids_the_others(file: Path) -> None:
    run_to_failure(file, record(("page 1", "one"), ("page 2", "two")))
    change(file, "update response set body = zeroblob(length(body)) where rowid = 2")

    def read_all(journal: Journal) -> None:
        assert body(journal.take("page 1")) == "one"
        journal.take("page 2")

    with pytest.raises(ExpiredJournalError):
        run_to_failure(file, read_all)
    assert files(file) == []


def test_threads_record_and_take_at_once(file: Path) -> None:
    threads, pages = 8, 200
    taken: list[tuple[str, str | None]] = []

    def in_threads(work: Callable[[int], None]) -> None:
        started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()

    def record_all(journal: Journal) -> None:
        def work(thread: int) -> None:
            for page in range(pages):
                journal.record(f"page {page}", HEADERS, f"{page} of {thread} ".encode() * 500)

        in_threads(work)

    def take_all(journal: Journal) -> None:
        def work(_: int) -> None:
            for page in range(pages):
                taken.append((f"{page}", body(journal.take(f"page {page}"))))
                journal.record(f"more {page}", HEADERS, b"more")

        in_threads(work)
        assert all(journal.take(f"page {page}") is None for page in range(pages))

    run_to_failure(file, record_all)
    run_to_failure(file, take_all)
    expected = {f"{page} of {thread} " * 500 for page in range(pages) for thread in range(threads)}
    assert {content for _, content in taken} == expected
    assert all(content and content.startswith(f"{page} of ") for page, content in taken)
    assert replayed(file, *["more 7"] * (threads + 1)) == ["more"] * threads + [None]


RECORD_UNTIL_KILLED = """
    import sys
    from pathlib import Path
    from event_assets.http import journal as module

    module.START_AFTER = module.INTERVAL = 0.01
    module.MAX_BUFFERED_BYTES = 1_000_000
    with module.open_journal(Path(sys.argv[1]), "identity", 6) as journal:
        number = 0
        while taken := journal.take(f"page {number}"):
            assert taken.body.startswith(f"{number} ".encode())
            number += 1
        print(number, flush=True)
        while True:
            journal.record(f"page {number}", {}, f"{number} ".encode() * 20_000)
            number += 1
"""


def test_a_killed_process_is_resumed_where_it_was_again_and_again(file: Path) -> None:
    """Each process replays all that was recorded before, in order, and goes on behind it."""
    command = [sys.executable, "-c", textwrap.dedent(RECORD_UNTIL_KILLED), str(file)]
    replayed_by: list[int] = []
    for _ in range(4):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            replayed_by.append(int(child.stdout.readline()))
            size = file.stat().st_size if file.exists() else 0
            while not file.exists() or file.stat().st_size < size + 100_000:
                assert child.poll() is None
            child.send_signal(signal.SIGKILL)
    assert replayed_by[0] == 0
    assert replayed_by == sorted(set(replayed_by))  # each run got further
    with open_journal(file, "identity", 6) as journal:
        count = 0
        while taken := journal.take(f"page {count}"):
            assert taken.body == f"{count} ".encode() * 20_000
            count += 1
    assert count > replayed_by[-1]


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
