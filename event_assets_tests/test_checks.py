"""What must be true of `event_data`, evaluated by itself."""

from datetime import datetime, timedelta, timezone

import dagster as dg
import pytest

from event_assets import warehouse
from event_assets.checks import Freshness, fresh
from event_assets.definitions import defs
from event_assets.sandbox import Sandbox
from event_assets_tests.conftest import Project, failure

KEY = dg.AssetKey("event_data")


@pytest.mark.parametrize(
    ("age", "passed", "severity"),
    [
        (10, True, None),
        (45, False, dg.AssetCheckSeverity.WARN),
        (90, False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_fresh_goes_by_the_age_of_the_newest_sync(
    project: Project, api: Sandbox, age: int, passed: bool, severity: dg.AssetCheckSeverity | None
) -> None:
    project.sync(url=api.url)
    then = datetime.now(timezone.utc) - timedelta(minutes=age)
    project.rows(f"update events._dlt_loads set inserted_at = '{then.isoformat()}'")
    with warehouse.connect() as database:
        freshness = Freshness(warn_after_minutes=30, fail_after_minutes=60)
        result = fresh(database, "events", KEY, freshness)
    assert result.passed is passed
    assert result.description == f"The newest sync is {age} minutes old."
    assert severity is None or result.severity is severity


def test_checking_before_the_first_sync_says_to_sync_first(project: Project) -> None:
    checks = (
        defs()
        .resolve_implicit_global_asset_job_def()
        .get_subset(
            asset_selection=set(),
            asset_check_selection={dg.AssetCheckKey(KEY, "complete")},
        )
    )
    result = checks.execute_in_process(instance=project.instance, raise_on_error=False)
    assert failure(result) == (
        'Table with name "events.event_data_syncs" does not exist because schema "events" does not '
        "exist. Materialize event_data first."
    )
