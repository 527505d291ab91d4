"""Find and load the project's sources."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from event_assets.component.component import EventApi
from event_assets.component.tree import load_tree
from event_assets.config.source import SourceConfig
from event_assets.orchestration.executors import build_executor


def find_source_files() -> dict[str, Path]:
    """Return the `defs.yaml` of each source by the source's name.

    Raises:
        ConfigError: a mistake in a YAML file, by file and line.
    """
    files = load_tree().defs_module_path.glob("*/defs.yaml")
    return {file.parent.name: file for file in sorted(files)}


def load_source(name: str) -> SourceConfig:
    """Load and validate a source.

    Raises:
        ComponentTreeException: from a ConfigError, which names file and line.
        ConfigError: a mistake in another YAML file, or in the environment.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        tree = load_tree()
        tree.build_defs_at_path(name)
        build_executor()  # a wrong one is told by every command
        return tree.load_component(name, expected_type=EventApi).source(name)


def load_synced_sources() -> dict[str, SourceConfig]:
    """Load the sources with an address by name; if there are none, those of the sandbox."""
    tree = load_tree()
    sources = {}
    for name in find_source_files():
        component = tree.load_component(name)
        if isinstance(component, EventApi):
            sources[name] = component.source(name)
    return {name: one for name, one in sources.items() if one.base_url} or sources
