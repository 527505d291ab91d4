"""What Dagster does not publish: its stored errors and events, YAML positions, run health."""

import os
import shutil
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import click
import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError, DagsterUserCodeProcessError
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.launcher import CheckRunHealthResult as CheckRunHealthResult
from dagster._core.launcher import WorkerStatus as WorkerStatus
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._utils import ensure_file, touch_file
from dagster._utils.interrupts import capture_interrupts as capture_interrupts
from dagster._utils.interrupts import check_captured_interrupt as check_captured_interrupt
from dagster.components.core.component_tree import ComponentTreeException as ComponentTreeException
from dagster.components.definitions import LazyDefinitions as LazyDefinitions
from dagster.components.resolved.errors import ResolutionException as ResolutionException
from dagster_shared import check
from dagster_shared.error import SerializableErrorInfo
from dagster_shared.yaml_utils.source_position import SourcePosition

ErrorInfo = SerializableErrorInfo
COPIED_EVERY: Final = 0.1  # seconds


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

    A thread copies the output to the terminal, in place of Dagster's four processes a step, which
    lose its last lines, and print a traceback at a Ctrl-C.
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
        """Capture what is printed, and show it."""
        with ExitStack() as stack:
            for stream, kind in ((sys.stdout, "out"), (sys.stderr, "err")):
                path = self.get_captured_local_path(log_key, kind)
                ensure_file(path)
                stack.enter_context(_copied(path, stream))
                stack.enter_context(redirect_to_file(stream, path))
            yield CapturedLogContext(log_key)
        touch_file(self.get_captured_local_path(log_key, "complete"))


@contextmanager
def _copied(path: str, stream: Any) -> Generator[None, None, None]:
    """Copy what is written to a file to where a stream leads, until the end of the context."""
    try:
        copy = os.dup(stream.fileno())
    except (AttributeError, OSError):  # closed, or replaced by an object of Python
        yield
        return
    ended = Event()
    copying = Thread(target=_copy_until, args=(ended, path, copy), daemon=True)
    copying.start()
    try:
        yield
    finally:
        ended.set()
        copying.join()


def _copy_until(ended: Event, path: str, copy: int) -> None:
    is_last = False
    with suppress(OSError), os.fdopen(copy, "wb") as out, Path(path).open("rb") as file:
        while not is_last:
            is_last = ended.wait(COPIED_EVERY)
            shutil.copyfileobj(file, out)
            out.flush()
