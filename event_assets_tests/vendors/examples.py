"""The examples as they stand, pointed at a server on loopback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import yaml
from dagster import ExecuteInProcessResult

from event_assets_tests.conftest import ROOT, Project
from event_assets_tests.platforms import definitions, run
from event_assets_tests.vendors.table import VENDORS

EXAMPLES = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "examples").glob("*/defs.yaml"))
}


def pointed(name: str, url: str) -> dict[str, Any]:
    """Give an example with another server in its addresses, and nothing else changed."""
    document: dict[str, Any] = copy.deepcopy(EXAMPLES[name])
    client = document["attributes"]["rest_api"]["client"]
    for part, address in ((client, "base_url"), (client["auth"], "access_token_url")):
        with suppress(KeyError):
            part[address] = url + urlsplit(part[address]).path
    return document


def endpoint(document: dict[str, Any]) -> dict[str, Any]:
    """Give the part of an example that says what to ask for."""
    found: dict[str, Any] = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    return found


def sync(
    project: Project,
    name: str,
    url: str,
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    *,
    job: str = "sync_{}",
    keep: Sequence[str] = (),
) -> ExecuteInProcessResult:
    """Sync an example, with its secrets set, after `change`; secrets in `keep` stay as they are."""
    for secret, value in VENDORS[name].secrets.items():
        if secret not in keep:
            project.environment.setenv(f"{name.upper()}__{secret}", value)
    document = pointed(name, url)
    change(document)
    return run(project, definitions({name: document}), job.format(name))
