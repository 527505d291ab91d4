"""What `erase` removes, whatever the value is and whatever a person made of the tables."""

import io
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from unicodedata import normalize

import dagster as dg
import duckdb
import pytest

from event_assets import warehouse
from event_assets.cli.main import run as run_command
from event_assets.config import project as project_module
from event_assets.orchestration import process
from event_assets.sync.parent_rows import identify_rows
from event_assets.values.errors import WarehouseError
from event_assets.warehouse import Database
from event_assets.warehouse.duckdb_file import copy_to
from event_assets.warehouse.erase import erase
from event_assets.warehouse.file_lock import hold_file_lock
from event_assets.warehouse.pipeline import journal_file
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import load
from event_assets_tests.support.direct_syncs import source_of, sync_accounts, sync_source
from event_assets_tests.support.platforms import events, paged, run, source
from event_assets_tests.support.project import Project

PATH = "/v1/events"


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
        owned = replace(project, open_instance=lambda: instance)
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
    assert run_command(["erase", "--value", " E3@example.org\n", "--yes"]) == 0
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
    run_command(["status"])
    assert "has lost rows" not in capsys.readouterr().out


def test_the_rows_of_lists_of_an_event_are_erased_by_what_tells_them_apart(
    project: Project,
) -> None:
    rows = [
        {**event, "id": 100 + number, "uuid": event["id"], "organizer": {"id": number // 2}}
        for number, event in enumerate(events(4))
    ]
    requested = {"guests": "id", "tickets": "uuid", "members": "organizer.id"}
    handlers = {PATH: paged(rows)}
    document = source("")
    rest_api = document["attributes"]["rest_api"]
    rest_api["resource_defaults"]["primary_key"] = "uuid"
    for name, field in requested.items():
        handlers[f"/v1/{name}/{{key}}"] = lambda request: {
            "data": [{"uuid": f"of {request.path_params['key']}"}]
        }
        path = f"/v1/{name}/{{resources.event_data.{field}}}"
        endpoint = {"path": path, "data_selector": "data", "paginator": "single_page"}
        rest_api["resources"].append({"name": name, "endpoint": endpoint})
    with serving(handlers) as api:
        rest_api["client"]["base_url"] = api.url
        config = source_of(document)
        sync_source(config)
    columns = warehouse.run(lambda database: identify_rows(database, config, "e1"))
    assert erase("events", "e1", columns) == {"event_data": 1, "guests": 1, "tickets": 1}
    left = {
        name: project.rows(f"select uuid from events.{name} order by all") for name in requested
    }
    assert {name: [key for (key,) in keys] for name, keys in left.items()} == {
        "guests": ["of 100", "of 102", "of 103"],
        "tickets": ["of e0", "of e2", "of e3"],
        "members": ["of 0", "of 1"],
    }


def test_a_list_that_was_never_synced_stops_no_erasing(project: Project) -> None:
    document = source("")
    with serving({PATH: paged(events(4))}) as api:
        document["attributes"]["rest_api"]["client"]["base_url"] = api.url
        sync_source(source_of(document))
    endpoint = {"path": "/v1/halls/{resources.event_data.hall.id}", "data_selector": "data"}
    new = {"name": "halls", "endpoint": {**endpoint, "paginator": "single_page"}}
    document["attributes"]["rest_api"]["resources"].append(new)
    config = source_of(document)
    columns = warehouse.run(lambda database: identify_rows(database, config, "e1"))
    assert erase("events", "e1", columns) == {"event_data": 1}
    assert project.rows("select count(*) from events.event_data") == [(3,)]


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


@pytest.mark.parametrize("accounts", [(), ("a", "b")])
def test_rows_that_were_erased_are_not_taken_for_lost(
    project: Project, accounts: tuple[str, ...]
) -> None:
    lists = {PATH: events(3), "/a": [{"id": "of-a"}], "/b": [{"id": "of-b"}, {"id": "b2"}]}
    path = "/{account}" if accounts else PATH
    with serving({at: paged(rows) for at, rows in lists.items()}) as api:
        names: dict[str, Any] = {"accounts": [*accounts]} if accounts else {}
        config = source_of(source(api.url, endpoint={"path": path}, **names))
        sync_accounts(config, *accounts) if accounts else sync_source(config)
    owner = "account" if accounts else "null"
    left = f"select {owner}, table_rows from events.event_data_syncs order by all"
    before = dict(project.rows(left))
    erase("events", "e1", {"id": ["e1"]})
    erase("events", "of-b")
    now = project.rows(f"select {owner}, count(*) from events.event_data group by all order by all")
    assert project.rows(left) == now
    assert (before, dict(now)) == (
        ({"a": 1, "b": 2}, {"a": 1, "b": 1}) if accounts else ({None: 3}, {None: 2})
    )
    project.rows("delete from events.event_data")
    assert project.rows(left) == now  # what a person deletes is lost


def test_nothing_is_erased_while_a_sync_runs(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)))
    project.environment.setattr(project_module, "_loaded", None)
    with hold_file_lock(journal_file("events").with_suffix(".lock"), "of a sync"):
        assert run_command(["erase", "--value", "Event 3", "--yes"]) == 1
    said = capsys.readouterr().err
    assert said == "A sync of events is running: try again when it has ended.\n"
    assert len(project.ids()) == 20


def test_what_is_erased_is_not_resumed_though_erasing_was_interrupted(project: Project) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)))
    journal = journal_file("events")
    journal.write_text("of an interrupted sync")

    def interrupt(_: Database) -> None:
        raise KeyboardInterrupt

    project.environment.setattr("event_assets.warehouse.duckdb_file.compact", interrupt)
    with pytest.raises(KeyboardInterrupt):
        erase("events", "e3", {"id": ["e3"]})
    assert len(project.ids()) == 19
    assert not journal.exists()


@pytest.mark.parametrize(
    "step", ["warehouse.duckdb_file.compact", "orchestration.housekeeping.erase_runs"]
)
def test_what_may_be_left_by_an_interrupt_is_told_with_what_helps(
    project: Project, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({PATH: paged(events(20))}) as api:
        sync_source(source_of(source(api.url)))
    project.environment.setattr(project_module, "_loaded", None)
    project.environment.setattr(process, "_received", [])  # the signals of this test alone

    def interrupt(*_: object) -> None:
        raise RuntimeError("Query interrupted") from KeyboardInterrupt()  # as DuckDB does

    with project.environment.context() as patch:
        patch.setattr(f"event_assets.{step}", interrupt)
        assert run_command(["erase", "--id", "e3", "--yes"]) == 130
    assert capsys.readouterr().err == (
        "It may be erased from the tables, but still be in their files and in Dagster's history: "
        "erase it again.\n"
    )
    assert run_command(["erase", "--id", "e3", "--yes"]) == 0
    assert b"Event 3" not in project.database.read_bytes()


def test_a_copy_that_is_interrupted_leaves_no_file(tmp_path: Path) -> None:
    class Interrupted:
        def sql(self, query: str) -> duckdb.DuckDBPyRelation:
            return duckdb.sql(query)

        def execute(self, _: str) -> None:
            (tmp_path / "copy").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_to(cast("Database", Interrupted()), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


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
    erase("events", "e\u0308", {"id": ["e\u0308"]})
    assert project.ids() == ["e0", "e1", "e3"]


@pytest.mark.parametrize("quoted", ["Zoe\u0308", "Zo\\u00eb", "ZO\u00cb"])
def test_a_value_is_erased_from_a_log_however_it_is_written(project: Project, quoted: str) -> None:
    with serving({PATH: paged(events(2))}) as api:
        sync_source(source_of(source(api.url)))
    project.rows(
        f"update events.event_data_syncs set warning = '1 {quoted} 2', reason = 'na\u0303o'"
    )
    assert erase("events", "Zo\u00eb") == {"event_data_syncs": 1}
    said = project.rows("select warning, reason from events.event_data_syncs")
    assert said == [("1 *** 2", "na\u0303o")]


@pytest.mark.parametrize(
    "added",
    [
        "create unique index mine on events.event_data(id); "
        "create index other on events.event_data(lower(name))",
        "create table kept as from events.event_data; drop table events.event_data; "
        "create table events.event_data (id varchar, name varchar, mine varchar as (upper(name))); "
        "insert into events.event_data by name select id, name from kept; drop table kept",
    ],
)
def test_a_value_is_erased_whatever_a_person_added(project: Project, added: str) -> None:
    project.environment.setenv("EVENTS_DUCKDB", str(project.database.with_name("rewritten.duckdb")))
    project = replace(project, database=project.database.with_name("rewritten.duckdb"))
    with serving({PATH: paged(events(4))}) as api:
        sync_source(source_of(source(api.url)))
    project.rows(added)
    indexes = project.rows("select index_name from duckdb_indexes() order by all")
    assert erase("events", "Event 3") == {"event_data": 1}
    assert b"Event 3" not in project.database.read_bytes()
    assert project.rows("select index_name from duckdb_indexes() order by all") == indexes


def test_a_value_that_is_the_name_of_a_field_is_erased(project: Project) -> None:
    rows = [{**event, "guests": {"anna@example.org": {"paid": 1}}} for event in events(2)]
    with serving({PATH: paged(rows)}) as api:
        sync_source(source_of(source(api.url)))
        assert erase("events", "anna@example.org") == {"event_data_paths": 1}
        assert erase("events", "anna@example.org") == {}
        sync_source(source_of(source(api.url)))
    assert project.rows("select path from events.event_data_paths where path is not null") == [
        ('["guests", "anna@example.org", "paid"]',)
    ]


def test_a_value_in_a_nested_column_of_a_persons_own_is_erased(project: Project) -> None:
    with serving({PATH: paged(events(1))}) as api:
        sync_source(source_of(source(api.url)))
    project.rows(
        "create table events.mine as select ['Anna B', 'c'] as a, {'b': 'Anna'} as b, "
        "map {'Anna': 1} as c, [1] as d, 1.5 as e"
    )
    assert erase("events", "anna") == {"mine": 1}
    assert project.rows("from events.mine") == [(None, None, None, [1], Decimal("1.5"))]


def test_a_file_that_cannot_be_rewritten_is_told(project: Project) -> None:
    with serving({PATH: paged(events(4))}) as api:
        sync_source(source_of(source(api.url)))
    project.rows("create table b (id int primary key); insert into b values (1)")
    project.rows("create table a (id int references b(id)); insert into a values (1)")
    is_copied = not duckdb.__version__.startswith("1.")  # a newer DuckDB copies foreign keys
    refused = pytest.raises(WarehouseError, match=r"from the tables, but not from .* foreign")
    with nullcontext() if is_copied else refused:
        erase("events", "Event 3")
    assert not project.database.with_name(f"{project.database.name}.new").exists()
    project.rows("drop table a")
    erase("events", "Event 3")
    assert b"Event 3" not in project.database.read_bytes()


def test_runs_that_alone_hold_a_value_are_not_erased_unasked(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    home = project.database.parent.parent / "dagster"
    home.mkdir()
    project.environment.setenv("DAGSTER_HOME", str(home))
    with serving({PATH: paged(events(3))}) as api, dg.DagsterInstance.get() as instance:
        run(replace(project, open_instance=lambda: instance), load(source(api.url)))
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


def test_where_no_database_is_none_is_made(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["erase", "--value", "anna@example.com", "--yes"]) == 1
    assert capsys.readouterr().err.startswith(f"There is no database {project.database} yet: ")
    assert not project.database.parent.exists()


def test_a_source_that_is_not_there_is_not_erased(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["erase", "nothing", "--id", "a"]) == 2
    assert "Unknown source `nothing`; known sources: events. See" in capsys.readouterr().err
