"""A source's YAML is written with comments, and reads back the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from event_assets.cli.set_option import parse_setting
from event_assets.probe.source_yaml import apply_settings, find_keys, set_value, write_yaml
from event_assets.values.errors import ConfigError

QUERY = "query ($after: String) {\n  events(after: $after) { id }\n}"


@pytest.mark.parametrize(
    "value",
    [
        "NO",
        "1.10",
        "007",
        "a: b",
        "x # y",
        "it's",
        '"',
        "{{ env.A }}",
        "",
        "ü",
        "null",
        QUERY,
        *(True, None, 1.5, [], {}, [1, "2"], {"a": {"b": [{"c": 1}, {"d": {"e": "f"}}]}}),
        *([{"a": 1, "b": {"c": QUERY}}], {"x": ["y" * 60, "z" * 60]}),
        *(["tail\n", "tail\n\n", "  lead\n x", "a\u2028b"], {"a\nb": ["\n"], "a: b": [[QUERY]]}),
    ],
)
def test_any_value_reads_back_the_same(value: Any) -> None:
    document = {"type": "T", "attributes": {"one": value, "two": [{"deep": value}]}}
    text = write_yaml(document, {("attributes", "one"): "why"}, "# The head")
    assert yaml.safe_load(text) == document
    assert text.startswith("# The head\ntype: T\n\nattributes:\n")


def test_a_comment_stands_beside_its_line_or_above_a_long_one() -> None:
    document = {"short": {"a": 1}, "long": "x" * 60}
    text = write_yaml(document, {("short",): "why", ("long",): "because " * 12})
    lines = text.splitlines()
    assert lines[0] == "short: {a: 1} # why"
    assert lines[1].startswith("# because")
    assert max(map(len, lines)) <= 100


def test_a_blank_line_has_no_blanks() -> None:
    text = write_yaml({"attributes": {"a": [{"b": {"c": 1}}], "fields": {"id": {}}}}, {})
    assert "\n\n  fields:" in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize(
    ("setting", "keys"),
    [
        ("params.start.gte", "attributes.rest_api.resources.0.endpoint.params.start.gte"),
        ("paginator.type", "attributes.rest_api.resources.0.endpoint.paginator.type"),
        ("auth.name", "attributes.rest_api.client.auth.name"),
        ("primary_key", "attributes.rest_api.resource_defaults.primary_key"),
        ("fields.name.from", "attributes.fields.name.from"),
        ("rest_api.client", "attributes.rest_api.client"),
    ],
)
def test_a_setting_is_named_by_a_short_path(setting: str, keys: str) -> None:
    assert ".".join(map(str, find_keys(setting))) == keys


def test_settings_are_applied_to_a_copy() -> None:
    document = {"attributes": {"fields": {"name": {"from": "a"}}, "schedule": "x"}}
    changed = apply_settings(
        document, dict(map(parse_setting, ("fields.name.from=b", "schedule=")))
    )
    assert changed == {"attributes": {"fields": {"name": {"from": "b"}}}}
    assert document["attributes"]["schedule"] == "x"


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a path and a value"):
        parse_setting("params")


def test_a_value_is_set_in_a_document_that_stays_as_it_was() -> None:
    body = {"query": {"paging": {"limit": 5}}}
    changed = set_value(body, ("query", "paging", "offset"), 9)
    assert changed == {"query": {"paging": {"limit": 5, "offset": 9}}}
    assert body == {"query": {"paging": {"limit": 5}}}
    assert set_value(None, ("variables", "after"), "x") == {"variables": {"after": "x"}}
