"""Failures that a user can fix: one sentence in the log and the UI, without a traceback."""

from collections.abc import Callable
from typing import TypeVar

import dagster as dg

from event_assets._compat.dagster import PlainFailure, PlainInterrupt
from event_assets.values.errors import exception_chain
from event_assets.values.redaction import redact_error

T = TypeVar("T")
INTERRUPTS = (KeyboardInterrupt, dg.DagsterExecutionInterruptedError)


def run_with_plain_errors(action: Callable[[], T]) -> T:
    """Run an action, and replace an error that a user can fix by its message.

    Raises:
        PlainFailure: in place of an error that a user can fix.
        PlainInterrupt: in place of an interrupt, and of an error that it caused.
    """
    try:
        return action()
    except BaseException as error:
        failure = plain_error(error)
        if failure is error:
            raise
    # After the except block, so that the original error is not its context.
    raise failure


def plain_error(error: BaseException) -> BaseException:
    """Return what to raise for an error: a sentence if a user can fix it, and never a secret."""
    if any(isinstance(cause, INTERRUPTS) for cause in exception_chain(error)):
        return PlainInterrupt("Interrupted. Run it again.")
    if not isinstance(error, Exception):
        return error
    from event_assets.orchestration.error_messages import user_message  # imports much

    message = user_message(error)
    return redact_error(error) if message is None else PlainFailure(message)
