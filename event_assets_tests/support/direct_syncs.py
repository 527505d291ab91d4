"""Syncs as an asset runs them, without Dagster: for what comes into the tables and the checks."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg
import pytest

from event_assets import EventApi, warehouse
from event_assets.config.source import SourceConfig
from event_assets.orchestration import check_results, unique_ids
from event_assets.orchestration.error_messages import user_message
from event_assets.sandbox import KEY
from event_assets.sync import account_list, account_registry, runner
from event_assets.sync.current_events import current_events_query
from event_assets.sync.reconcile import reconcile
from event_assets.transform import calendar, changes
from event_assets.warehouse import Database
from event_assets_tests.support.contracts import contract
from event_assets_tests.support.project import Project


def source_of(document: Mapping[str, Any], name: str = "events") -> SourceConfig:
    """Return the configuration of a source, from its YAML."""
    return EventApi(**document["attributes"]).source(name)


def sync_source(source: SourceConfig, *, derived: bool = False, **options: bool) -> None:
    """Sync the lists of a source, those first on which others depend, and derive its tables."""
    for resource in sorted(source.resources.values(), key=lambda each: bool(each.parent)):
        runner.run_sync(resource, lambda _: None, lambda *_: None, **options)
    if derived:
        derive_tables(source)


def default_source(project: Project, url: str | None, key: str | None = KEY) -> SourceConfig:
    """Return the configuration of the source that the project comes with, of an API."""
    project.connect_to(url, key)
    document = contract()
    document["attributes"]["rest_api"]["client"]["base_url"] = url
    return source_of(document)


def sync_default(project: Project, url: str | None, **options: bool) -> SourceConfig:
    """Sync the source that the project comes with from an API, and return its configuration."""
    source = default_source(project, url)
    sync_source(source, **options)
    return source


def sync_accounts(source: SourceConfig, *accounts: str, **options: bool) -> None:
    """Sync accounts of a source, one after the other."""
    for account in accounts:
        sync_source(source.for_account(account, accounts), **options)


def derive_tables(source: SourceConfig) -> None:
    """Make what is made of the events of a source, of all its accounts."""
    warehouse.run(partial(_derive, source))


def failed_sync(source: SourceConfig) -> str:
    """Sync events, which fails, and return what a user is told."""
    with pytest.raises(Exception) as error:  # noqa: PT011 (any that has a sentence)
        sync_source(source)
    return user_message(error.value) or ""


def complete(source: SourceConfig, table: str = "event_data") -> dg.AssetCheckResult:
    """Return the result of the check `complete`."""
    return warehouse.run(lambda database: check_results.evaluate_complete(database, source, table))


def unique(source: SourceConfig) -> dg.AssetCheckResult:
    """Return the result of the check `unique_ids`."""
    return warehouse.run(lambda database: unique_ids.evaluate_unique_ids(database, source))


def _derive(source: SourceConfig, database: Database) -> None:
    name = source.name
    reconcile(database, source)
    if source.accounts:
        names = account_list.list_accounts(source, database)
        account_registry.update_listed(database, name, names)
    view = current_events_query(source)
    database.execute(f"create or replace view {name}.current_events as {view}")
    changes.record_changes(database, source)
    if calendar.has_calendar(source):
        calendar.update_calendar(database, source)
