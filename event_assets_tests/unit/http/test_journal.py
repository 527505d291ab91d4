"""The journal gives the next run what an unfinished sync received: each once, in order."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_assets.http import journal as journal_module
from event_assets.http.journal import Journal, Recorded, open_journal
from event_assets.values.errors import ConfigError
from event_assets_tests.support.journals import (
    HEADERS,
    IDENTITY,
    SECRET,
    KilledError,
    body,
    files,
    record,
    replayed,
    run_to_failure,
    write_at_once,
)


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
    before = datetime.now(UTC)
    began: list[datetime] = []
    note: Callable[[Journal], None] = lambda journal: began.append(journal.started_at)  # noqa: E731
    run_to_failure(file, note, record(("page 1", "one")))
    run_to_failure(file, note, record(("page 2", "two")))
    with open_journal(file, IDENTITY, 6) as journal:
        assert journal.is_resumed
        assert [journal.started_at] * 2 == began
    assert before <= began[0] <= datetime.now(UTC)


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


def test_nothing_is_recorded_after_the_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_at_once(monkeypatch)
    with open_journal(file, IDENTITY, 6) as journal:
        journal.record("page 1", HEADERS, b"one")
    journal.record("page 2", HEADERS, b"two")  # by a thread that was late
    assert not file.exists()


def test_threads_record_and_take_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_RATE", 1_000_000)
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

    module.INTERVAL, module.MAX_RATE = 0.01, 1_000_000
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
