"""What `event-assets sync` and `check` load: the definitions that Dagster loads of the project."""

from __future__ import annotations

import gc
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from event_assets.config.env_file import read_env_file
from event_assets.config.project import project_setting
from event_assets.config.settings import misspelt_settings
from event_assets.config.source_files import find_sources

if TYPE_CHECKING:
    import dagster as dg


def load_definitions() -> dg.Definitions:
    """Import what loads definitions, and load those of the project; warn of misspelt settings.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    gc.disable()  # also while Dagster is imported
    try:
        loaded = _load()
    finally:
        gc.enable()
    found = find_sources()
    named = {name for source in found.values() for name in source.variables}
    for warning in misspelt_settings(found, named, read_env_file()):
        click.echo(warning, err=True)
    for source in found.values():
        for key in source.unsent_keys:
            click.echo(f"{key} is not sent: there is no `auth` in {source.file}.", err=True)
    return loaded


def _load() -> dg.Definitions:
    """Load the project's own definitions, if they have its sources; else those of its sources."""
    from event_assets.definitions import defs
    from event_assets.orchestration.failures import run_with_plain_errors

    own, failure = None, None
    try:
        own = run_with_plain_errors(_load_own)
    except Exception as error:
        failure = error
    loaded = own if own and own.component_tree else defs()  # or tells what is wrong in a source
    if failure:
        raise failure
    return loaded


def _load_own() -> dg.Definitions | None:
    """Load the definitions in the module that Dagster loads of the project, if it has one."""
    import dagster as dg

    from event_assets._compat.dagster import LazyDefinitions
    from event_assets.component.project import make_importable, plain_load_errors

    make_importable()
    root = project_setting("root_module")
    name = project_setting("code_location_target_module") or f"{root}.definitions"
    with plain_load_errors():
        if find_spec(name) is None:
            return None
        for value in vars(import_module(name)).values():
            found = value() if isinstance(value, LazyDefinitions) else value
            if isinstance(found, dg.Definitions):
                return found
    return None
