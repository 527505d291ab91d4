"""What changes the tables beside a sync is killed at its steps, and done again: nothing differs."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from event_assets_tests.faults.killing import starting
from event_assets_tests.faults.step_driver import VALUE
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import source_of, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

EVERY = 7  # steps
TABLES = ("current_events", "event_changes", "event_changes_snapshot", "event_calendar")


def prepare(project: Project) -> Mapping[str, Any]:
    """Sync twice, derive after the first sync only, and return the attributes of the source."""
    rows: list[dict[str, Any]] = [{**event, "status": "on", "host": "-"} for event in events(40)]
    with serving({"/v1/events": paged(rows)}) as api:
        document = source(api.url)
        sync_source(source_of(document), derived=True)
        rows[:] = [{**row, "name": f"New {row['name']}", "host": VALUE} for row in rows[:-2]]
        rows[3]["status"] = "cancelled"
        sync_source(source_of(document))
    project.rows("create index mine on events.event_changes_snapshot(name)")
    attributes: Mapping[str, Any] = document["attributes"]
    return attributes


def found(project: Project) -> Mapping[str, Any]:
    tables = {table: project.rows(f"from events.{table} order by all") for table in TABLES}
    return tables | {"indexes": project.rows("select index_name from duckdb_indexes()")}


@pytest.mark.parametrize("action", ["derive", "erase"])
def test_killed_at_any_step_and_done_again_the_tables_are_the_same(
    project: Project, tries: Tries, tmp_path: Path, action: str
) -> None:
    attributes, folder = prepare(project), project.database.parent
    kept = shutil.copytree(folder, tmp_path / "kept")
    with starting("step_driver", tmp_path / "log") as driver:

        def do(steps: int) -> bool:
            driver.start(json.dumps([action, steps, attributes]))
            return driver.has_finished()

        assert do(-1)
        expected, steps, is_done = found(project), 0, False
        while not is_done:
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
            with tries.trying(f"killed at a step: {action}"):
                is_done = do(steps)
                assert do(-1)
                assert found(project) == expected
                files = [file for file in folder.rglob("*") if file.is_file()]
                holders = [file.name for file in files if VALUE.encode() in file.read_bytes()]
                assert action == "derive" or holders == []
                assert not [file for file in files if file.suffix == ".new"]
            steps += EVERY
    assert steps >= 6 * EVERY
