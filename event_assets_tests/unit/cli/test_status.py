"""`event-assets status` tells whether each source is fresh and complete, also by its status."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_assets.cli.main import run
from event_assets.config.program import program
from event_assets.orchestration.error_messages import user_message
from event_assets.values.errors import ApiError
from event_assets.warehouse.pipeline import note_failure
from event_assets_tests.support.project import Project
from event_assets_tests.support.small_database import log_sync, write_database

Output = pytest.CaptureFixture[str]
URL = "https://api.example.com/secret?key=hidden"


@pytest.fixture
def synced(project: Project, source_file: Path) -> Project:
    """A project with a source that was synced."""
    assert source_file.parent.name == "events"
    project.connect_to(URL)
    write_database(project.database)
    return project


@pytest.fixture
def guests(synced: Project, source_file: Path) -> Project:
    """A project with a further list."""
    source_file.write_text(
        source_file.read_text().replace("resources:\n", "resources:\n      - name: guests\n", 1)
    )
    synced.rows("create table events.guests (id text)")
    return synced


def fail(
    pipeline: str, account: str | None = None, table: str = "event_data", *, is_full: bool = False
) -> None:
    """Leave what a sync leaves that fails."""
    noted = note_failure(pipeline, table, account, user_message, is_full=is_full)
    with pytest.raises(ApiError), noted:
        raise ApiError("The API answered 401.")


@pytest.mark.usefixtures("synced")
@pytest.mark.parametrize("is_full", [False, True])
def test_a_sync_that_is_interrupted_in_a_query_is_no_failure(capsys: Output, is_full: bool) -> None:
    with (
        pytest.raises(RuntimeError),
        note_failure("events", "event_data", None, user_message, is_full=is_full),
    ):
        raise RuntimeError("Query interrupted") from KeyboardInterrupt()  # as DuckDB does
    assert run(["status"]) == 0
    assert capsys.readouterr().out.endswith("  fresh and complete\n")


@pytest.mark.usefixtures("synced")
def test_a_source_that_is_fresh_and_complete_is_good(capsys: Output) -> None:
    assert run(["status"]) == 0
    source, synced, verdict = capsys.readouterr().out.splitlines()
    assert source == "events  https://api.example.com/secret"
    assert synced.startswith("  synced less than a minute ago (")
    assert synced.endswith(" UTC), 3 current events")
    assert verdict == "  fresh and complete"


@pytest.mark.parametrize(
    ("newest", "status", "said", "command"),
    [
        ({"complete": False, "reason": "5 of 9 came."}, 1, "5 of 9 came.", "probe events"),
        (
            {"complete": None, "reason": "No total."},
            1,
            "It may not be complete: No total.",
            "probe events",
        ),
        ({"minutes_ago": 31}, 1, "It is late.", "sync events"),
        (
            {"minutes_ago": -31},
            1,
            "It was synced at a time that is to come: correct the clock.",
            "sync events",
        ),
        ({"rejects": 2}, 0, "Rejected records: 2.", "show events.event_data_rejects"),
        ({"table_rows": 4}, 1, "event_data has lost rows since its newest sync.", "sync events"),
        ({"conflicting_ids": 1}, 1, "Ids that different events share: 1.", "show events --syncs"),
    ],
    ids=["incomplete", "unknown", "late", "ahead", "rejects", "lost rows", "ids"],
)
def test_what_is_wrong_comes_with_the_command_that_helps(
    synced: Project, newest: dict[str, Any], status: int, said: str, command: str, capsys: Output
) -> None:
    log_sync(synced.database, **newest)
    assert run(["status"]) == status
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == f"  {said}"
    assert helps.endswith(f"event-assets {command}")


@pytest.mark.parametrize(
    ("address", "now"), [("", "the built-in sandbox"), ("http://b.test/v2", "http://b.test")]
)
def test_tables_of_another_api_are_not_taken_for_those_of_the_address(
    synced: Project, address: str, now: str, capsys: Output
) -> None:
    log_sync(synced.database, api="https://api.example.com")
    assert run(["status"]) == 0
    capsys.readouterr()
    synced.environment.setenv("EVENTS_API_URL", address)
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == f"  Its newest sync was of https://api.example.com, not of {now}."
    assert helps.endswith("event-assets sync events")


@pytest.mark.parametrize("command", ["status", "sources"])
def test_a_key_in_place_of_the_address_is_not_shown(
    synced: Project, command: str, capsys: Output
) -> None:
    log_sync(synced.database, api="https://api.example.com")
    synced.environment.setenv("EVENTS_API_URL", "sk_live_51HxYzAbCdEf9876")
    run([command])
    output, errors = capsys.readouterr()
    assert "an address without https://" in output
    assert "sk_live" not in output + errors


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ env('EVENTS_API_URL') }}", "https://api.example.com/secret"),
        ("{{ env.EVENTS_API_URL | trim }}", "a URL that a template makes"),
    ],
)
def test_an_address_may_be_made_by_another_template(
    synced: Project, source_file: Path, template: str, shown: str, capsys: Output
) -> None:
    source_file.write_text(source_file.read_text().replace("{{ env.EVENTS_API_URL }}", template))
    log_sync(synced.database, api="https://api.example.com")
    assert run(["status"]) == 0
    assert capsys.readouterr().out.startswith(f"events  {shown}\n")


def test_a_sync_that_failed_after_the_last_good_one_is_told(
    synced: Project, capsys: Output
) -> None:
    fail("events")
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == "  Its newest sync failed less than a minute ago: The API answered 401."
    assert helps.endswith("event-assets sync events")
    log_sync(synced.database, table="guests", minutes_ago=-1)
    assert run(["status"]) == 1
    log_sync(synced.database, minutes_ago=-1)
    assert run(["status"]) == 0


def test_a_full_sync_that_failed_is_told_until_a_full_one_succeeds(
    synced: Project, capsys: Output
) -> None:
    fail("events", is_full=True)
    log_sync(synced.database, minutes_ago=-1, full_sync=False)
    fail("events")
    log_sync(synced.database, minutes_ago=-2, full_sync=False)
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == "  Its newest full sync failed less than a minute ago: The API answered 401."
    assert helps.endswith("event-assets sync events --full")
    log_sync(synced.database, minutes_ago=-3, full_sync=True)
    log_sync(synced.database, minutes_ago=-4, full_sync=False)
    assert run(["status"]) == 0


def test_a_full_sync_that_succeeds_within_bounds_settles_one_that_failed(synced: Project) -> None:
    fail("events", is_full=True)
    with note_failure("events", "event_data", None, user_message, is_full=False):
        log_sync(synced.database, minutes_ago=-1, full_sync=False)
    assert run(["status"]) == 1
    with note_failure("events", "event_data", None, user_message, is_full=True):
        log_sync(synced.database, minutes_ago=-1, full_sync=False)
    assert run(["status"]) == 0


@pytest.mark.parametrize("complete", [False, None])
def test_a_full_sync_that_may_lack_events_is_told_until_a_full_one_is_complete(
    synced: Project, capsys: Output, complete: bool | None
) -> None:
    reason = "5 of 9 came."
    log_sync(synced.database, full_sync=True, complete=complete, reason=reason)
    log_sync(synced.database, full_sync=False)
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == f"  Its newest full sync may not be complete: {reason}"
    assert helps.endswith("event-assets sync events --full")
    assert run(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["is_complete"] is complete
    log_sync(synced.database, full_sync=True)
    log_sync(synced.database, full_sync=False)
    assert run(["status"]) == 0


def test_rejects_for_which_a_sync_failed_are_pointed_to(synced: Project, capsys: Output) -> None:
    fail("events")
    (noted,) = synced.database.parent.rglob("events.failed")
    noted.write_text("\n9 of 9 records break the contract, more than max_rejects allows\n")
    assert run(["status"]) == 1
    assert capsys.readouterr().out.endswith("event-assets show events.event_data_rejects\n")


def test_a_failure_that_was_cut_off_within_a_character_is_told(
    synced: Project, capsys: Output
) -> None:
    fail("events")
    (noted,) = synced.database.parent.rglob("events.failed")
    noted.write_bytes(b"\nThe caf\xc3")
    assert run(["status"]) == 1
    assert "failed less than a minute ago: The caf" in capsys.readouterr().out


def with_accounts(file: Path, accounts: str = "{file: names}") -> None:
    text = file.read_text()
    file.write_text(text.replace("attributes:\n", f"attributes:\n  accounts: {accounts}\n", 1))


def test_an_account_that_failed_counts_as_long_as_it_is_listed(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    with_accounts(source_file)
    with duckdb.connect(synced.database) as database:
        database.execute("drop table events.event_data_syncs")
        database.execute(
            "create table events.event_data_accounts as "
            "from (values ('a', true), ('left', false)) as known(account, is_listed)"
        )
    log_sync(synced.database, account="a")
    for account in "a", "left", "new":
        fail(f"events__event_data__{account}", account)
    fail("events_of_another_source__event_data__a", "a")
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    said = "Its newest sync failed less than a minute ago: The API answered 401."
    assert state["problems"] == [f"a: {said}", f"new: {said}"]
    log_sync(synced.database, account="a", minutes_ago=-1)
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert state["problems"] == [f"new: {said}"]


@pytest.mark.usefixtures("synced")
def test_an_account_of_a_source_that_has_none_any_more_does_not_count() -> None:
    fail("events__event_data__a", "a")
    assert run(["status"]) == 0


def test_a_further_list_that_was_added_is_told_until_it_is_synced(
    guests: Project, capsys: Output
) -> None:
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert state["problems"] == ["guests: It was not synced since it was added."]
    assert (state["command"], state["is_complete"]) == ("sync events", None)
    assert (state["has_failed"], state["is_fresh"]) == (False, True)
    log_sync(guests.database, table="guests")
    assert run(["status"]) == 0


def test_two_projects_with_one_database_are_told(synced: Project, capsys: Output) -> None:
    for turn, version in enumerate("aabaaba"):  # to try, undo and make a change is none
        assert run(["status"]) == 0, turn
        log_sync(synced.database, version=version)
    capsys.readouterr()
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert state["problems"] == [
        "Two configurations are synced into it in turns, as by two projects with one "
        "database: give one of them another, or its source another name."
    ]
    assert (state["command"], state["is_complete"]) == ("show events --syncs", False)
    for _ in range(6):
        log_sync(synced.database, version="b")
    assert run(["status"]) == 0


def test_a_further_list_without_which_the_events_were_synced_is_not_told(guests: Project) -> None:
    log_sync(guests.database)
    assert run(["status"]) == 0


@pytest.mark.parametrize("accounts", ["[a, b, again, '{{ env.OTHER }}']", "{file: names.txt}"])
def test_an_account_that_was_added_is_told_until_it_is_synced(
    synced: Project, source_file: Path, accounts: str, capsys: Output
) -> None:
    with_accounts(source_file, accounts)
    (source_file.parents[3] / "names.txt").write_text("a\n b\n\nagain\n")
    with duckdb.connect(synced.database) as database:
        database.execute("drop table events.event_data_syncs")
        database.execute(
            "create table events.event_data_accounts as "
            "from (values ('a', true), ('again', false)) as known(account, is_listed)"
        )
    log_sync(synced.database, account="a")
    log_sync(synced.database, account="again")
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    added = "It was not synced since it was added."
    assert state["problems"] == [f"again: {added}", f"b: {added}"]
    fail("events__event_data__b", "b")
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    failed = "b: Its newest sync failed less than a minute ago: The API answered 401."
    assert state["problems"] == [failed, f"again: {added}"]
    synced.rows("update events.event_data_accounts set is_listed = true")
    synced.rows("insert into events.event_data_accounts values ('b', true)")
    log_sync(synced.database, account="b", minutes_ago=-1)
    assert run(["status"]) == 0
    document = source_file.read_text()
    source_file.write_text(document.replace("resources:\n", "resources:\n      - name: guests\n"))
    synced.rows("create table events.guests (id text)")
    for account in "a", "b":
        log_sync(synced.database, table="guests", account=account)
    capsys.readouterr()
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert state["problems"] == [f"guests: again: {added}"]


def test_a_further_list_and_each_account_count(synced: Project, capsys: Output) -> None:
    with duckdb.connect(synced.database) as database:
        database.execute("drop table events.event_data_syncs")
        database.execute(
            "create table events.event_data_accounts as "
            "from (values ('a', true), ('b', true), ('left', false)) as known(account, is_listed)"
        )
    for account, complete in {"a": True, "b": False, "left": False}.items():
        log_sync(synced.database, account=account, complete=complete, reason="Some are missing.")
        log_sync(synced.database, table="guests", account=account, reason="Found.")
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert (state["problems"], state["command"]) == (["b: Some are missing."], "probe events")
    assert (state["is_fresh"], state["is_complete"]) == (True, False)


@pytest.mark.parametrize(
    ("newest", "command"),
    [({"complete": False}, "guests_syncs"), ({"rejects": 1}, "guests_rejects")],
)
def test_the_log_of_a_further_list_is_pointed_to(
    guests: Project, newest: dict[str, Any], command: str, capsys: Output
) -> None:
    log_sync(guests.database, table="guests", **newest)
    run(["status", "--json"])
    (state,) = json.loads(capsys.readouterr().out)
    assert state["command"] == f"show events.{command}"


def test_a_further_list_that_failed_is_told_until_it_is_synced_or_gone(
    guests: Project, source_file: Path, capsys: Output
) -> None:
    fail("events__guests", table="guests")
    log_sync(guests.database, minutes_ago=-1)
    assert run(["status"]) == 1
    *_, problem, _ = capsys.readouterr().out.splitlines()
    failed = "Its newest sync failed less than a minute ago: The API answered 401."
    assert problem == f"  guests: {failed}"
    log_sync(guests.database, table="guests", minutes_ago=-1)
    assert run(["status"]) == 0
    log_sync(guests.database, table="guests", minutes_ago=-2, complete=False)
    fail("events__guests", table="guests")
    assert run(["status"]) == 1
    source_file.write_text(source_file.read_text().replace("      - name: guests\n", ""))
    assert run(["status"]) == 0


def test_a_source_without_current_events_is_not_good(synced: Project, capsys: Output) -> None:
    synced.rows("drop view events.current_events")
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == "  Its current_events were never built."
    assert helps.endswith("event-assets sync events")
    log_sync(synced.database, complete=False, reason="5 of 9 came.")
    assert run(["status"]) == 1
    assert "current_events" not in capsys.readouterr().out


@pytest.mark.parametrize(("minutes_ago", "status"), [(4, 0), (6, 1)])
def test_what_is_derived_must_not_stay_behind_the_newest_sync(
    synced: Project, capsys: Output, minutes_ago: int, status: int
) -> None:
    synced.rows("create table events.event_changes_snapshot as from events.current_events")
    log_sync(synced.database, minutes_ago=minutes_ago)
    assert run(["status"]) == 0
    synced.rows("delete from events.event_changes_snapshot where id = 'e1'")
    capsys.readouterr()
    assert run(["status"]) == status
    assert ("event_changes and what follows were not built" in capsys.readouterr().out) is (
        status == 1
    )


@pytest.mark.parametrize("later", [{}, {"full_sync": False, "rows_read": 12, "columns": "{}"}])
def test_events_that_all_lost_their_start_are_told(
    synced: Project, source_file: Path, later: dict[str, Any], capsys: Output
) -> None:
    before, renamed = '{"name": "text", "start_time": "timestamp"}', '{"name": "text"}'
    log_sync(synced.database, full_sync=True, rows_read=12, columns=before)
    log_sync(synced.database, full_sync=True, rows_read=9, columns=renamed)
    assert run(["status"]) == 0
    log_sync(synced.database, full_sync=True, rows_read=12, columns=renamed)
    if later:
        log_sync(synced.database, **later)
    capsys.readouterr()
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == (
        "  No event of its newest full sync has a value for `start_time`, as before: correct its "
        "`from` in defs.yaml."
    )
    assert helps.endswith("event-assets sync events")
    source_file.write_text(re.sub(" +start_time:.*\n", "", source_file.read_text()))
    assert run(["status"]) == 0


def test_events_that_are_all_called_removed_are_told(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    log_sync(synced.database, full_sync=True, rows_read=12)
    log_sync(synced.database, full_sync=False, rows_read=0)
    synced.rows("create or replace view events.current_events as from events.event_data limit 0")
    assert run(["status"]) == 0
    document = source_file.read_text()
    source_file.write_text(
        document.replace("attributes:\n", "attributes:\n  removed_when: {a: 1}\n")
    )
    capsys.readouterr()
    assert run(["status"]) == 1
    *_, problem, helps = capsys.readouterr().out.splitlines()
    assert problem == (
        "  None of the 12 records of its newest full sync is a current event, as if `removed_when` "
        "matched all of them: correct it in defs.yaml."
    )
    assert helps.endswith("event-assets sync events")
    log_sync(synced.database, full_sync=True, rows_read=9)
    assert run(["status"]) == 0


def test_an_account_that_a_query_lists_is_told_until_it_is_synced(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    with_accounts(source_file, "{query: select name from clients}")
    with duckdb.connect(synced.database) as database:
        database.execute("drop table events.event_data_syncs")
        database.execute(
            "create table events.event_data_accounts as "
            "from (values ('a', true)) as known(account, is_listed)"
        )
    log_sync(synced.database, account="a")
    assert run(["status"]) == 0  # the sync tells of a query that fails
    synced.rows("create table clients as from (values ('a'), ('b'), (null)) as names(name)")
    capsys.readouterr()
    assert run(["status", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)
    assert state["problems"] == ["b: It was not synced since it was added."]
    log_sync(synced.database, account="b")
    synced.rows("insert into events.event_data_accounts values ('b', true)")
    assert run(["status"]) == 0


def test_a_source_that_was_never_synced_is_not_good(
    project: Project, source_file: Path, capsys: Output
) -> None:
    assert source_file.exists()
    assert run(["status"]) == 1
    source, problem, command = capsys.readouterr().out.splitlines()
    assert (source, problem) == ("events  the built-in sandbox", "  It was never synced.")
    assert command.endswith("event-assets sync events")
    assert not project.database.parent.exists()


@pytest.mark.usefixtures("project")
def test_a_first_sync_that_failed_is_told_alone(source_file: Path, capsys: Output) -> None:
    assert source_file.exists()
    fail("events")
    assert run(["status"]) == 1
    _, problem, _ = capsys.readouterr().out.splitlines()
    assert problem == "  Its newest sync failed less than a minute ago: The API answered 401."


def test_the_sandbox_beside_an_api_is_not_judged(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    other = source_file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(source_file.read_text().replace("{{ env.EVENTS_API_URL }}", URL))
    synced.connect_to(None)
    write_database(synced.database, "concerts")
    assert run(["status"]) == 0
    assert "not synced beside an API, unless it is named" in capsys.readouterr().out
    assert run(["show", "--limit", "1"]) == 0
    assert "concerts.current_events" in capsys.readouterr().out


def test_one_source_of_several_is_told_of_by_its_name(
    synced: Project, source_file: Path, capsys: Output
) -> None:
    other = source_file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(source_file.read_text())
    assert synced.database.exists()
    assert run(["status"]) == 1
    assert run(["status", "concerts"]) == 1
    capsys.readouterr()
    assert run(["status", "events"]) == 0
    assert "concerts" not in capsys.readouterr().out
    assert run(["status", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("Unknown source `nothing`; known sources: ")


@pytest.mark.usefixtures("synced")
def test_the_list_of_sources_shows_no_secret_of_an_address(capsys: Output) -> None:
    assert run(["sources"]) == 0
    assert capsys.readouterr().out.startswith("events  https://api.example.com/secret  /")
    assert run(["sources", "--json"]) == 0
    (source,) = json.loads(capsys.readouterr().out)
    assert source["address"] == "https://api.example.com/secret"


def test_without_sources_it_says_so(source_file: Path, capsys: Output) -> None:
    source_file.unlink()
    assert run(["status"]) == 1
    told = f"There are no sources: `{program()} connect URL` makes one.\n"
    assert capsys.readouterr().err == told
    assert run(["sources"]) == 0
    assert capsys.readouterr().out == "There are no sources.\n"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("drop table events.event_data", "Table with name event_data does not exist"),
        ("alter table events.event_data_syncs drop column finished_at", '"finished_at" in'),
        ("alter table events.event_data_syncs drop column complete", '"complete" in'),
        (
            "alter table events.event_data_syncs alter complete type varchar; "
            "update events.event_data_syncs set complete = 'maybe'",
            "Could not convert string 'maybe' to BOOL",
        ),
    ],
)
def test_what_a_person_did_to_the_tables_is_told_with_what_heals_it(
    synced: Project, capsys: Output, damage: str, reason: str
) -> None:
    synced.rows(damage)
    assert run(["status"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The tables are not as syncs leave them (")
    assert reason in said
    assert said.endswith(f"): `{program()} sync` makes them again, or says what to do.\n")


@pytest.mark.parametrize("command", [["status"], ["show", "--syncs"]])
def test_tables_of_an_earlier_release_are_not_called_damaged(
    synced: Project, capsys: Output, command: list[str]
) -> None:
    synced.rows("alter table events.event_data_syncs drop column sync_number")
    assert run(command) == 1
    told = f"The tables are those of an earlier release: `{program()} sync` takes them over.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        ("alter table events.event_data_syncs alter complete type varchar", 0),
        ("alter table events.event_data_syncs alter finished_at type varchar", 0),
        ("create table events.mine_syncs (a integer)", 0),
        ("update events.event_data_syncs set finished_at = null", 1),
    ],
)
def test_what_a_person_did_to_the_tables_is_read_as_far_as_it_can_be(
    synced: Project, capsys: Output, damage: str, status: int
) -> None:
    synced.rows(damage)
    assert run(["status"]) == status
    assert ("It was never synced." in capsys.readouterr().out) is bool(status)
