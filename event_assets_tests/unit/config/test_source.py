"""What a source's configuration says of itself."""

from pathlib import Path

import pytest

from event_assets.component.scaffolder import TEMPLATE
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


def test_what_to_set_without_an_address_is_the_variable_that_the_yaml_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dg.toml").write_text('[project]\nroot_module = "shop"\n')
    file = tmp_path / "src/shop/defs/konzerte/defs.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TEMPLATE.read_text().replace("NAME_", "KONZERTE_"))
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(tmp_path))
    source = SourceConfig(name="konzerte", rest_api={"client": {"base_url": ""}})
    assert source.url_setting == "KONZERTE_API_URL in .env"
