"""A Dagster project other than this one, which uses its component."""

import shutil
from pathlib import Path

from event_assets_tests.support.project import ROOT

PROJECT = """
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{module}"
"""
DEFINITIONS = """
from pathlib import Path

import dagster as dg
from event_assets.component.project import build_shared_definitions


@dg.definitions
def defs() -> dg.Definitions:
    sources = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(sources, build_shared_definitions(sources))
"""


def write_project(folder: Path, module: str, source: str) -> Path:
    """Write a project with one source, and return the YAML of that source."""
    file = folder / module / "defs" / source / "defs.yaml"
    file.parent.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(module=module))
    (folder / module / "__init__.py").touch()
    (folder / module / "definitions.py").write_text(DEFINITIONS)
    shutil.copy(ROOT / "event_assets/defs/events/defs.yaml", file)
    return file
