"""`event-assets connect` on a real terminal: it asks, and shows no key."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events
from event_assets_tests.support.project import BIN, Project
from event_assets_tests.support.sandbox import Faults, Sandbox

KEY = "s3cret-of-the-api"


@contextmanager
def terminal(folder: Path, arguments: Sequence[str]) -> Iterator[tuple[int, subprocess.Popen[Any]]]:
    """Run a command whose controlling terminal is the one of which this is the other end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [BIN / "python", "-m", "event_assets", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(theirs)
    try:
        yield ours, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def talk(folder: Path, arguments: Sequence[str], *answers: tuple[str, str]) -> tuple[str, int]:
    """Type each answer when its prompt has come; return all that was shown, and the status."""
    shown = ""
    with terminal(folder, arguments) as (ours, process):
        for prompt, answer in answers:
            asked = ""
            while prompt not in asked:
                asked += os.read(ours, 4096).decode()
            shown += asked
            os.write(ours, f"{answer}\n".encode())
        with suppress(OSError):  # EIO: the other end is closed
            while more := os.read(ours, 4096):
                shown += more.decode()
        return shown, process.wait()


def answer(request: Request) -> Any:
    if request.headers.get("x-api-key") != KEY:
        return JSONResponse({"error": "no"}, 401)
    return {"events": [{**row, "start_time": "2026-07-01T19:30:00"} for row in events(7)]}


def test_a_person_is_asked_for_the_key_for_what_is_unclear_and_for_proposed_changes(
    here: Path,
) -> None:
    file = here / "event_assets" / "defs" / "concerts" / "defs.yaml"
    with serving(answer) as api:
        connect = ("connect", f"{api.url}/v1/events", "--name", "concerts", "--no-sync")
        shown, status = talk(
            here,
            connect,
            ("Key (not shown):", KEY),
            ("nothing to go on:", "1"),
            ("nothing to go on:", "Europe/Berlin"),
            ("Write ", "y"),
        )
        assert status == 0, shown
        assert KEY not in shown
        assert shown.count("Requests sent") == 4  # one for each answer
        assert "paginator: single_page" in (written := file.read_text())
        assert yaml.safe_load(written)["attributes"]["fields"]["start_time"]["timezone"]
        assert f"CONCERTS__API_KEY='{KEY}'\n" in (here / ".env").read_text()
        again = (*connect, "--key-from-env", "CONCERTS__API_KEY", "--set", "fields.name.from=id")
        shown, status = talk(
            here, again, ("nothing to go on:", ""), ("nothing to go on:", ""), ("Write ", "n")
        )
    assert status == 1
    assert "+    name: {type: text, from: id}" in shown
    assert shown.count("Requests sent") == 1
    assert "Nothing was written." in shown
    assert file.read_text() == written


def test_a_sync_shows_its_progress(project: Project, here: Path) -> None:
    with Sandbox(2_000, faults=Faults(latency=0.1)) as api:
        project.connect_to(api.url)
        shown, status = talk(here, ["sync"])
    assert status == 0, shown
    assert re.search(r"\d+%\|.+\| \d+/2000 ", shown)
