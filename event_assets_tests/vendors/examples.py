"""The examples, unchanged but for the address of a server on loopback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dagster import ExecuteInProcessResult

from event_assets import EventApi
from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.api_server import ApiServer
from event_assets_tests.support.platforms import definitions, run
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.streams import read_all, reading_source
from event_assets_tests.vendors.records import MAKERS, Record
from event_assets_tests.vendors.table import VENDORS
from event_assets_tests.vendors.traits import Page, Paging, Vendor

Document = dict[str, Any]
Change = Callable[[Document], object]
EXAMPLES: dict[str, Document] = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "examples").glob("*/defs.yaml"))
}


def load_example(name: str, url: str) -> Document:
    """Return an example with its addresses replaced by `url`."""
    document = copy.deepcopy(EXAMPLES[name])
    client = document["attributes"]["rest_api"]["client"]
    for part, address in ((client, "base_url"), (client["auth"], "access_token_url")):
        with suppress(KeyError):
            part[address] = url + urlsplit(part[address]).path
    return document


def expected_ids(name: str, rows: Sequence[Record]) -> set[str]:
    """Return the ids of the events that the example's parameters select."""
    key = EXAMPLES[name]["attributes"]["rest_api"]["resource_defaults"]["primary_key"]
    defaults, filters = VENDORS[name].defaults, VENDORS[name].filters
    params = {**defaults, **get_endpoint(EXAMPLES[name]).get("params", {})}
    asked = {param: value for param, value in params.items() if param in filters}
    return {
        str(row[key])
        for row in rows
        if all(
            filters[param](row, ",".join(value) if isinstance(value, list) else value)
            for param, value in asked.items()
        )
    }


def get_endpoint(document: Document) -> dict[str, Any]:
    """Return an example's endpoint configuration."""
    found: dict[str, Any] = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    return found


def sync_example(
    project: Project,
    name: str,
    url: str,
    change: Change = lambda _: None,
    *,
    job: str = "sync_{}",
    derived: bool = False,
    keep: Sequence[str] = (),
) -> ExecuteInProcessResult:
    """Sync an example after `change`, with its secrets set except those in `keep`."""
    for secret, value in VENDORS[name].secrets.items():
        if secret not in keep:
            project.environment.setenv(f"{name.upper()}__{secret}", value)
    document = load_example(name, url)
    change(document)
    return run(project, definitions({name: document}), job.format(name), derived=derived)


@dataclass
class Read:
    """What came of the list of an example, without a database."""

    ids: set[str]
    result: PaginationResult


def read_example(
    environment: pytest.MonkeyPatch, name: str, url: str, change: Change = lambda _: None
) -> Read:
    """Read the list of an example after `change`, with its secrets set."""
    for secret, value in VENDORS[name].secrets.items():
        environment.setenv(f"{name.upper()}__{secret}", value)
    document = load_example(name, url)
    change(document)
    with reading_source(EventApi(**document["attributes"]).source(name)) as stream:
        records = read_all(stream)
        key = document["attributes"]["rest_api"]["resource_defaults"]["primary_key"]
        return Read({str(record[key]) for record in records}, stream.result)


def make_records(name: str, count: int) -> list[Record]:
    return [MAKERS[name](number) for number in range(count)]


def with_paging(name: str, **traits: Any) -> Vendor:
    """Return a platform with other paging traits."""
    changed: Paging = replace(VENDORS[name].paging, **traits)
    return replace(VENDORS[name], paging=changed)


def after_first_page(vendor: Vendor, happens: Callable[[], object]) -> Vendor:
    """Return a platform where something happens after the first page."""
    pages = iter([happens])

    def answer(page: Page) -> Any:
        next(pages, lambda: None)()
        return vendor.answer(page)

    return replace(vendor, answer=answer)


def without_windows(document: Document) -> None:
    del document["attributes"]["windows"]


def set_paginator(**paginator: Any) -> Change:
    return lambda document: get_endpoint(document).update(paginator=paginator)


def without_has_more(document: Document) -> None:
    del get_endpoint(document)["paginator"]["has_more_path"]


def set_params(**params: Any) -> Change:
    return lambda document: get_endpoint(document)["params"].update(params)


def ids(project: Project, name: str, table: str = "event_data") -> set[str]:
    return {row[0] for row in project.rows(f"select id from {name}.{table}")}


def statuses(api: ApiServer) -> set[int]:
    return {answer.status_code for answer in api.responses}
