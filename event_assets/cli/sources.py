"""Find and load the project's sources."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from event_assets.component.component import EventApi
from event_assets.config.project import find_project
from event_assets.config.source import SourceConfig


def find_source_files() -> dict[str, Path]:
    """Return the `defs.yaml` of each source by the source's name."""
    files = _component_tree().defs_module_path.glob("*/defs.yaml")
    return {file.parent.name: file for file in sorted(files)}


def load_source(name: str) -> SourceConfig:
    """Load and validate a source.

    Raises:
        ComponentTreeException: if its YAML is wrong; the root cause names file and line.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        tree = _component_tree()
        tree.build_defs_at_path(name)
        return tree.load_component(name, expected_type=EventApi).source(name)


def _component_tree() -> dg.ComponentTree:
    return dg.ComponentTree.for_project(find_project())
