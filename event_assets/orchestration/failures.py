"""Failures that a user can mend: one sentence in the log and the UI, and no stack trace."""

from collections.abc import Callable
from typing import TypeVar

import dagster as dg
import duckdb

from event_assets import warehouse
from event_assets._compat.dagster import PlainFailure, PlainInterrupt
from event_assets.http import errors as http_errors
from event_assets.sandbox import SandboxError
from event_assets.values.errors import UserError, exception_chain

T = TypeVar("T")
OF_THE_DISK = (duckdb.OperationalError, duckdb.FatalException, duckdb.InternalException, OSError)

INTERRUPTS = (KeyboardInterrupt, dg.DagsterExecutionInterruptedError)
INTERRUPTED = "It was interrupted; the next run does it anew."


def run_with_plain_errors(action: Callable[[], T]) -> T:
    """Run an action; turn an error that the user can mend into a `PlainFailure`.

    An interrupt stays one, also where it made something else fail. Any other error goes through
    as it is.
    """
    try:
        return action()
    except BaseException as error:
        said = _plain(error)
        if said is None:
            raise
    # After the except block, so that the original is not kept as context.
    raise said


def _plain(error: BaseException) -> PlainFailure | PlainInterrupt | None:
    if any(isinstance(cause, INTERRUPTS) for cause in exception_chain(error)):
        return PlainInterrupt(INTERRUPTED)
    sentence = user_message(error) if isinstance(error, Exception) else None
    return None if sentence is None else PlainFailure(sentence)


def root_cause_message(error: BaseException) -> str:
    """Say what is wrong with the definitions: the error at the bottom names file and line."""
    while error.__cause__:
        error = error.__cause__
    return str(error)


def user_message(error: BaseException) -> str | None:
    """Say what went wrong, where the user can mend it; None where not."""
    for cause in exception_chain(error):
        if isinstance(cause, (UserError, SandboxError)):
            return str(cause)
        if isinstance(
            cause, (*OF_THE_DISK, *warehouse.get_destination().driver_errors)
        ) and not http_errors.is_request_error(cause):
            said = warehouse.get_destination().describe_error(cause)
            if said is not None:
                return said
        if isinstance(cause, duckdb.CatalogException):
            missing = str(cause).partition("\n")[0].removeprefix("Catalog Error: ")
            return f"{missing} Materialize event_data first."
    return http_errors.user_message(error)
