"""`event-assets`: its help, how commands end, and what each may import."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from event_assets.cli.main import COMMANDS, run
from event_assets.config.database_file import failure_file
from event_assets.config.program import program
from event_assets.warehouse.pipeline import journal_file
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.small_database import write_database

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_the_help_of_each_command_fits_a_screen(command: str | None, capsys: Output) -> None:
    assert run([command, "--help"] if command else []) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) <= (60 if command == "sandbox" else 30)
    assert max(map(len, shown)) <= 100
    if command is None:
        assert [line.split()[0] for line in shown if line.startswith("  ")][-len(COMMANDS) :]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["synk"], "No such command 'synk'. Did you mean 'sync'? See `{program} --help`."),
        (
            ["sync", "--ful"],
            "No such option '--ful'. Did you mean '--full'? See `{program} sync --help`.",
        ),
        (["erase"], "Give either --id or --value. See `{program} erase --help`."),
        (["remove"], "Missing argument 'SOURCE'. See `{program} remove --help`."),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_sentence(
    arguments: list[str], said: str, capsys: Output
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr() == ("", f"{said.format(program=program())}\n")


def test_the_program_is_named_so_that_it_can_be_pasted_where_its_path_has_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my project" / ".venv" / "bin" / "event-assets"
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr(sys, "executable", str(file.with_name("python")))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shlex.split(f"{program()} show") == [str(file), "show"]


ENDED = """
import os, sys, time
from event_assets.orchestration import process
with process.command():
    process.raise_interrupts()
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_the_status_of_a_command_tells_the_signal_that_ended_it(
    project: Project, number: signal.Signals
) -> None:
    done = project.run("python", "-c", ENDED, str(number.value))
    assert (done.returncode, done.stderr) == (128 + number, "Interrupted.\n")


IN_QUERY = """
from event_assets.__main__ import main
from event_assets.cli import sources

def interrupt():
    raise RuntimeError("Query interrupted") from KeyboardInterrupt()

sources.find_sources = interrupt
main()
"""


def test_an_interrupt_that_duckdb_turned_into_an_error_ends_a_command_alike(
    project: Project,
) -> None:
    done = project.run("python", "-c", IN_QUERY, "sources")
    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "Interrupted.\n")


def test_a_closed_standard_input_is_no_terminal(project: Project, clone: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m event_assets remove events <&-', sys.executable],
        cwd=clone,
        env={**os.environ, "EVENTS_DUCKDB": str(project.database)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("There is no terminal to ask: add --yes. See ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["status", "show", "sources"])
def test_a_working_directory_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, capsys: Output
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run([command]) == 1
    told = "The working directory was removed: change to another one.\n"
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("command", ["check", "sync", "probe", "erase", "remove"])
def test_an_unknown_source_is_named_with_those_that_are_there(
    project: Project, source_file: Path, command: str, capsys: Output
) -> None:
    arguments = {"check": ["check"], "erase": ["erase", "nothing", "--id", "a"]}
    status = run(arguments.get(command, [command, "nothing"]))
    output, errors = capsys.readouterr()
    assert source_file.exists()
    assert not project.database.parent.exists()
    if command == "check":
        assert status == 0
        assert output.endswith("\nNo mistakes were found in the sources: events.\n")
    else:
        assert status == 2
        assert errors.startswith("Unknown source `nothing`; known sources: events. See ")


@pytest.mark.parametrize("arguments", [["probe"], ["erase", "--id", "a", "--yes"]])
def test_of_several_sources_one_is_to_be_named(
    source_file: Path, arguments: list[str], capsys: Output
) -> None:
    other = source_file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(source_file.read_text())
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("Name a source; known sources: events, concerts. See ")


def test_python_m_without_a_command_syncs(project: Project, clone: Path) -> None:
    project.connect_to("", key="of-an-api")
    done = project.run("python", "-m", "event_assets", cwd=clone)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("A key is set for the source events (API_KEY), but no URL")
    alone = project.run("event-assets", cwd=clone)
    assert alone.stdout.startswith("Usage: event-assets ")


def test_removing_asks_and_without_a_terminal_says_which_option_is_missing(
    project: Project, source_file: Path, capsys: Output
) -> None:
    write_database(project.database)
    done = project.run("event-assets", "remove", "events", cwd=source_file.parents[3])
    assert done.returncode == 2
    assert done.stderr.startswith("There is no terminal to ask: add --yes. See ")
    assert run(["remove", "events", "--yes"]) == 0
    assert not source_file.parent.exists()
    assert "Its tables stay in the schema events" in capsys.readouterr().out
    assert project.rows("select count(*) from events.event_data") == [(3,)]
    assert run(["remove", "events"]) == 0  # only its tables are left
    assert "Its tables stay in the schema events" in capsys.readouterr().out
    assert run(["remove", "events", "--yes", "--drop"]) == 0
    assert project.rows("from duckdb_tables() where schema_name = 'events'") == []
    assert run(["remove", "events", "--yes", "--drop"]) == 2


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_connects_to_an_address_as_it_is_written() -> None:
    url = "https://api.example.com/events?$filter=name eq 'a' and (b)"
    done = make("--dry-run", "--old-file=.venv/.ready", "connect", f"URL={url}")
    command = done.stdout.splitlines()[-1]
    assert shlex.split(command)[1:] == ["connect", url]


@pytest.mark.parametrize("version", ["3, 10", "3, 15"])
def test_a_python_that_is_too_old_or_too_new_is_said_before_anything_is_installed(
    tmp_path: Path, version: str
) -> None:
    python = tmp_path / "python3"
    python.write_text(
        f'#!/bin/sh\n{sys.executable} -c "import sys; sys.version_info = {version}; $2"'
    )
    python.chmod(0o700)
    done = make("setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    advice = "install one, and name it, as in: make setup PYTHON=python3.12\n"
    assert done.stdout == f"{python} is not Python 3.11 to 3.14: {advice}"
    assert [*tmp_path.iterdir()] == [python]


def test_removing_the_tables_deletes_what_a_first_sync_left_that_did_not_end(
    project: Project, source_file: Path
) -> None:
    journal = journal_file("events")
    journal.parent.mkdir(parents=True)
    for left in journal, failure_file("events"):
        left.write_text("of the first sync")
    assert run(["remove", "events", "--yes", "--drop"]) == 0
    assert not [*journal.parent.glob("events.*")]
    assert not project.database.exists()
    assert not source_file.exists()


@pytest.mark.parametrize("is_variable", [False, True])
def test_a_port_that_is_taken_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, is_variable: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", f"{port}" if is_variable else "1")
        given = () if is_variable else (f"PORT={port}",)
        done = make("--old-file=.venv/.ready", "dev", *given)
    assert done.returncode != 0
    assert done.stdout == f"Port {port} is taken: name a free one, as in make dev PORT=3001\n"
