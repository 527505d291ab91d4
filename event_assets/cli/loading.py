"""Load the definitions of the project."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from event_assets.config.settings import misspelt_settings
from event_assets.config.source_files import find_sources

if TYPE_CHECKING:
    import dagster as dg


def load_definitions() -> dg.Definitions:
    """Import what loads definitions, and load those of the project; warn of misspelt settings.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    gc.disable()  # while Dagster is imported, too
    try:
        from event_assets.definitions import defs

        loaded = defs()
    finally:
        gc.enable()
    named = {name for source in find_sources().values() for name in source.variables}
    for warning in misspelt_settings(named):
        click.echo(warning, err=True)
    return loaded
