"""The synthetic APIs as cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bench.connect.case import Event, Given, Served, Settings, as_documented
from event_assets_tests.support.synthetic_apis import SyntheticApi, serve
from event_assets_tests.support.synthetic_apis.grammar import TOKENS_PATH

# The path from the records to the last one.
LAST = {"list": "[-1].", "nodes": "[-1].node.", "attributes": "[-1].", "wrapped": "[-1].event."}
LAST |= {"groups": "[-1].events[-1].", "by id": "[-1]."}  # the latter finds none
PAGINATORS: Mapping[str, Callable[[SyntheticApi], Settings]] = {
    "none": lambda _: {"type": "single_page"},
    "link": lambda api: {"type": "json_link", "next_url_path": api.paging.path},
    "relative link": lambda api: {"type": "json_link", "next_url_path": api.paging.path},
    "header link": lambda _: {"type": "header_link"},
    "cursor": lambda api: {
        "type": "cursor",
        "cursor_path": api.paging.path,
        "cursor_param": api.paging.param,
    },
    "page": lambda api: {
        "type": "page_number",
        "page_param": api.paging.param,
        "base_page": api.paging.first,
    },
    "offset": lambda api: {
        "type": "offset",
        "offset_param": api.paging.param,
        "limit_param": api.paging.size_param,
        "limit": api.default,
    },
    "offset in pages": lambda api: {
        "type": "page_number",
        "page_param": api.paging.param,
        "base_page": 0,
    },
    "last id": lambda api: {
        "type": "cursor",
        "cursor_path": f"{api.records.path}{LAST[api.records.shape]}{api.key}",
        "cursor_param": api.paging.param,
    },
}


@contextmanager
def serve_synthetic(api: SyntheticApi) -> Iterator[Served]:
    with serve(api) as platform:
        url, secrets = platform.url, api.secrets
        auths: Mapping[str, Settings | None] = {
            "none": None,
            "bearer": {"type": "bearer", "token": secrets.get("api_key")},
            "basic": {"type": "http_basic", **secrets},
            "oauth2": {
                "type": "oauth2_client_credentials",
                "access_token_url": url + TOKENS_PATH,
                **secrets,
            },
        }
        place = {"type": "api_key", "name": api.auth.name, "location": api.auth.kind}
        auth = auths.get(api.auth.kind, {**place, **secrets})
        token: Settings = {"auth.access_token_url": url + TOKENS_PATH}
        settings = token if api.auth.kind == "oauth2" else {}
        hints: list[Settings] = [
            {"paginator": PAGINATORS[api.paging.style](api)},
            {"params": {"sort": api.key}},
            {"primary_key": api.key},
            *({"auth": {**place}} for _ in range(api.auth.kind in ("query", "header"))),
            *({"auth.type": each["type"]} for each in [auth] if each),
        ]
        if api.quirk == "a cursor for those who send one":
            hints.append({**hints[0], "params": {api.paging.param: "*"}})
        given = Given(url + api.pasted_url, [*secrets.values()], settings=settings)
        yield Served(
            given,
            lambda: {
                id_: Event(event.name, event.start, event.end) for id_, event in api.truth.items()
            },
            lambda: len(platform.requests),
            {"path": url + api.path},
            auth,
            as_documented(given, auth),
            hints,
        )
