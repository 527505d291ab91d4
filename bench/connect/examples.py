"""The platforms of the examples as cases, with the servers of their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.connect.case import Event, Given, Served, Settings, as_documented
from event_assets_tests.vendors.examples import EXAMPLES, make_records
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import VENDORS

COUNT = 230  # records of each example


@contextmanager
def serve_example(name: str) -> Iterator[Served]:
    vendor = VENDORS[name]
    rows = make_records(name, COUNT)
    with serve(vendor, rows) as platform:
        client = EXAMPLES[name]["attributes"]["rest_api"]["client"]
        key = EXAMPLES[name]["attributes"]["rest_api"]["resource_defaults"]["primary_key"]
        url = platform.url
        secrets = _secret_settings(client["auth"], vendor.secrets)
        auth = {**client["auth"], **secrets}
        settings: Settings = {}
        if vendor.tokens:
            settings = {"auth.access_token_url": url + vendor.tokens.path}
            auth["access_token_url"] = url + vendor.tokens.path
        shown = [row for row in rows if _passes(vendor.filters, vendor.defaults, row)]
        attributes = EXAMPLES[name]["attributes"]
        endpoint = attributes["rest_api"]["resources"][0]["endpoint"]
        windows = attributes.get("windows", {})
        hints: list[Settings] = [
            {f"windows.{setting}": value for setting, value in windows.items()},
            {"params": endpoint.get("params")},
            {"paginator": endpoint["paginator"]},
            {"auth": client["auth"]},
            {"primary_key": key},
        ]
        given = Given(url + vendor.path, [*vendor.secrets.values()], settings=settings)
        yield Served(
            given,
            lambda: {str(row[key]): Event() for row in shown},
            lambda: len(platform.requests),
            {"path": url + vendor.path},
            auth,
            as_documented(given, auth),
            [hint for hint in hints if all(value for value in hint.values()) and hint],
            like=name,
        )


def _passes(filters: Mapping[str, Callable[[Any, str], bool]], query: Settings, row: Any) -> bool:
    return all(filters[name](row, value) for name, value in query.items() if name in filters)


SECRET_NAMES = {"api_key": "api_key", "bearer": "token", "http_basic": "username"}


def _secret_settings(auth: Settings, secrets: Mapping[str, str]) -> Settings:
    """Return the secrets of an auth by dlt's names."""
    if auth["type"] == "oauth2_client_credentials":
        return {name.lower(): value for name, value in secrets.items()}
    return {SECRET_NAMES[auth["type"]]: secrets["API_KEY"]}
