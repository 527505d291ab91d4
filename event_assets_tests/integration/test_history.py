"""What the history forgets, and what the calendar counts once and on its own day."""

import io
from dataclasses import replace
from typing import Any
from unicodedata import normalize

import dagster as dg
import pytest

from event_assets.cli.main import run as run_command
from event_assets.config import project as project_module
from event_assets.warehouse import Database
from event_assets.warehouse.erase import erase
from event_assets.warehouse.pipeline import journal_file
from event_assets_tests.support.accounts import serving_accounts, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import load
from event_assets_tests.support.direct_syncs import (
    derive_tables,
    source_of,
    sync_accounts,
    sync_source,
)
from event_assets_tests.support.platforms import events, paged, run, source
from event_assets_tests.support.project import Project

PATH = "/v1/events"


def test_a_field_that_is_excluded_later_leaves_the_table_and_the_history(project: Project) -> None:
    rows = [{**event, "host": {"mail": f"{event['id']}@x.org"}} for event in events(4)]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url))
        sync_source(config, derived=True)
        rows[0] = {**rows[0], "host": {"mail": "new@x.org"}, "name": "New"}
        left = rows.pop()
        sync_source(config, derived=True)
        mails = "from events.event_changes where field = 'host__mail'"
        assert len(project.rows(mails)) == 1
        sync_source(source_of(source(api.url, exclude=["host"])), derived=True)
    assert project.rows("select field from events.event_changes where field is not null") == [
        ("name",)
    ]
    for table in ("event_data", "event_changes_snapshot"):
        assert project.rows(f"select count(host__mail) from events.{table}") == [(0,)]
    assert left["id"] in project.ids()


def test_a_field_in_a_list_that_is_excluded_later_leaves_the_history(project: Project) -> None:
    def guests(mail: str, name: str = "Ada") -> dict[str, Any]:
        return {"people": [{"name": name, "mail": f"{mail}@x.org"}]}

    rows = [{**event, **guests(event["id"])} for event in events(5)]
    rows[4]["start_time"] = "soon"
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url, max_rejects="50%"))
        sync_source(config, derived=True)
        rows[0] |= guests("new")
        rows[1] |= guests("other", "Eve")
        del rows[2:]  # and the reject
        sync_source(config, derived=True)
        excluding = source(api.url, max_rejects="50%", exclude=["people.mail"])
        sync_source(source_of(excluding), derived=True)
    assert project.rows("select id, old, new from events.event_changes where field = 'people'") == [
        ("e1", '[{"name":"Ada"}]', '[{"name":"Eve"}]')
    ]
    names = ("event_data", "event_changes", "event_changes_snapshot", "event_data_rejects")
    for name in names:
        assert "@x.org" not in str(project.rows(f"from events.{name}"))
    assert len(project.ids()) == 4


def test_an_event_that_two_accounts_host_counts_once_in_the_calendar(project: Project) -> None:
    shared = [{**event, "status": "on"} for event in events(30)]
    own = {**shared[0], "name": "Of the same id, but another one"}
    lists: dict[str, list[dict[str, Any]]] = {"berlin": shared, "paris": [*shared[1:], own]}
    with serving_accounts(lists) as api:
        both = source_of(with_accounts(api.url, list(lists)))
        sync_accounts(both, *lists)
        derive_tables(both)
    assert project.rows("select count(*) from events.current_events") == [(60,)]
    assert project.rows("select sum(events) from events.event_calendar") == [(31,)]


def test_a_whole_day_counts_on_its_own_day_and_a_time_on_that_of_utc(project: Project) -> None:
    zoned = {"type": "timestamp", "from": ["start.at", "start.day"], "timezone": "start.zone"}
    fields = {"id": {"type": "text"}, "start_time": zoned}
    rows: list[dict[str, Any]] = [
        {"id": "day", "start": {"day": "2026-10-25", "zone": "Europe/Berlin"}},
        {"id": "time", "start": {"at": "2026-10-25T00:00:00", "zone": "Europe/Berlin"}},
        {"id": "utc", "start": {"day": "2026-10-25", "zone": "UTC"}},
    ]
    with serving({PATH: paged(rows)}) as api:
        for _ in range(2):
            sync_source(source_of(source(api.url, fields=fields)), derived=True)
    assert project.rows("select day::varchar, events from events.event_calendar order by day") == [
        ("2026-10-24", 1),
        ("2026-10-25", 2),
    ]
    moments = "select id, start_time::varchar, start_time__v_date::varchar from events.event_data"
    assert project.rows(f"{moments} order by id") == [
        ("day", "2026-10-24 22:00:00+00", "2026-10-25"),
        ("time", "2026-10-24 22:00:00+00", None),
        ("utc", "2026-10-25 00:00:00+00", None),
    ]
    assert project.rows("from events.event_changes") == []


def test_fields_may_have_the_names_of_columns_of_ours(project: Project) -> None:
    ours = "account Account _dlt_load_id _DLT_ID Last_Seen_At last_seen_at ID start_time__v_date"
    of_queries = "event complete owner now before load_id rowid source kept day events"
    names = f"{ours} {of_queries}".split()
    rows = [{**event, **dict.fromkeys(names, "x")} for event in events(5)]
    rows[1] = {**rows[1], **dict.fromkeys(names)}
    rows[2] = dict(events(3)[2])
    with serving({PATH: paged(rows)}) as api:
        for _ in range(2):
            sync_source(source_of(source(api.url)), derived=True)
            rows[0] = {**rows[0], **dict.fromkeys(names, "y")}
    assert project.rows("select count(*) from events.current_events") == [(5,)]
    changed = project.rows("select count(*) from events.event_changes where new = 'y'")
    assert changed == [(len(names),)]


def test_erasing_leaves_nothing_of_a_value_and_of_an_id(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project.database.parent.parent
    home = folder / "dagster"
    home.mkdir()
    project.environment.setenv("DAGSTER_HOME", str(home))
    rows = [
        {**event, "host": f"{event['id']}@Example.org", "tags": [f"{event['id']}@example.org"]}
        for event in events(20)
    ]
    rows.append({"name": "e3@example.org has no id"})
    with serving({PATH: paged(rows)}) as api, dg.DagsterInstance.get() as instance:
        owned = replace(project, instance=instance)
        loaded = load(source(api.url))
        run(owned, loaded, derived=True)
        rows[3] = {**rows[3], "host": "e3@example.org moved"}
        run(owned, loaded, derived=True)

    project.environment.setattr(project_module, "_loaded", None)  # that of a sandbox

    def holders(text: str) -> list[str]:
        files = [file for file in folder.glob("**/*") if file.is_file()]
        return [file.name for file in files if text.encode() in file.read_bytes().lower()]

    assert {project.database.name, "index.db"} <= set(holders("e3@example.org"))
    assert run_command(["erase", "--id", "00"]) == 0  # which is a part of times and of other ids
    said = capsys.readouterr().out
    assert said.endswith("Nothing in events has this id.\n")
    assert "Not reached" not in said
    assert run_command(["erase", "--value", "nobody@example.org"]) == 0
    assert capsys.readouterr().out == "Nothing in events contains this value.\n"
    assert run_command(["erase", "--value", "E3@example.org", "--yes"]) == 0
    assert holders("e3@example.org") == []
    said = capsys.readouterr().out
    assert "events.event_data: 1 row\n" in said
    assert "Dagster's history: 2 runs" in said
    assert "Not reached: copies of the database, such as backups" in said
    assert project.rows("select host, tags from events.event_data where id = 'e3'") == [
        (None, None)
    ]
    assert run_command(["erase", "events", "--id", "e4", "--yes"]) == 0
    assert holders("e4@example.org") == []
    assert "e4" not in project.ids() + project.ids("event_changes_snapshot")
    assert len(project.ids("current_events")) == 19


def test_what_is_not_erased_whole_is_not_erased(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)), derived=True)
    tables = ["event_data", "event_data_syncs", "event_changes_snapshot", "_dlt_version"]

    def kept() -> list[list[tuple[Any, ...]]]:
        return [project.rows(f"from events.{table}") for table in tables]

    before = kept()
    monkeypatch.setattr(project_module, "_loaded", None)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run_command(["erase", "--value", "event"]) == 2
    assert "There is no terminal to ask: add --yes" in capsys.readouterr().err
    assert kept() == before
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert run_command(["erase", "--value", "event"]) == 1
    assert "Erase it? It cannot be undone. [y/N]: " in capsys.readouterr().out
    assert kept() == before
    assert run_command(["erase", "--value", "e", "--yes"]) == 0
    data, syncs, _, versions = kept()
    assert data == []  # the ids hold it
    assert versions == before[3]
    names = [name for (name, *_) in project.rows("describe events.event_data_syncs")]
    (log,) = (dict(zip(names, row, strict=True)) for row in syncs)
    assert log["sync_number"] == 1
    assert log["reason"] == "All 20 rows w***r*** r***c***iv***d."


def test_what_is_erased_is_not_resumed_though_erasing_was_interrupted(project: Project) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)))
    journal = journal_file("events")
    journal.write_text("of an interrupted sync")

    def interrupt(_: Database) -> None:
        raise KeyboardInterrupt

    project.environment.setattr("event_assets.warehouse.erase._rewrite", interrupt)
    with pytest.raises(KeyboardInterrupt):
        erase("events", "e3", ["id"])
    assert len(project.ids()) == 19
    assert not journal.exists()


def test_erasing_rewrites_the_database_that_a_link_leads_to(project: Project) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)))
    real = project.database.parent.parent / "real.duckdb"
    project.database.rename(real)
    project.database.symlink_to(real)
    assert b"Event 3" in real.read_bytes()
    erase("events", "Event 3")
    assert project.database.is_symlink()
    assert b"Event 3" not in real.read_bytes()
    assert project.rows("select count(*), count(name) from events.event_data") == [(20, 19)]


@pytest.mark.parametrize(
    "name", ['Jörg "Jo" Müller', "Zoe\u0308\\", "O'Brien\n2", "%_*", "$1 & \\1"]
)
def test_a_value_of_any_characters_is_erased_from_texts_and_from_json(
    project: Project, name: str
) -> None:
    rows = [{**event, "host": f"by {name}", "tags": [name]} for event in events(2)]
    rows += [{**event, "host": "by Jo", "tags": ["a1"]} for event in events(4)[2:]]
    rows[2]["id"] = "\u00eb"
    rows.append({"name": name})  # no id
    with serving({PATH: paged(rows)}) as api:
        sync_source(source_of(source(api.url, max_rejects="50%")), derived=True)
    erase("events", normalize("NFD", name.upper()))
    assert project.rows("select host, tags from events.event_data order by id") == [
        (None, None),
        (None, None),
        ("by Jo", '["a1"]'),
        ("by Jo", '["a1"]'),
    ]
    assert project.rows("from events.event_data_rejects") == []
    assert project.rows("select count(host) from events.event_changes_snapshot") == [(2,)]
    erase("events", "e\u0308", ["id"])
    assert project.ids() == ["e0", "e1", "e3"]


def test_runs_that_alone_hold_a_value_are_not_erased_unasked(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    home = project.database.parent.parent / "dagster"
    home.mkdir()
    project.environment.setenv("DAGSTER_HOME", str(home))
    with serving({PATH: paged(events(3))}) as api, dg.DagsterInstance.get() as instance:
        run(replace(project, instance=instance), load(source(api.url)))
        project.environment.setattr(project_module, "_loaded", None)
        assert run_command(["erase", "--value", "Finished execution of step"]) == 2
        said = capsys.readouterr()
        assert said.out.endswith("Dagster's history: 1 run\n")
        assert "There is no terminal to ask: add --yes" in said.err
        assert instance.get_runs_count() == 1
        (home / "warehouse.db").write_bytes(b"not of SQLite" * 100)
        assert run_command(["erase", "--value", "Finished execution of step", "--yes"]) == 0
        assert instance.get_runs_count() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give either --id or --value. See"),
        (["--id", " "], "it is empty"),
        (["--id", "a", "--value", "b"], "Give either --id or --value. See"),
    ],
)
def test_erasing_needs_an_id_or_a_value(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["erase", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_source_that_is_not_there_is_not_erased(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["erase", "nothing", "--id", "a"]) == 2
    assert "Unknown source `nothing`; known sources: events. See" in capsys.readouterr().err
