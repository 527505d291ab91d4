"""A database that an earlier release wrote opens and syncs.

`upgrade/VERSION` holds one as DuckDB exports it, after two syncs of a few events: three, then two
of them, and each time `evt_9`, which breaks the contract. A release adds its own.
"""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_assets.sandbox import Sandbox
from event_assets_tests.support.project import Project, failure

RELEASES = sorted(Path(__file__).with_name("upgrade").iterdir())
NOW: list[dict[str, Any]] = [
    {"id": "evt_1", "name": "Event 1", "start_time": "2026-03-01T18:00:00Z", "size": 10.5},
    {"id": "evt_4", "name": "Event 4", "start_time": "2026-03-04T18:00:00Z", "size": 40},
    {"id": "evt_9", "name": "Good now", "start_time": "2026-03-09T18:00:00Z"},
]


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def written(request: pytest.FixtureRequest, project: Project) -> Project:
    """The database as the earlier release left it."""
    folder: Path = request.param
    project.database.parent.mkdir(parents=True)
    with duckdb.connect(project.database) as database:
        database.execute((folder / "schema.sql").read_text())
        database.execute((folder / "load.sql").read_text().replace("FOLDER", str(folder)))
    assert project.ids() == ["evt_1", "evt_2", "evt_3"]
    return project


def test_a_sync_goes_on_where_the_earlier_release_ended(written: Project) -> None:
    with Sandbox(NOW) as api:
        result = written.sync(url=api.url)
    assert result.success, failure(result)
    assert written.ids() == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_9"]
    assert written.ids("current_events") == ["evt_1", "evt_4", "evt_9"]
    assert written.rows("select size from events.event_data order by id limit 2") == [
        (10.5,),
        (20.0,),
    ]


def test_its_history_stays_and_goes_on(written: Project) -> None:
    with Sandbox(NOW) as api:
        assert written.sync(url=api.url).success
    changes = (
        "select change, id from events.event_changes where field is null order by changed_at, id"
    )
    assert written.rows(changes) == [
        ("gone", "evt_3"),
        ("appeared", "evt_4"),
        ("appeared", "evt_9"),
        ("gone", "evt_2"),
    ]
    assert written.rows("select count(*) from events.event_data_syncs") == [(3,)]
    assert written.rows("select count(*) from events.event_data_rejects") == [(0,)]
