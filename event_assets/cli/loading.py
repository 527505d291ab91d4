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
    gc.disable()  # while Dagster is imported, too
    try:
        from event_assets.definitions import defs

        return defs()
    finally:
        gc.enable()
