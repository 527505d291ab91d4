"""An OpenAPI file says where the list is, how the key is sent, and what parameters are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from event_assets.probe.openapi import read_openapi
from event_assets.values.errors import ConfigError

TOKENS = "https://a.example/token"
SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-odd-key"},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKENS}}},
    "login": {"type": "oauth2", "flows": {"implicit": {}}},
    "same": {"$ref": "#/components/securitySchemes/bearer"},
}
PARAMETERS = [
    {"in": "query", "name": "odd_page"},
    {"in": "path", "name": "id"},
    {"$ref": "#/components/parameters/size"},
]


def written(folder: Path, **parts: Any) -> Path:
    paths = {
        "/accounts/{id}/events": {"get": {"parameters": PARAMETERS}},
        "/all/events": {"get": {}},
        "/events/{id}": {"get": {}},
        "/venues": {"post": {}},
    }
    components = {
        "securitySchemes": SCHEMES,
        "parameters": {"size": {"in": "query", "name": "odd_size"}},
    }
    document = {"servers": [{"url": "https://a.example/v9/"}], "paths": paths, **parts}
    file = folder / "openapi.yaml"
    file.write_text(yaml.safe_dump({"components": components, **document}))
    return file


@pytest.mark.parametrize(
    ("name", "auth"),
    [
        ("key", {"type": "api_key", "name": "x-odd-key", "location": "header"}),
        ("bearer", {"type": "bearer"}),
        ("basic", {"type": "http_basic"}),
        ("oauth", {"type": "oauth2_client_credentials", "access_token_url": TOKENS}),
        ("same", {"type": "bearer"}),
        ("login", {}),
        ("none", {}),
    ],
)
def test_the_auth_is_that_of_the_security_that_is_required(
    tmp_path: Path, name: str, auth: Any
) -> None:
    assert read_openapi(written(tmp_path, security=[{name: []}]), None).key.config == auth


def test_the_list_is_the_path_that_is_named_after_events(tmp_path: Path) -> None:
    assert read_openapi(written(tmp_path), None).url == "https://a.example/v9/all/events"


def test_an_address_outranks_the_file_which_names_its_parameters(tmp_path: Path) -> None:
    for url, names in (
        ("https://b.example/v9/accounts/7/events?x=1", ["odd_page", "odd_size"]),
        ("https://b.example/v9/all/events/", []),
        ("https://b.example/v9/other", []),
    ):
        found = read_openapi(written(tmp_path), url)
        assert (found.url, found.known_params) == (url, names)


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"paths": None}, "it has no `paths`"),
        ({"paths": {"/users/{id}/events": {"get": {}}}}, "give its URL, too"),
    ],
)
def test_a_file_that_names_no_list_is_told(tmp_path: Path, parts: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_openapi(written(tmp_path, **parts), None)
