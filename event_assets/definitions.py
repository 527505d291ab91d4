"""The definitions that Dagster loads: every source under the project's `defs/`."""

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Any, Final

import dagster as dg

from event_assets.config.env_file import env_file
from event_assets.config.source_files import defs_folder
from event_assets.orchestration.failures import run_with_plain_errors

# From Python 3.14 on, DuckDB 1.5 aborts the process at its exit if its module is frozen.
FREEZES_DUCKDB: Final = sys.version_info < (3, 14)
if FREEZES_DUCKDB:  # a process that ends need not look for garbage among all that it imported
    atexit.register(gc.freeze)
# What was loaded, by what it depends on: a command of Dagster asks for it six times.
_loaded: list[tuple[Any, dg.Definitions]] = []


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and add what they share; again only if a file or a variable has changed.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    return run_with_plain_errors(_load)


def _load() -> dg.Definitions:
    if _loaded and _loaded[0][0] == _state():
        return _loaded[0][1]
    if not FREEZES_DUCKDB and "duckdb" not in sys.modules:
        gc.freeze()
    gc.disable()  # what is imported stays: to look for garbage in it takes a sixth of the time
    try:
        from event_assets.component.project import build_definitions  # while that is off

        built = build_definitions()
    finally:
        if FREEZES_DUCKDB and not _loaded:  # once
            gc.freeze()
        gc.enable()
    _loaded[:] = [(_state(), built)]
    return built


def _state() -> Any:
    """Return what definitions depend on: the variables, and when each file was changed."""
    files = [env_file(), *defs_folder().rglob("*")]
    known = {file: file.stat().st_mtime_ns for file in files if file.is_file()}
    return dict(os.environ), Path.cwd(), known
