"""`event-assets show` prints what is in the database, also while it is written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from event_assets.cli import database as reading
from event_assets.cli.main import run
from event_assets.config.program import program
from event_assets_tests.support.project import Project
from event_assets_tests.support.small_database import write_database

Output = pytest.CaptureFixture[str]


@pytest.fixture
def synced(project: Project) -> Project:
    """A project with three events."""
    write_database(project.database)
    return project


def lines(capsys: Output) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.mark.usefixtures("synced")
def test_the_next_events_come_first(capsys: Output) -> None:
    assert run(["show"]) == 0
    header, *events, count = lines(capsys)
    assert header.split() == ["name", "start_time", "id", "text"]
    assert [event.split()[1] for event in events] == ["2", "1", "0"]
    assert count == "3 of 3 rows of events.current_events"


@pytest.mark.usefixtures("synced")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--changes"], "gone"),
        (["--rejects"], "is not a timestamp"),
        (["--syncs"], "All came."),
        (["event_data"], "Event 2"),
        (["events.event_changes"], "gone"),
        (["events", "--rejects"], "is not a timestamp"),
        (["--sql", "select 40 + 2 as answer"], "42"),
    ],
)
def test_a_table_an_option_or_a_query_says_what_is_shown(
    arguments: list[str], said: str, capsys: Output
) -> None:
    assert run(["show", *arguments]) == 0
    assert said in capsys.readouterr().out


def test_a_table_is_looked_for_in_every_source(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    other = source_file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(source_file.read_text())
    write_database(synced.database, "concerts")
    with duckdb.connect(synced.database) as database:
        database.execute("create table concerts.event_calendar as select 7 as events")
    assert run(["show", "event_calendar"]) == 0
    assert lines(capsys)[-1] == "1 of 1 rows of concerts.event_calendar"


@pytest.mark.usefixtures("synced")
def test_columns_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert run(["show"]) == 0
    shown = lines(capsys)
    assert max(map(len, shown[:-2])) <= 40
    assert shown[-2] == "No room on the line for: text."


@pytest.mark.usefixtures("synced")
def test_json_has_every_column(capsys: Output) -> None:
    assert run(["show", "--json", "--limit", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert set(row) == {"id", "name", "start_time", "text"}


@pytest.mark.usefixtures("synced")
def test_json_has_what_a_query_returns(capsys: Output) -> None:
    query = "select map {date '2026-01-01': 'nan'::double} as m, 1 as a, 2 as a, 3 as a"
    assert run(["show", "--sql", query, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"m": {"2026-01-01": None}, "a": 1, "a_1": 2, "a_2": 3}
    ]


@pytest.mark.usefixtures("synced")
def test_the_limit_holds_for_a_query_as_well(capsys: Output) -> None:
    query = ["--sql", "from events.event_data", "--limit", "1"]
    assert run(["show", *query, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    assert run(["show", *query]) == 0
    assert lines(capsys)[-1] == "The first 1 row; --limit shows more"
    assert run(["show", "--sql", "from events.event_data"]) == 0
    assert lines(capsys)[-1] == "3 rows"


def test_what_a_terminal_would_obey_is_not_printed(synced: Project, capsys: Output) -> None:
    with duckdb.connect(synced.database) as database:
        database.execute("update events.event_data set name = 'a' || chr(27) || '[2Jb' || chr(10)")
    assert run(["show"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.usefixtures("synced")
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nothing"], 2, "There is no table `nothing`; there are events, events.current_events,"),
        ([""], 2, "There is no table ``; there are events,"),
        (["events.nothing"], 2, "There is no table `events.nothing`; there are events,"),
        (["--sql", "selec"], 1, "The query cannot be run: Parser Error: syntax error at or near"),
        (["--sql", "from a", "--syncs"], 2, "--sql stands alone"),
        (["--sql", ""], 2, "--sql is empty"),
        (["--changes", "--rejects"], 2, "Give only one of --changes, --rejects and --syncs. See"),
        (["--sql", ";"], 1, "The query cannot be run: it is empty"),
        (["event_data", "--rejects"], 2, "There is no source `event_data` that has event_data_rej"),
        (["--limit", "0"], 2, "Invalid value for '--limit': 0 is not in the range 1<=x<=1000000."),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    arguments: list[str], status: int, said: str, capsys: Output
) -> None:
    assert run(["show", *arguments]) == status
    output, errors = capsys.readouterr()
    assert errors.startswith(said)
    assert (output, errors.count("\n")) == ("", 1)


def test_before_the_first_sync_it_says_what_makes_the_database(
    project: Project, capsys: Output
) -> None:
    assert run(["show"]) == 1
    said = f"There is no database {project.database} yet: `{program()} sync` makes it.\n"
    assert capsys.readouterr().err == said
    assert not project.database.parent.exists()


HOLD = """
import sys, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_it_waits_for_what_writes_and_says_so(
    synced: Project, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(synced.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        writer.stdout.readline()
        monkeypatch.setattr(reading, "TIMEOUT", 0.0)
        assert run(["show"]) == 1
        refused = capsys.readouterr().err
        assert f"{synced.database} cannot be used: Could not set lock on file" in refused
        monkeypatch.setattr(reading, "TIMEOUT", 60.0)
        monkeypatch.setattr("time.sleep", lambda _: writer.communicate("\n"))
        assert run(["show"]) == 0
    output, errors = capsys.readouterr()
    assert "3 of 3 rows" in output
    holder = f"{Path(sys.executable).resolve()} (PID {writer.pid})"
    assert errors == f"Waiting for {holder}, which has {synced.database} open, up to 60 s ...\n"


@pytest.mark.parametrize("command", ["show", "status", "check", "sync"])
@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("notes.sqlite", b"SQLite format 3\0" * 9, "is no database of DuckDB: restore a backup"),
        ("events.csv", b"id,name\n1,Concert\n", "is no database of DuckDB: restore a backup, as "),
        ("new.duckdb", b"", "is empty: delete it, restore a backup, as docs/"),
    ],
)
@pytest.mark.usefixtures("source_file")
def test_a_file_that_is_no_database_is_named(
    project: Project, command: str, name: str, content: bytes, problem: str, capsys: Output
) -> None:
    file = project.database.with_name(name)
    project.environment.setenv("EVENTS_DUCKDB", str(file))
    file.parent.mkdir()
    file.write_bytes(content)
    assert run([command]) == 1
    assert capsys.readouterr().err.startswith(f"The file {file} {problem}")
    assert file.read_bytes() == content


@pytest.mark.usefixtures("source_file")
def test_a_database_with_the_name_of_a_source_is_told_by_the_check(
    project: Project, capsys: Output
) -> None:
    project.environment.setenv("EVENTS_DUCKDB", str(project.database.with_name("events.duckdb")))
    assert run(["check"]) == 1
    assert "has the same name as a schema in it" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["my table", "order", 'a "b"', "events.my table"])
def test_a_table_of_ones_own_is_shown_whatever_its_name(
    synced: Project, capsys: Output, table: str
) -> None:
    name = table.removeprefix("events.").replace('"', '""')
    synced.rows(f'create table events."{name}" as select 5 as "select"')
    assert run(["show", table]) == 0
    assert lines(capsys)[1].split() == ["5"]


@pytest.mark.parametrize("name", ["a.b.c", "events.b.c"])
def test_a_name_may_have_a_dot(synced: Project, capsys: Output, name: str) -> None:
    synced.rows('create schema "a.b"; create table "a.b".c as select 5 as n')
    synced.rows('create table events."b.c" as select 5 as n')
    assert run(["show", name]) == 0
    assert lines(capsys)[-1] == f"1 of 1 rows of {name}"


def test_a_view_of_ones_own_that_fails_is_told(synced: Project, capsys: Output) -> None:
    synced.rows("create view events.mine as select 'x'::int as a")
    assert run(["show", "mine"]) == 1
    told = "events.mine cannot be shown: Conversion Error: Could not convert string 'x' to INT32"
    assert capsys.readouterr() == ("", f"{told}\n")


def test_a_locale_that_lacks_a_character_is_told(synced: Project) -> None:
    done = synced.run(
        *("python", "-m", "event_assets", "show", "--sql", "select 'é'"),
        LC_ALL="POSIX",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )
    assert done.returncode == 1
    told = "The locale of this process has the characters of ascii only: set LC_ALL=C.UTF-8, or "
    by_duckdb = "The query cannot be run: .* cannot encode str as UTF-8"  # from version 2 on
    assert re.match(f"{told}PYTHONUTF8=1|{by_duckdb}", done.stderr)
