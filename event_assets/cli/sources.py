"""`event-assets sources`, and how the other commands find and load sources."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from event_assets.cli.output import json_option, print_json
from event_assets.config.source_files import defs_folder, find_sources, unused_sandboxes

if TYPE_CHECKING:
    import dagster as dg

    from event_assets.config.source import SourceConfig


@click.command()
@json_option
def sources(as_json: bool) -> None:
    """List the sources: their API and the file that describes it."""
    found = find_sources()
    if as_json:
        print_json(
            [
                {"source": name, "address": source.shown_base_url, "file": str(source.file)}
                for name, source in found.items()
            ]
        )
        return
    if not found:
        click.echo("There are no sources.")
    width = max(map(len, found), default=0)
    for name, source in found.items():
        note = " (not synced beside an API)" if name in unused_sandboxes(found) else ""
        click.echo(f"{name:<{width}}  {source.shown_base_url}{note}  {source.file}")


def select_source(name: str | None) -> str:
    """Return the named source; without a name, the only one that is synced.

    Raises:
        UsageError: there is no such source, or there are several.
    """
    found = find_sources()
    if name is not None:
        require_known([name])
        return name
    synced = [each for each in found if each not in unused_sandboxes(found)]
    if len(synced) != 1:
        raise click.UsageError(f"Name a source; known sources: {', '.join(found) or 'none'}")
    return synced[0]


def require_known(names: Iterable[str]) -> None:
    """Raise a usage error for a name that no source has."""
    known = find_sources()
    for name in names:
        if name not in known:
            raise click.UsageError(
                f"Unknown source `{name}`; known sources: {', '.join(known) or 'none'}"
            )


def load_source(name: str) -> SourceConfig:
    """Load and validate a source.

    Raises:
        ComponentTreeException: from a ConfigError, which names file and line.
        ConfigError: a mistake in another YAML file, or in the environment.
    """
    import warnings

    import dagster as dg

    from event_assets.component.project import load_tree, plain_load_errors

    with plain_load_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        tree = load_tree()
        tree.build_defs_at_path(_path_in_tree(name))
        return read_source(tree, name)


def read_source(tree: dg.ComponentTree, name: str) -> SourceConfig:
    """Return the configuration of a source in a tree of components."""
    from event_assets.component.component import EventApi

    loaded = tree.load_component(_path_in_tree(name))
    parts = getattr(loaded, "components", [loaded])  # a file may hold several
    return next(one for one in parts if isinstance(one, EventApi)).configure(name, tree)


def _path_in_tree(name: str) -> Path:
    """Return the folder of a source, below the one that Python may have found by another path."""
    return find_sources()[name].file.parent.relative_to(defs_folder())
