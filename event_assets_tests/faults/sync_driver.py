"""Forks syncs of a resource, for each line of JSON: environment, YAML attributes, account, name."""

import json
import os
from typing import Any

import dlt.sources.rest_api  # noqa: F401 (imported here once)

from event_assets.component.component import EventApi
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.sync.runner import run_sync
from event_assets_tests.faults.forking import serve


def read_resource(attributes: Any, account: str | None, name: str) -> ResourceConfig:
    """Return a resource of a source's YAML, of one of its accounts if it has some."""
    source: SourceConfig = EventApi.model_validate(attributes).source("events")
    return (source.for_account(account) if account else source).resources[name]


def run(line: str) -> bool:
    """Sync a resource."""
    environment, *chosen = json.loads(line)
    os.environ.update(environment)
    run_sync(read_resource(*chosen), lambda _: None, lambda *_: None)
    return True


if __name__ == "__main__":
    serve(run)
