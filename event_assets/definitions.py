"""The definitions that Dagster loads: every source under the project's `defs/`."""

import gc

import dagster as dg

from event_assets.orchestration.failures import run_with_plain_errors


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and add what they share.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    gc.disable()  # what is imported stays: to look for garbage in it takes a sixth of the time
    try:
        from event_assets.component.project import build_definitions  # while that is off

        return run_with_plain_errors(build_definitions)
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        gc.enable()
