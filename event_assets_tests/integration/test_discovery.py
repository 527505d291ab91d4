"""What is found out about synthetic APIs, without a sync: events as they will be in the table."""

from __future__ import annotations

import pytest

from event_assets.probe.discovery import discover
from event_assets.probe.inquiry import Options
from event_assets_tests.support.synthetic_apis import make, serve
from event_assets_tests.support.synthetic_apis.grammar import TOKENS_PATH

SEEDS = (0, 40, 84, 156, 294, 496)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_api_is_found_out(seed: int) -> None:
    api = make(seed)
    with serve(api) as platform:
        has_tokens = api.auth.kind == "oauth2"
        known = {"auth.access_token_url": platform.url + TOKENS_PATH} if has_tokens else {}
        url = platform.url + api.pasted_url
        found = discover(Options(url, keys=[*api.secrets.values()], settings=known))
    assert found.open_questions == []
    assert len(platform.asked) <= 50
    assert len(found.events) == 5
    for event in found.events:
        truth = api.truth[event["id"]]
        expected = (truth.name, truth.start, truth.end)
        assert (event["name"], event["start_time"], event["end_time"]) == expected
