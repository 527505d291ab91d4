"""Run a job in this process, and print its summary."""

from collections.abc import Sequence

import dagster as dg

from event_assets.orchestration.summary import SILENT_LOGGERS, print_summary

# By this tag the UI lists a run under its job in the code location `event_assets`.
TAGS = {".dagster/repository": "__repository__@event_assets"}


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    account: str | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job, or some of its assets, and print the summary.

    Args:
        job: the job.
        instance: keeps the run.
        account: the partition, in a job that has partitions.
        assets: the assets to materialize; by default all of the job.
    """
    result = job.execute_in_process(
        run_config=SILENT_LOGGERS,
        instance=instance,
        partition_key=account,
        asset_selection=assets,
        tags=TAGS,
        raise_on_error=False,
    )
    print_summary(instance, result.run_id)  # Dagster itself may print it late after a failure
    return result
