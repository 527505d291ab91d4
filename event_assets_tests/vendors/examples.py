"""The examples as they stand, pointed at a server on loopback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import yaml
from dagster import ExecuteInProcessResult

from event_assets_tests.support.platforms import Platform, definitions, run
from event_assets_tests.support.project import ROOT, Project, checks
from event_assets_tests.vendors.records import MAKERS, Record
from event_assets_tests.vendors.table import VENDORS
from event_assets_tests.vendors.traits import Page, Paging, Vendor

Document = dict[str, Any]
Change = Callable[[Document], object]
EXAMPLES: dict[str, Document] = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "examples").glob("*/defs.yaml"))
}


def pointed(name: str, url: str) -> Document:
    """Give an example with another server in its addresses, and nothing else changed."""
    document = copy.deepcopy(EXAMPLES[name])
    client = document["attributes"]["rest_api"]["client"]
    for part, address in ((client, "base_url"), (client["auth"], "access_token_url")):
        with suppress(KeyError):
            part[address] = url + urlsplit(part[address]).path
    return document


def listed(name: str, rows: Sequence[Record]) -> set[str]:
    """Give the ids of the events that the example's user sees."""
    key = EXAMPLES[name]["attributes"]["rest_api"]["resource_defaults"]["primary_key"]
    defaults, filters = VENDORS[name].defaults, VENDORS[name].filters
    params = {**defaults, **endpoint(EXAMPLES[name]).get("params", {})}
    asked = {param: value for param, value in params.items() if param in filters}
    return {
        str(row[key])
        for row in rows
        if all(
            filters[param](row, ",".join(value) if isinstance(value, list) else value)
            for param, value in asked.items()
        )
    }


def endpoint(document: Document) -> dict[str, Any]:
    """Give the part of an example that says what to ask for."""
    found: dict[str, Any] = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    return found


def sync(
    project: Project,
    name: str,
    url: str,
    change: Change = lambda _: None,
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


# what is changed of a platform


def made(name: str, count: int) -> list[Record]:
    return [MAKERS[name](number) for number in range(count)]


def paging(name: str, **traits: Any) -> Vendor:
    """Give a platform whose pages are a little different."""
    changed: Paging = replace(VENDORS[name].paging, **traits)
    return replace(VENDORS[name], paging=changed)


def after_first_page(vendor: Vendor, happens: Callable[[], object]) -> Vendor:
    """Have something happen while the list is read."""
    pages = iter([happens])

    def answer(page: Page) -> Any:
        next(pages, lambda: None)()
        return vendor.answer(page)

    return replace(vendor, answer=answer)


# what is changed of an example


def without_windows(document: Document) -> None:
    del document["attributes"]["windows"]


def paged(**paginator: Any) -> Change:
    return lambda document: endpoint(document).update(paginator=paginator)


def without_has_more(document: Document) -> None:
    del endpoint(document)["paginator"]["has_more_path"]


def asking(**params: Any) -> Change:
    return lambda document: endpoint(document)["params"].update(params)


# what came of it


def ids(project: Project, name: str, table: str = "event_data") -> set[str]:
    return {row[0] for row in project.rows(f"select id from {name}.{table}")}


def doubted(result: ExecuteInProcessResult, severity: str) -> str:
    """Give the reason why a sync is not known to be complete."""
    check = checks(result)["complete"]
    assert (check.passed, check.severity.name) == (False, severity)
    return str(check.description)


def statuses(api: Platform) -> set[int]:
    return {answer.status_code for answer in api.answers}
