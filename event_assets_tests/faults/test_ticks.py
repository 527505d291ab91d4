"""A schedule that ticks while a sync runs, in a real `dagster dev`: syncs do not pile up."""

from pathlib import Path

from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.dagster_dev import ENDED, Dagster, copied, dagster_dev, sync_at
from event_assets_tests.support.polling import until
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import KEY, Faults, Sandbox

SCHEDULE = "sync_events_schedule"
MINUTES = 60.0  # seconds, of a tick


def unfinished(dagster: Dagster) -> list[str]:
    return [
        run["runId"]
        for run in dagster.runs()
        if run["jobName"] == "sync_events" and run["status"] not in ENDED
    ]


def started(dagster: Dagster) -> int:
    return sum(tick["status"] == "SUCCESS" for tick in dagster.ticks(SCHEDULE))


def test_of_syncs_that_take_longer_than_their_schedule_allows_one_runs_and_one_waits(
    project: Project, tries: Tries, tmp_path: Path
) -> None:
    folder = copied(tmp_path)
    sync_at(folder, "* * * * *")
    with tries.trying("a schedule that ticks while a sync runs") as this, Sandbox(500) as api:
        api.faults = Faults(latency=50)  # each page, so that a sync takes some minutes
        with dagster_dev(folder, {"EVENTS_API_URL": api.url, "API_KEY": KEY}) as dagster:

            def skipped() -> str:
                assert len(unfinished(dagster)) <= 2
                newest, *_ = dagster.ticks(SCHEDULE) or [{"status": ""}]
                return str(newest["skipReason"]) if newest["status"] == "SKIPPED" else ""

            reason = until(skipped, patience=4 * MINUTES)
            first, second = reversed(unfinished(dagster))
            assert "is already waiting" in reason
            api.faults = Faults()
            until(lambda: not {first, second} & {*unfinished(dagster)})
            ended = {run["runId"]: run["status"] for run in dagster.runs()}
            assert {ended[first], ended[second]} == {"SUCCESS"}
            until(lambda: started(dagster) > 2)  # ticks go on
        this.lost = len({*api.ids()} - {*project.ids()})
