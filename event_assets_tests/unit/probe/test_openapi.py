"""An OpenAPI file says where the list is, how the key is sent, and what parameters are called."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.requests import Request

from event_assets.probe.connect import discover
from event_assets.probe.discovery import Options
from event_assets.probe.openapi import read_openapi
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.discoveries import (
    KEY,
    ROWS,
    asked,
    by_page,
    client,
    connect,
    endpoint,
    needs,
)
from event_assets_tests.support.event_records import number

TOKENS = "https://a.example/token"
SCHEMES: dict[str, Any] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-odd-key"},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKENS}}},
    "login": {"type": "oauth2", "flows": {"implicit": {}}},
    "same": {"$ref": "#/components/securitySchemes/bearer"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    "word": {"type": "apiKey", "in": "header", "name": "Authorization"},
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
        ("cookie", {"type": "api_key", "name": "sessionid", "location": "cookie"}),
        ("cookie basic", {"type": "http_basic"}),
        ("basic cookie bearer", {"type": "bearer"}),
        ("cookie word", {}),
        ("login", {}),
        ("none", {}),
    ],
)
def test_the_auth_is_that_of_the_security_that_is_required(
    tmp_path: Path, name: str, auth: Any
) -> None:
    security: list[Any] = [{one: []} for one in name.split()]
    assert read_openapi(written(tmp_path, security=security), None).key.config == auth


@pytest.mark.parametrize("scheme", ["cookie", "basic", "key", "word"])
def test_a_key_that_is_refused_as_the_file_has_it_is_sent_as_usual(
    tmp_path: Path, scheme: str
) -> None:
    file = written(tmp_path, security=[{scheme: []}], paths={"/v1/events": {"get": {}}})
    found = connect(needs("Authorization", key=f"Bearer {KEY}"), openapi=file, keys=[KEY])
    assert client(found)["auth"] == {"type": "bearer"}


@pytest.mark.parametrize("scheme", ["cookie", "basic", "key"])
def test_a_key_is_sent_as_the_file_has_it_at_first(tmp_path: Path, scheme: str) -> None:
    file = written(tmp_path, security=[{scheme: []}], paths={"/v1/events": {"get": {}}})
    with serving(by_page) as api:
        discover(Options(f"{api.url}/v1/events", openapi=file, keys=[KEY]))
        first = api.requests[0].headers
    assert any(KEY in first.get(name, "") for name in ("cookie", "x-odd-key")) or (
        first["authorization"].startswith("Basic ")
    )


def test_a_user_and_a_password_are_no_token(tmp_path: Path) -> None:
    security: list[Any] = [{"bearer": []}, {"basic": []}]
    file = written(tmp_path, security=security, paths={"/v1/events": {"get": {}}})
    sent = f"Basic {b64encode(f'me:{KEY}'.encode()).decode()}"
    found = connect(needs("Authorization", key=sent), openapi=file, keys=["me", KEY])
    assert client(found)["auth"] == {"type": "http_basic"}


def test_a_key_in_the_address_is_sent_there_only(tmp_path: Path) -> None:
    file = written(tmp_path, security=[{"cookie": []}], paths={"/v1/events": {"get": {}}})
    found = connect(needs("odd_key", at="query"), f"/v1/events?odd_key={KEY}", openapi=file)
    assert client(found)["auth"] == {"type": "api_key", "name": "odd_key", "location": "query"}
    with pytest.raises(ApiError, match="did not accept the key"):
        connect(needs("other", at="query"), f"/v1/events?odd_key={KEY}", openapi=file)


def test_dates_that_are_none_and_tabs_are_read(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = file.read_text()
    file.write_text(f"{text}x-example: 2022-02-30\n")
    assert read_openapi(file, None).url == "https://a.example/v9/all/events"
    file.write_text(json.dumps(yaml.safe_load(text), indent="\t"))
    assert read_openapi(file, None).url == "https://a.example/v9/all/events"


def test_the_list_is_the_path_that_is_named_after_events(tmp_path: Path) -> None:
    assert read_openapi(written(tmp_path), None).url == "https://a.example/v9/all/events"


@pytest.mark.parametrize("place", ["path", "operation"])
def test_a_path_may_have_a_server_of_its_own(tmp_path: Path, place: str) -> None:
    own = {"servers": [{"url": "https://events.a.example/v3"}]}
    item = {"get": {}, **own} if place == "path" else {"get": own}
    file = written(tmp_path, paths={"/events": item, "/venues": {"get": {}}})
    assert read_openapi(file, None).url == "https://events.a.example/v3/events"
    assert read_openapi(file, "https://a.example/v9").url == "https://a.example/v9/events"


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
        ({"servers": [{"url": "//a.example/v9"}]}, None, "https://a.example/v9/all/events"),
        (
            {"paths": {"/events.json": {"get": {}}, "/shows": {"get": {}}}},
            None,
            "https://a.example/v9/events.json",
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
