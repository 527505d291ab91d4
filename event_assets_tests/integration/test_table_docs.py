"""The tables and columns that syncs make are those in the documentation."""

import re

import pytest

from event_assets.config.accounts import ACCOUNT
from event_assets_tests.support.accounts import derive, serving_accounts, sync, with_accounts
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import load
from event_assets_tests.support.direct_syncs import source_of, sync_source
from event_assets_tests.support.docs import SPAN, page
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

Tables = dict[str, set[str]]
CONTRACT = {"id", "name", "start_time"}
REMOVED = {"status": "cancelled"}
OF_THE_API = ("event_data", "current_events", "event_changes_snapshot", "all_events")
CATALOG = """
select table_name, column_name from duckdb_columns()
where not internal and schema_name in ('events', 'main') and not starts_with(table_name, '_dlt')
"""


def found_in(project: Project) -> Tables:
    """Return the columns of each table and view, without those that the API decides."""
    tables: Tables = {}
    for table, column in project.rows(CATALOG):
        of_the_api = table in OF_THE_API and column in CONTRACT
        tables.setdefault(table, set()).update(() if of_the_api else (column,))
    return tables


def documented() -> Tables:
    """Return the columns of each table in the documentation."""
    text = page("docs/tables.md")
    tables: Tables = {name: set() for name in re.findall(r"^### `(\w+)`", text.prose, re.MULTILINE)}
    for row in text.rows():
        (name,) = SPAN.findall(row.heading)
        tables[name].update(row.names)
    # The text says that these have the columns of event_data, all or most of them.
    tables["current_events"] = tables["event_data"]
    tables["event_changes_snapshot"] = tables["event_data"] - {"last_seen_at", "_dlt_load_id"}
    return tables


def test_all_tables_and_columns_are_documented(project: Project) -> None:
    with serving_accounts({"one": events(30)}) as api:
        document = with_accounts(api.url, ["one"])
        document["attributes"]["removed_when"] = REMOVED
        loaded = load(document)
        (synced,) = sync(project, loaded, "one")
        assert synced.success
        assert derive(project, loaded).success
    made = found_in(project)
    expected = documented()
    del expected["all_events"]  # there is one source
    assert made == expected


def test_without_accounts_the_same_but_for_their_column(project: Project) -> None:
    with serving({"/v1/events": paged(events(3))}) as api:
        both = {"events": source(api.url, removed_when=REMOVED), "concerts": source(api.url)}
        sync_source(source_of(both["concerts"], "concerts"), derived=True)
        assert run(project, definitions(both), derived=True).success
    made = found_in(project)
    expected = {name: columns - {ACCOUNT} for name, columns in documented().items()}
    del expected["event_data_accounts"]
    assert made == expected
