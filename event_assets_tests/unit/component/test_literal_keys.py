"""What is no key, or may be public, stands in the YAML as it is."""

import pytest

from event_assets.component.literal_keys import find_literal_keys
from event_assets.component.yaml_file import Scalar
from event_assets.config.model import Keys

AUTH, HEADERS, PARAMS = ("client", "auth"), ("client", "headers"), ("endpoint", "params")
KEY = "abc123def456"


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        *((AUTH, "api_key", public) for public in ("", None, "X", "DEMO_KEY", "your-key-12345678")),
        *(
            (AUTH, "api_key", template)
            for template in ("{{ env.API_KEY }}", "{{env.API_KEY_2024}}")
        ),
        (AUTH, "username", "eventteam2024"),
        (AUTH, "name", KEY),
        (HEADERS, "Authorization", "Bearer {{ env.API_KEY }}"),
        (HEADERS, "User-Agent", KEY),
        *((PARAMS, name, KEY) for name in ("keyword", "sort_key", "page_token", "monkey")),
        (PARAMS, "token", "2024-01-01"),
    ],
)
def test_what_may_be_public_is_no_mistake(place: Keys, name: str, value: str | None) -> None:
    assert [*find_literal_keys([((*place, name), Scalar(1, value))], "events")] == []


def test_a_key_is_told_without_itself_and_with_the_variable_of_its_source() -> None:
    ((_, said),) = find_literal_keys([((*AUTH, "token"), Scalar(1, KEY))], "concerts")
    assert "put it into .env as CONCERTS__API_KEY=..." in said
    assert KEY not in said
