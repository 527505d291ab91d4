"""The synthetic APIs: read by their own rules, they bring every event; a key is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from event_assets_tests.support.synthetic_apis import KEPT_SEEDS, SyntheticApi, make, serve
from event_assets_tests.support.synthetic_apis.grammar import (
    AUTHS,
    PAGING,
    QUIRKS,
    RECORDS,
    SECRET,
    TOKENS_PATH,
    TOTALS,
)
from event_assets_tests.support.synthetic_apis.records import IDS, NAMES, TIMES, Record
from event_assets_tests.support.synthetic_apis.server import SENT


def log_in(api: SyntheticApi, url: str) -> requests.Session:
    session = requests.Session()
    auth = api.auth
    if auth.kind == "query":
        session.params = {auth.name: SECRET}
    elif auth.kind == "oauth2":
        token = session.post(url + TOKENS_PATH, data=dict(api.secrets)).json()
        session.headers["Authorization"] = f"{token['token_type']} {token['access_token']}"
    elif auth.kind != "none":
        session.headers[auth.name] = SENT.get(auth.kind, SECRET)
    return session


def records_of(api: SyntheticApi, body: Any) -> list[Record]:
    for name in filter(None, api.records.path.split(".")):
        body = body[name]
    records: dict[str, Callable[[], list[Record]]] = {
        "list": lambda: body,
        "nodes": lambda: [edge["node"] for edge in body],
        "attributes": lambda: [{"id": each["id"], **each["attributes"]} for each in body],
        "by id": lambda: list(body.values()),
        "groups": lambda: [record for group in body for record in group["events"]],
        "wrapped": lambda: [each["event"] for each in body],
    }
    return records[api.records.shape]()


def read(api: SyntheticApi, session: requests.Session, url: str) -> Iterator[list[Record]]:
    """Yield the records of each page, as the API's documentation would tell to read it."""
    paging, params = api.paging, {}
    if api.quirk == "shuffled unless sorted":
        params["sort"] = api.key
    if api.quirk == "a cursor for those who send one":
        params[paging.param] = "*"
    page, rows, at = paging.first, 0, url + api.path
    while True:
        response = session.get(at, params=params)
        response.raise_for_status()
        found = records_of(api, response.json())
        yield found
        page, rows = page + 1, rows + len(found)
        told: Any = response.json()
        for name in paging.path.split(".") if paging.path else []:
            told = told[name]
        follows = {
            "none": None,
            "link": told,
            "relative link": told,
            "header link": response.links.get("next", {}).get("url"),
            "cursor": told if told != params.get(paging.param) else None,
            "last id": str(found[-1][api.key]) if found else None,
        }.get(paging.style, rows < api.count)
        if not follows:
            return
        if "link" in paging.style:
            at, params = urljoin(url, str(follows)), {}
        else:
            asked = {"page": page, "offset": rows, "offset in pages": page}
            params = {**params, paging.param: str(asked.get(paging.style, follows))}


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_read_by_its_own_rules_an_api_brings_every_event(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        found = [
            str(record[api.key])
            for page in read(api, log_in(api, platform.url), platform.url)
            for record in page
        ]
    if api.quirk != "shuffled":
        assert len(found) == len(api.truth)
        assert set(found) == set(api.truth)


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_without_a_key_an_api_refuses_or_shows_less(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        answers = [
            requests.get(platform.url + api.path),
            log_in(api, platform.url).get(platform.url + api.path),
        ]
    assert answers[1].status_code == 200
    assert (answers[0].content == answers[1].content) == (
        api.auth.kind == "none"
    ) or api.quirk.startswith("shuffled")


def test_a_seed_is_one_api() -> None:
    assert make(7) == make(7)
    assert make(7).events == make(7).events


def test_the_kept_seeds_have_every_trait() -> None:
    apis = [make(seed) for seed in KEPT_SEEDS]
    assert len(apis) == 30
    assert {api.auth.kind for api in apis} == {auth.kind for auth in AUTHS}
    assert {api.records for api in apis} == set(RECORDS)
    assert {api.paging.style for api in apis} == {paging.style for paging in PAGING}
    assert {api.quirk for api in apis} == {quirk.name for quirk in QUIRKS}
    assert {api.total for api in apis} == set(TOTALS)
    assert {api.times for api in apis} == set(TIMES)
    assert {api.names for api in apis} == set(NAMES)
    assert {api.key for api in apis} == set(IDS)
