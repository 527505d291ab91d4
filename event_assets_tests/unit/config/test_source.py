"""What a source's configuration says of itself."""

import pytest

from event_assets.config.source import SourceConfig


def test_the_address_is_the_variable_that_the_yaml_names(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://api.example.com"
    monkeypatch.setenv("EVENTS_API_URL", url)
    monkeypatch.setenv("A_COPY_FOR_EVENTS", url)
    source = SourceConfig(name="events", rest_api={"client": {"base_url": url}})
    assert source.base_url_setting == "EVENTS_API_URL"


def test_an_address_in_the_yaml_itself_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://api.example.com"
    monkeypatch.setenv("A_COPY_FOR_EVENTS", url)
    source = SourceConfig(name="events", rest_api={"client": {"base_url": url}})
    assert source.base_url_setting == "`base_url`"
