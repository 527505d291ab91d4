"""Runs of accounts: by the schedule, from the command line and by `make run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._cli import cli as dagster

from event_assets.cli.main import run as run_command
from event_assets.config.database_file import failure_file, syncs_folder
from event_assets_tests.support.accounts import derive, serving_accounts, sync, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import derive_tables, source_of, sync_accounts
from event_assets_tests.support.platforms import definitions, events, paged, source
from event_assets_tests.support.project import Project, failure

pytestmark = pytest.mark.in_process

NOWHERE = "http://127.0.0.1:9"
Status = dg.DagsterRunStatus


def evaluate(
    instance: dg.DagsterInstance, loaded: dg.Definitions, name: str = "sync_events_schedule"
) -> Any:
    context = dg.build_schedule_context(
        instance,
        scheduled_execution_time=datetime.now(UTC),
        repository_def=loaded.get_repository_def(),
    )
    return loaded.resolve_schedule_def(name).evaluate_tick(context)


def tick(
    instance: dg.DagsterInstance, loaded: dg.Definitions, name: str = "sync_events_schedule"
) -> list[dg.RunRequest]:
    return list(evaluate(instance, loaded, name).run_requests or [])


@pytest.fixture
def kept(project: Project, tmp_path: Path) -> Iterator[Project]:
    """A project whose Dagster keeps its history in files, as ticks need it."""
    limited = {"concurrency": {"pools": {"default_limit": 1}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=limited) as instance:
        yield replace(project, open_instance=lambda: instance)


def asked(requests: list[dg.RunRequest]) -> list[str | None]:
    return [request.partition_key for request in requests]


def listing(tmp_path: Path, *names: str) -> dict[str, str]:
    (tmp_path / "accounts.txt").write_text("\n".join(names))
    return {"file": str(tmp_path / "accounts.txt")}


def test_a_tick_asks_for_each_account(kept: Project) -> None:
    loaded = definitions({"events": with_accounts(NOWHERE, ["a", "b/c"], schedule="* * * * *")})
    each = tick(kept.instance, loaded)
    assert asked(each) == ["a", "b/c"]
    assert {key.to_user_string() for request in each for key in request.asset_selection or ()} == {
        "event_data"
    }


def sense(instance: dg.DagsterInstance, loaded: dg.Definitions) -> Any:
    context = dg.build_sensor_context(instance, repository_def=loaded.get_repository_def())
    return loaded.resolve_sensor_def("events_derived_sensor").evaluate_tick(context)


@contextmanager
def started(project: Project, loaded: dg.Definitions, tags: dict[str, str]) -> Iterator[None]:
    """Keep a run of the scheduled job unfinished."""
    job = loaded.resolve_job_def("sync_events_on_schedule")
    run = project.instance.create_run_for_job(job, status=Status.STARTED, tags=tags)
    yield
    project.instance.delete_run(run.run_id)


def test_what_is_derived_is_built_once_the_last_account_is_synced(
    kept: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_accounts({"a": events(2), "b": events(3)}) as api:
        loaded = definitions({"events": with_accounts(api.url, ["a", "b"])})
        assert not sense(kept.instance, loaded).run_requests
        sync(kept, loaded, "a")
        with started(kept, loaded, {"dagster/partition": "b"}):
            assert not sense(kept.instance, loaded).run_requests  # nothing was built so far
        sync(kept, loaded, "b")
        [request] = sense(kept.instance, loaded).run_requests
        assert request.partition_key is None
        assert {key.to_user_string() for key in request.asset_selection} == {
            "current_events",
            "event_changes",
            "event_calendar",
        }
        assert derive(kept, loaded).success
        assert not sense(kept.instance, loaded).run_requests

        sync(kept, loaded, "a")
        with started(kept, loaded, {"dagster/partition": "b"}):
            waiting = sense(kept.instance, loaded)
            assert not waiting.run_requests
            assert waiting.skip_message == "Runs of events are not finished yet."
            with monkeypatch.context() as later:
                later.setattr("event_assets.orchestration.jobs.MAX_WAIT", 0)
                [at_last] = sense(kept.instance, loaded).run_requests
                with started(kept, loaded, {}):  # that builds what is derived
                    assert not sense(kept.instance, loaded).run_requests
        [again] = sense(kept.instance, loaded).run_requests
        assert again.run_key == at_last.run_key != request.run_key


def test_an_account_whose_run_goes_on_is_not_started_again(kept: Project) -> None:
    names = {
        "waits": ("sync_events_on_schedule", Status.STARTING),
        "is backfilled": ("sync_events", Status.NOT_STARTED),
        "has failed": ("sync_events", Status.FAILURE),
        "is another's": ("housekeeping", Status.STARTING),
        "is free": ("sync_events", Status.SUCCESS),
    }
    loaded = definitions({"events": with_accounts(NOWHERE, [*names], schedule="* * * * *")})
    for name, (job, status) in names.items():
        tags = {"dagster/partition": name}
        kept.instance.create_run_for_job(loaded.resolve_job_def(job), status=status, tags=tags)
    assert asked(tick(kept.instance, loaded)) == ["has failed", "is another's", "is free"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "All accounts of events have an unfinished run."),
        ([], "events has no accounts: their list is empty or cannot be read."),
    ],
)
def test_a_tick_that_asks_for_no_run_says_why(
    kept: Project, tmp_path: Path, names: list[str], said: str
) -> None:
    where = listing(tmp_path, *names)
    loaded = definitions({"events": with_accounts(NOWHERE, where, schedule="* * * * *")})
    for name in names:
        job, tags = loaded.resolve_job_def("sync_events"), {"dagster/partition": name}
        kept.instance.create_run_for_job(job, status=Status.STARTED, tags=tags)
    done = evaluate(kept.instance, loaded)
    assert (done.run_requests, done.skip_message) == ([], said)


@pytest.mark.parametrize(
    ("status", "left"), [(Status.STARTED, ["a", "b"]), (Status.SUCCESS, ["b"])]
)
def test_an_account_that_is_not_listed_any_more_stays_while_its_run_goes_on(
    kept: Project, tmp_path: Path, status: Status, left: list[str]
) -> None:
    where = listing(tmp_path, "a", "b")
    loaded = definitions({"events": with_accounts(NOWHERE, where)})
    sensor = loaded.resolve_sensor_def("events_accounts_sensor")
    sensor.evaluate_tick(dg.build_sensor_context(kept.instance))
    job = loaded.resolve_job_def("sync_events")
    kept.instance.create_run_for_job(job, status=status, tags={"dagster/partition": "a"})
    listing(tmp_path, "b")
    sensor.evaluate_tick(dg.build_sensor_context(kept.instance))
    assert sorted(kept.instance.get_dynamic_partitions("events_accounts")) == left


def test_a_run_of_no_account_is_told_to_name_one(kept: Project) -> None:
    loaded = definitions({"events": with_accounts(NOWHERE, ["a"])})
    job = loaded.resolve_job_def("sync_events")
    done = job.execute_in_process(instance=kept.instance, raise_on_error=False)
    assert failure(done).startswith("The source events has accounts: name one as the partition")


def test_a_run_of_an_account_that_is_not_listed_any_more_asks_for_nothing(project: Project) -> None:
    with serving_accounts({"berlin": events(1), "gone": events(1)}) as api:
        loaded = definitions({"events": with_accounts(api.url, ["berlin"])})
        run = loaded.resolve_job_def("sync_events").execute_in_process(
            instance=project.instance, tags={"dagster/partition": "gone"}, raise_on_error=False
        )
        assert failure(run) == "There is no account `gone` of events."
        assert not api.requests


def test_accounts_follow_the_list(kept: Project, tmp_path: Path) -> None:
    lists = {name: events(2) for name in ("a", "b")}
    with serving_accounts(lists) as api:
        where = listing(tmp_path, "a", "b")
        document = with_accounts(api.url, where, schedule="* * * * *")
        loaded, config = definitions({"events": document}), source_of(document)
        assert asked(tick(kept.instance, loaded)) == ["a", "b"]
        sync_accounts(config, "a", "b")
        derive_tables(config)
        listing(tmp_path, "b", "c")
        assert asked(tick(kept.instance, loaded)) == ["b", "c"]
        known = kept.instance.get_dynamic_partitions("events_accounts")
        derive_tables(config)
        shown = kept.rows("select distinct account from events.current_events")
        listing(tmp_path, "a", "b")
        derive_tables(config)
    assert sorted(known) == ["b", "c"]
    assert shown == [("b",)]
    assert kept.rows("select count(*) from events.event_data where account = 'a'") == [(2,)]
    assert kept.rows("select account, change, id from events.event_changes order by all") == [
        *(("a", "passed", "e0"), ("a", "passed", "e1")),
        *(("a", "reappeared", "e0"), ("a", "reappeared", "e1")),
    ]


def test_a_sensor_lets_dagster_know_the_accounts_before_anything_ran(
    kept: Project, tmp_path: Path
) -> None:
    document = with_accounts(NOWHERE, listing(tmp_path, "a", "b"))
    sensor = definitions({"events": document}).resolve_sensor_def("events_accounts_sensor")
    for names in (["a", "b"], ["b", "c"]):
        listing(tmp_path, *names)
        sensor.evaluate_tick(dg.build_sensor_context(kept.instance))
        assert list(kept.instance.get_dynamic_partitions("events_accounts")) == names


def test_the_failures_of_an_account_that_leaves_the_list_go(kept: Project, tmp_path: Path) -> None:
    document = with_accounts(NOWHERE, listing(tmp_path, "a", "b"))
    tickets = {"name": "tickets", "endpoint": {"path": "/v1/{account}/tickets"}}
    document["attributes"]["rest_api"]["resources"].append(tickets)
    sensor = definitions({"events": document}).resolve_sensor_def("events_accounts_sensor")
    sensor.evaluate_tick(dg.build_sensor_context(kept.instance))
    for account in ("a", "b"):
        for resource in source_of(document).for_account(account).resources.values():
            for is_full in (False, True):
                noted = failure_file(resource.pipeline_name, is_full=is_full)
                noted.parent.mkdir(parents=True, exist_ok=True)
                noted.write_text(account)
    listing(tmp_path, "b")
    sensor.evaluate_tick(dg.build_sensor_context(kept.instance))
    assert [file.read_text() for file in syncs_folder().glob("*.failed")] == ["b"] * 4


def test_a_list_that_cannot_be_read_leaves_the_accounts_that_are_known(
    kept: Project, tmp_path: Path
) -> None:
    where = listing(tmp_path, "a", "b")
    loaded = definitions({"events": with_accounts(NOWHERE, where, schedule="* * * * *")})
    tick(kept.instance, loaded)
    (tmp_path / "accounts.txt").unlink()
    assert asked(tick(kept.instance, loaded)) == ["a", "b"]


def test_one_account_can_be_materialized_before_any_is_known(
    project: Project, source_file: Path
) -> None:
    module = f"{source_file.parents[2].name}.definitions"
    materialize = ["asset", "materialize", "-m", module, "--select", "event_data"]
    with serving_accounts({"a": events(1), "b c": events(2)}) as api:
        source_file.write_text(yaml.safe_dump(with_accounts(api.url, ["a", "b c", "refused"])))
        with pytest.raises(SystemExit) as ended:
            dagster([*materialize, "--partition", "b c"], prog_name="dagster")
    assert ended.value.code == 0
    assert project.rows("select distinct account from events.event_data") == [("b c",)]


def test_the_schedule_of_full_syncs_reads_everything_of_each_account(kept: Project) -> None:
    since = {"start_param": "since", "cursor_path": "start_time", "initial_value": "2020-01-01"}
    with serving_accounts({"a": events(2), "b": events(3)}) as api:
        endpoint = {"incremental": since}
        document = with_accounts(api.url, ["a", "b"], endpoint=endpoint, full_sync="0 3 * * *")
        loaded = definitions({"events": document})
        sync_accounts(source_of(document), "a", "b")
        each = tick(kept.instance, loaded, "sync_events_fully_schedule")
        job = loaded.resolve_job_def("sync_events_on_schedule")
        for request in each:
            assert (
                job.get_subset(asset_selection=set(request.asset_selection or ()))
                .execute_in_process(
                    instance=kept.instance,
                    run_config=request.run_config,
                    partition_key=request.partition_key,
                )
                .success
            )
    assert asked(each) == ["a", "b"]
    assert kept.rows(
        "select account, max_by(full_sync, started_at), count(*) from events.event_data_syncs "
        "group by 1 order by 1"
    ) == [("a", True, 2), ("b", True, 2)]


@pytest.mark.in_process(False)
def test_make_run_syncs_all_accounts_and_names_those_that_failed(
    project: Project, source_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lists = {"a": events(1), "b c": events(2)}
    with serving_accounts(lists) as api:
        document = with_accounts(api.url, ["a", "b c", "refused"])
        source_file.write_text(yaml.safe_dump(document))
        assert run_command(["sync"]) == 1
        output, errors = capfd.readouterr()
        lists["refused"] = events(3)
        lists["b c"].pop()
        assert run_command(["sync", "--account", "refused", "--account", "b c"]) == 0
        later = capfd.readouterr().out
        assert run_command(["sync", "--account", "nobody"]) == 1
        assert capfd.readouterr().err == "There is no account `nobody` of events.\n"
        source_file.write_text(yaml.safe_dump(source(api.url)))
        for command in "sync", "probe":
            assert run_command([command, "--account", "a"]) == 1
            assert capfd.readouterr().err == "events has no accounts: omit `--account`.\n"
    said = output.splitlines()
    assert said.pop(-2).startswith("starting  ")
    assert said == [
        "Syncing events ...",
        "account   a: 1 row, 4 of 4 checks passed",
        "account   b c: 2 rows, 4 of 4 checks passed",
        "accounts  2 of 3 synced and checked",
        "events    3",
        f"database  {project.database}",
    ]
    assert "2 of 2 synced and checked\nevents    5 (1 passed)\n" in later
    assert errors.startswith("refused: event_data failed: The API at ")
    assert errors.count("\n") == 1
    assert run_command(["show", "--syncs"]) == 0
    assert "  requests  account" in capfd.readouterr().out


def test_accounts_in_tables_without_them_are_refused_in_one_sentence(
    project: Project, source_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving({"/v1/events": paged(events(1))}) as api:
        source_file.write_text(yaml.safe_dump(source(api.url)))
        assert run_command(["sync"]) == 0
        capfd.readouterr()
        source_file.write_text(yaml.safe_dump(source(api.url, accounts=["a"])))
        assert run_command(["sync"]) == 1
    output, errors = capfd.readouterr()
    assert "accounts  0 of 1 synced and checked" in output
    assert errors.startswith("a: event_data failed: The table events.event_data in ")
    assert errors.count("\n") == 1
    assert len(project.ids("current_events")) == 1
