"""An OpenAPI file says where the list is, how the key is sent, and what parameters are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.requests import Request

from event_assets.probe.openapi import read_openapi
from event_assets.values.errors import ConfigError
from event_assets_tests.support.discoveries import ROWS, asked, connect, endpoint
from event_assets_tests.support.event_records import number

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
        "paths": {"/events": {"get": {}}},
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
        assert (found.url, [*found.known_params]) == (url, names)


HOST = {"host": "a.example", "basePath": "/v9"}
VARIABLES = {"host": {"default": "a.example"}, "version": {"default": "v9"}}


@pytest.mark.parametrize(
    ("parts", "url", "found"),
    [
        ({}, "https://a.example", "https://a.example/v9/all/events"),
        ({}, "https://a.example/v9?x=1", "https://a.example/v9/all/events?x=1"),
        ({}, "https://b.example", "https://b.example/all/events"),
        ({"servers": [{"url": "/v9"}]}, "https://c.example", "https://c.example/v9/all/events"),
        ({"servers": None, **HOST}, None, "https://a.example/v9/all/events"),
        ({"servers": None, **HOST, "schemes": ["http"]}, None, "http://a.example/v9/all/events"),
        (
            {"servers": [{"url": "https://{host}/{version}", "variables": VARIABLES}]},
            None,
            "https://a.example/v9/all/events",
        ),
        (
            {"paths": {"/events": {"$ref": "#/components/paths/~1events"}}},
            None,
            "https://a.example/v9/events",
        ),
    ],
)
def test_the_address_is_put_together(
    tmp_path: Path, parts: Any, url: str | None, found: str
) -> None:
    assert read_openapi(written(tmp_path, **parts), url).url == found


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "basic"}, {"type": "http_basic"}),
        (
            {"type": "oauth2", "flow": "application", "tokenUrl": "/token"},
            {"type": "oauth2_client_credentials", "access_token_url": TOKENS},
        ),
    ],
)
def test_the_auth_of_openapi_2_is_known(tmp_path: Path, scheme: Any, auth: Any) -> None:
    parts = {"components": None, "securityDefinitions": {"it": scheme}, "servers": None, **HOST}
    assert read_openapi(written(tmp_path, **parts), None).key.config == auth


def test_parameters_that_are_numbers_are_tried_whatever_their_names(tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "ab"), min(number(request, "portion", 20), 50)
        return {"events": ROWS[at : at + size]}

    whole = {"schema": {"type": "integer"}, "in": "query"}
    parameters = [{"name": "ab", **whole}, {"name": "portion", **whole}]
    paths = {"/v1/events": {"parameters": parameters, "get": {}}}
    found = connect(answer, openapi=written(tmp_path, paths=paths))
    paginator = endpoint(found)["paginator"]
    assert (paginator["offset_param"], paginator["limit_param"]) == ("ab", "portion")
    assert asked(found) == []


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"paths": None}, "it has no `paths`"),
        ({"paths": {"/users": None}}, "give its URL, too"),
        ({"servers": []}, "does not name the API's host: give its URL, too"),
        ({"paths": {"/users/{id}/events": {"get": {}}}}, "give its URL, too"),
        ({"security": 5}, "is not a valid OpenAPI file"),
        ({"paths": {"/events": {"parameters": 5, "get": {}}}}, "is not a valid OpenAPI file"),
        ({"security": [[["key"]]]}, "is not a valid OpenAPI file"),
    ],
)
def test_a_file_that_names_no_list_is_told(tmp_path: Path, parts: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_openapi(written(tmp_path, **parts), None)
