"""What Dagster does not publish: its stored errors and events, YAML positions, run health."""

import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError, DagsterUserCodeProcessError
from dagster._core.launcher import CheckRunHealthResult as CheckRunHealthResult
from dagster._core.launcher import WorkerStatus as WorkerStatus
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._utils.interrupts import capture_interrupts as capture_interrupts
from dagster._utils.interrupts import check_captured_interrupt as check_captured_interrupt
from dagster.components.resolved.errors import ResolutionException as ResolutionException
from dagster_shared import check
from dagster_shared.error import SerializableErrorInfo
from dagster_shared.yaml_utils.source_position import SourcePosition

ErrorInfo = SerializableErrorInfo


class PlainFailure(dg.Failure, DagsterUserCodeProcessError, click.ClickException):  # noqa: N818 (as dagster.Failure)
    """A failure that Dagster records and its commands print as its sentence, without a traceback.

    Dagster stores the error information that a `DagsterUserCodeProcessError` brings along in place
    of a traceback; a `ClickException` ends a command with its message.
    """

    def __init__(self, sentence: str) -> None:
        self.user_code_process_error_infos = [ErrorInfo(sentence, [], "Failure")]
        click.ClickException.__init__(self, sentence)
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


def free_slots(instance: dg.DagsterInstance, run_id: str) -> None:
    """Free every slot of a pool that a run holds, as Dagster's daemon does."""
    storage = instance.event_log_storage
    if storage.supports_global_concurrency_limits:
        storage.free_concurrency_slots_for_run(run_id)


def yaml_position(context: dg.ResolutionContext) -> SourcePosition:
    """Return where a component is: the file and the line in which its YAML begins."""
    return check.not_none(context.source_position_tree).position


class ComputeLogs(LocalComputeLogManager):
    """Dagster's files of what a step prints: `compute_logs` in dagster.yaml.

    The processes that copy the output to the terminal do not receive the Ctrl-C of a terminal, at
    which each would print a traceback. They end with the step.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: the files are where Dagster keeps them by default."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "ComputeLogs":  # noqa: ARG003 (it has no settings)
        """Build it from dagster.yaml."""
        return cls(base_dir="", inst_data=inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Use the folder of the instance."""
        super().register_instance(instance)
        self._base_dir = str(Path(instance.root_directory, "storage"))

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """Capture what is printed, as Dagster does."""
        with ExitStack() as stack:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
            try:  # child processes inherit blocked signals
                context = stack.enter_context(super().capture_logs(log_key))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield context
