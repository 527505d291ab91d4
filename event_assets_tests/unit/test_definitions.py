"""The public face: all definitions, so that a change of them shows in review.

`python -m event_assets_tests.unit.test_definitions` writes the snapshot.
"""

import gc
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from event_assets import definitions
from event_assets.cli.definitions import load_definitions
from event_assets.orchestration import summary
from event_assets_tests.support.contracts import CONTRACT, load

SNAPSHOT = Path(__file__).with_name("snapshot.json")


def face() -> dict[str, Any]:
    """Return what users of the definitions see, in plain values."""
    from event_assets.orchestration.alerts import build_sensors

    loaded = load(CONTRACT)
    graph = loaded.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): _asset(graph.get(key))
            for key in sorted(graph.get_all_asset_keys())
        },
        "checks": {
            key.to_user_string(): {
                "blocking": (spec := graph.get_check_spec(key)).blocking,
                "description": spec.description,
            }
            for key in sorted(graph.asset_check_keys)
        },
        "jobs": {
            job.name: job.description
            for job in (loaded.resolve_job_def(j.name) for j in loaded.jobs or [])
        },
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.default_status.name]
            for schedule in loaded.schedules or []
            if isinstance(schedule, dg.ScheduleDefinition)
        },
        "sensors": {
            sensor.name: [sensor.description, sensor.default_status.name]
            for sensor in build_sensors()
        },
        "resources": sorted(loaded.resources or {}),
    }


def _asset(node: Any) -> dict[str, Any]:
    schema = node.metadata.get("dagster/column_schema")
    return {
        "upstream": sorted(key.to_user_string() for key in node.parent_keys),
        "kinds": sorted(node.kinds),
        "group": node.group_name,
        "owners": list(node.owners),
        "description": node.description,
        "columns": {c.name: [c.type, c.description] for c in schema.columns} if schema else {},
        "metadata": sorted(node.metadata),
        "observable": node.is_observable,
        "freshness": bool(node.freshness_policy),
    }


def test_the_checks_of_this_project_are_told_from_a_users_own() -> None:
    keys = load(CONTRACT).resolve_asset_graph().asset_check_keys
    assert {key.name for key in keys} == summary.CHECKS


def test_the_definitions_are_the_ones_that_were_reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVENTS_API_URL", "ALERT_WEBHOOK_URL", "EVENTS_DUCKDB"):
        monkeypatch.delenv(name, raising=False)
    assert face() == json.loads(SNAPSHOT.read_text())


def test_everything_in_the_metadata_can_be_shown() -> None:
    shown = RepositorySnap.from_def(load(CONTRACT).get_repository_def())
    assert "event_data" in str(shown)
    assert "unserializable" not in str(shown)


def test_definitions_are_loaded_once_until_a_variable_or_a_file_changes(
    source_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = definitions.defs()
    assert definitions.defs() is first
    monkeypatch.setenv("EVENTS_KEEP_RUNS_DAYS", "7")
    second = definitions.defs()
    assert second is not first
    source_file.write_text(source_file.read_text() + "\n")
    assert definitions.defs() is not second


def test_no_sync_searches_what_is_loaded_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.unfreeze()  # what the tests have set aside
    monkeypatch.setattr(definitions, "_loaded", [])
    monkeypatch.setattr(definitions, "FREEZES_DUCKDB", True)  # which this process has loaded
    definitions.defs()
    assert gc.get_freeze_count() > 100_000


def test_duckdb_is_not_frozen_where_it_would_abort_the_process_at_its_exit() -> None:
    program = """
import gc, sys
from event_assets import definitions
definitions.FREEZES_DUCKDB = False
definitions.defs()
print(gc.get_freeze_count() > 50_000, sys.modules["duckdb"] in gc.get_objects())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"


@pytest.mark.usefixtures("source_file")
def test_definitions_load_where_warnings_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "_loaded", [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert definitions.defs().jobs


@pytest.mark.usefixtures("source_file")
def test_definitions_that_are_loaded_again_leave_the_search_for_garbage_on() -> None:
    assert definitions.defs() is definitions.defs()
    load_definitions()
    assert gc.isenabled()


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(face(), indent=2, ensure_ascii=False) + "\n")
