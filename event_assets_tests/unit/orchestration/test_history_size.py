"""DAGSTER_HOME stays small: what a run leaves there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.sandbox import Sandbox


@dg.job
def nothing() -> None:
    """Do nothing."""


def _page_size(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        ((size,),) = database.execute("pragma page_size").fetchall()
        return int(size)


def test_the_files_of_the_history_are_made_with_small_pages(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run_id = nothing.execute_in_process(instance=instance).run_id
        assert len(instance.all_logs(run_id)) > 2
    files = sorted((tmp_path / "history" / "runs").glob("*.db"))
    assert {file.stem for file in files} == {"index", run_id}
    assert {_page_size(file) for file in files} == {512}


def test_the_history_from_before_is_read_as_it_is(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run_id = nothing.execute_in_process(instance=instance).run_id
        before = [log.message for log in instance.all_logs(run_id)]
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert [log.message for log in instance.all_logs(run_id)] == before


def test_what_a_step_found_is_stored_with_its_asset_only(project: Project, api: Sandbox) -> None:
    result = project.sync(url=api.url)
    assert result.success
    outputs = [event for event in result.all_events if event.is_successful_output]
    assert len(outputs) == 9
    assert not any(event.step_output_data.metadata for event in outputs)
    sizes = {
        event.asset_key.to_user_string(): len(dg.serialize_value(event))
        for event in result.all_events
        if event.is_step_materialization and event.asset_key
    }
    assert max(sizes.values()) < 10_000  # bytes
