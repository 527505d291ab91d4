"""Load the definitions of the project."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg


def load_definitions() -> dg.Definitions:
    """Import what loads definitions, and load those of the project.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    gc.disable()  # what is imported stays: looking for garbage in it takes a sixth of the time
    try:
        from event_assets import definitions

        return definitions.defs()
    finally:
        gc.enable()
