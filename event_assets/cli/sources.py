"""The sources under `defs/`: their names, their YAML, and what it says."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from event_assets.component.component import EventApi
from event_assets.config.source import SourceConfig

PACKAGE = Path(__file__).parents[1]


def load(name: str) -> SourceConfig:
    """Give a source, checked as when its definitions load.

    Raises:
        ComponentTreeException: when its YAML is wrong; the innermost cause says where.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        tree = dg.ComponentTree.for_project(PACKAGE)
        tree.build_defs_at_path(name)
        return tree.load_component(name, expected_type=EventApi).source(name)
