"""What is found out about synthetic APIs, without a sync: events as they will be in the table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from event_assets.component.json_schema import FILE
from event_assets.probe.connect import discover
from event_assets.probe.discovery import Discovery, Options
from event_assets.values.errors import ConfigError
from event_assets_tests.support.synthetic_apis import SyntheticApi, make, serve
from event_assets_tests.support.synthetic_apis.grammar import AUTHS, PAGING, RECORDS, TOKENS_PATH
from event_assets_tests.vendors.examples import make_records
from event_assets_tests.vendors.server import serve as serve_vendor
from event_assets_tests.vendors.table import SECRET, VENDORS

SEEDS = (0, 18, 39, 55, 60, 62, 84, 98, 156, 211, 302, 496, 1003)
# Without a key, half of the events are shown; links repeat the query, or the order changes.
SOME_PUBLIC = (2, 1052, 2028)

SCHEMA = Draft7Validator(json.loads(FILE.read_text()))


def find_out(api: SyntheticApi, url: str, *, is_place_known: bool, **settings: Any) -> Discovery:
    """Find out about an API as a person may who knows its key, and perhaps the key's place."""
    if api.auth.kind == "oauth2":
        settings["auth.access_token_url"] = url + TOKENS_PATH
    if api.auth.kind in ("query", "header") and is_place_known:
        place = {"name": api.auth.name, "location": api.auth.kind}
        settings["auth"] = {"type": "api_key", **place}
    keys = [*api.secrets.values()]
    return discover(Options(url + api.pasted_url, keys=keys, settings=settings))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_api_is_found_out(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        found = find_out(api, platform.url, is_place_known=True)
    assert found.open_questions == []
    assert len(platform.requests) <= 50
    assert [*SCHEMA.iter_errors(found.document)] == []
    assert len(found.events) == 5
    for event in found.events:
        truth = api.truth[event["id"]]
        expected = (truth.name, truth.start, truth.end)
        assert (event["name"], event["start_time"], event["end_time"]) == expected


@pytest.mark.parametrize(("seed", "asked"), [(18, "fields.start_time.timezone"), (60, "paginator")])
def test_what_no_answer_shows_is_a_question_that_may_stay_open(seed: int, asked: str) -> None:
    api = make(seed)
    with serve(api) as platform:
        found = discover(Options(platform.url + api.pasted_url, keys=[*api.secrets.values()]))
    assert {one.setting for one in found.questions} - {"params"} == {asked}
    assert found.open_questions == []


def test_these_apis_have_every_auth_shape_of_records_and_pagination() -> None:
    apis = [make(seed) for seed in SEEDS]
    assert {api.auth.kind for api in apis} == {auth.kind for auth in AUTHS}
    assert {api.records.shape for api in apis} == {records.shape for records in RECORDS}
    assert {api.paging.style for api in apis} == {paging.style for paging in PAGING}


@pytest.mark.parametrize("seed", SOME_PUBLIC[:2])  # the third is shuffled each time
def test_the_place_of_a_key_is_the_one_that_shows_more(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        found = find_out(api, platform.url, is_place_known=False)
    assert found.open_questions == []
    auth = found.document["attributes"]["rest_api"]["client"]["auth"]
    assert (auth["name"], auth["location"]) == (api.auth.name, api.auth.kind)


@pytest.mark.parametrize("seed", [60, 1038])
def test_the_place_of_a_key_is_where_the_api_says(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        found = find_out(api, platform.url, is_place_known=False)
    assert found.open_questions == []


def test_an_unknown_type_of_auth_is_told_in_a_sentence() -> None:
    api = make(39)
    with serve(api) as platform, pytest.raises(ConfigError, match=r"`apikey` is not a known auth"):
        find_out(api, platform.url, is_place_known=False, **{"auth.type": "apikey"})


def test_a_name_in_the_words_of_a_refusal_is_tried_in_the_query() -> None:
    vendor = VENDORS["ticketmaster"]  # says `Invalid ApiKey`
    with serve_vendor(vendor, make_records("ticketmaster", 60)) as platform:
        found = discover(Options(platform.url + vendor.path, keys=[SECRET]))
    auth = found.document["attributes"]["rest_api"]["client"]["auth"]
    assert auth == {"type": "api_key", "name": "apikey", "location": "query"}


def test_a_list_that_is_called_whole_is_asked_for_no_more_rows_than_came() -> None:
    api = make(2033)
    with serve(api) as platform:
        found = find_out(api, platform.url, is_place_known=True, paginator="single_page")
    endpoint = found.document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    assert endpoint["params"][api.paging.size_param] == api.most < api.count
