"""Configurations in YAML, loaded as Dagster loads them."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing.utils import create_defs_folder_sandbox

from event_assets import EventApi
from event_assets_tests.support.project import ROOT

CONTRACT = yaml.safe_load((ROOT / "event_assets/defs/events/defs.yaml").read_text())


def contract(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(CONTRACT)
    document["attributes"].update(changes)
    return document


def load(document: Mapping[str, Any], name: str = "events") -> dg.Definitions:
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=EventApi, defs_path=name, defs_yaml_contents=dict(document)
        )
        with sandbox.load_component_and_build_defs(defs_path=path) as (_, definitions):
            return definitions


def complaint(document: Mapping[str, Any]) -> str:
    """Return the innermost error of a failed load, followed by the faulty line of the file."""
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=EventApi, defs_path="events", defs_yaml_contents=dict(document)
        )
        with pytest.raises(Exception) as failed, sandbox.build_all_defs():  # noqa: PT011
            pass
        error: BaseException = failed.value
        while error.__cause__:
            error = error.__cause__
        file = (path / "defs.yaml").as_posix()
        (line, *_) = re.findall(re.escape(file) + r":(\d+)", str(error))
        return f"{error}\n>> {(path / 'defs.yaml').read_text().splitlines()[int(line) - 1]}"
