"""What Dagster does not publish: its stored errors and events, YAML positions, run health."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError, DagsterUserCodeProcessError
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.launcher import CheckRunHealthResult as CheckRunHealthResult
from dagster._core.launcher import WorkerStatus as WorkerStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from dagster.components.resolved.errors import ResolutionException as ResolutionException
from dagster_shared import check
from dagster_shared.error import SerializableErrorInfo

CheckRecord = AssetCheckExecutionRecord
ErrorInfo = SerializableErrorInfo


class PlainFailure(dg.Failure, DagsterUserCodeProcessError):  # noqa: N818 (as dagster.Failure)
    """A failure that Dagster records as its sentence, without a traceback.

    Dagster stores the error information that a `DagsterUserCodeProcessError` brings along in place
    of a traceback.
    """

    def __init__(self, sentence: str) -> None:
        self.user_code_process_error_infos = [ErrorInfo(sentence, [], "Failure")]
        Exception.__init__(self, sentence)
        self.description = sentence
        self.metadata = {}
        self.allow_retries = True


class PlainInterrupt(dg.DagsterExecutionInterruptedError, DagsterUserCodeProcessError):  # noqa: N818 (as above)
    """An interrupt that Dagster records as a sentence, without a traceback."""

    def __init__(self, sentence: str) -> None:
        self.user_code_process_error_infos = [ErrorInfo(sentence, [], "Interrupt")]
        BaseException.__init__(self, sentence)


def is_check_failure(error: ErrorInfo) -> bool:
    """Return whether a step failed only because a blocking check did."""
    return error.cls_name == DagsterAssetCheckFailedError.__name__


def is_interrupt(failure: dg.DagsterEvent) -> bool:
    """Return whether a step failed because its process was interrupted."""
    return failure.step_failure_data.error_source is ErrorSource.INTERRUPT


def latest_check_records(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey]
) -> Mapping[dg.AssetCheckKey, CheckRecord]:
    """Return the newest result of each check that ran, read by one query."""
    return instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)


def check_history(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, limit: int
) -> Sequence[CheckRecord]:
    """Return the results of a check, newest first."""
    return instance.event_log_storage.get_asset_check_execution_history(key, limit=limit)


def can_check_workers(instance: dg.DagsterInstance) -> bool:
    """Return whether the run launcher knows which runs still have a worker."""
    return instance.run_launcher.supports_check_run_worker_health


def runs_holding_slots(instance: dg.DagsterInstance, pool: str) -> Collection[str]:
    """Return the ids of the runs that hold slots of a pool."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return ()
    return storage.get_concurrency_info(pool).active_run_ids


def free_slots(instance: dg.DagsterInstance, run_id: str) -> None:
    """Free every slot that a run holds."""
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def yaml_file(context: dg.ResolutionContext) -> Path:
    """Return the YAML file of a component."""
    return Path(check.not_none(context.source_position_tree).position.filename)
