"""An API is reached with few requests; what cannot go on is told in one sentence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from event_assets.probe.connect import discover, name_source
from event_assets.probe.discovery import Options
from event_assets.values.errors import ApiError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.discoveries import (
    KEY,
    ROWS,
    Answer,
    asked,
    by_page,
    client,
    connect,
    endpoint,
    needs,
)
from event_assets_tests.support.event_records import number
from event_assets_tests.support.tls_server import Authority, serving_tls

REFUSALS: list[tuple[Answer, str]] = [
    (lambda _: Response(status_code=429), "Nothing was written; try again later, and with --set"),
    (needs("x-none", said="X-Signature: HMAC of the body"), "it cannot be connected: no auth does"),
    (
        lambda _: Response("no", 401, {"WWW-Authenticate": 'Digest realm="x"'}),
        "it cannot be connected: no auth does",
    ),
    (lambda _: Response(None, 429, {"Retry-After": "30"}), "try again in 30 s at the earliest"),
    (needs("x-none", 403), "some APIs lock out who goes on"),
    (
        needs("x-none"),
        "did not accept the key, sent as a bearer token.* Check the key; if it is right",
    ),
    (lambda _: HTMLResponse("<html>"), "is not JSON but HTML: give the URL"),
    (lambda _: Response("Welcome"), "is not JSON: give the URL"),
    (
        lambda _: Response("<events><event/></events>"),
        r"is not JSON but XML: .* such as `\?format=json`",
    ),
    (lambda _: Response("BEGIN:VCALENDAR\r\n"), "is not JSON but iCalendar"),
    (lambda _: Response(status_code=204), "answered 204 No Content, an empty list: ask for past"),
    (lambda _: Response(status_code=404), r"answered 404 Not Found; check the URL, and whe"),
    (lambda _: Response(status_code=405), r"answered 405 Method Not Allowed; check the URL"),
    (lambda _: Response(status_code=409), r"answered 409 Conflict; check the URL, and whether"),
    (
        lambda _: JSONResponse({"error": "Invalid signature: sign the request by HMAC"}, 417),
        r"answered 417 Expectation Failed; its key signs each request, which no auth does\. It",
    ),
    (
        lambda request: RedirectResponse(f"{request.url}?cv=17"),
        r"redirects to http\S+/v1/events again, with other parameters or a cookie: give the URL",
    ),
    (
        lambda _: JSONResponse({"message": "`fromTime` is missing"}, 400),
        r"answered 400 Bad Request; check .* it lacks parameters\. It says: .`fromTime`",
    ),
    (lambda _: {"message": "welcome"}, "has no list of events to learn from"),
    (lambda _: {"status": "error", "message": "Upgrade"}, r'no list .*\. It says: "Upgrade"\.$'),
    (lambda _: {"data": {"events": []}}, "if it is empty now, with what asks for past events"),
    (lambda _: {"rows": [[1], [2]]}, "has no list of events to learn from"),
]


@pytest.mark.parametrize(("answer", "told"), REFUSALS)
def test_what_cannot_go_on_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, told: str
) -> None:
    monkeypatch.setattr("event_assets.probe.client.RETRY_SECONDS", 0)
    with pytest.raises(ApiError, match=told) as raised:
        connect(answer, keys=[KEY])
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(("status", "requests"), [(429, 1), (403, 2)])
def test_nothing_is_sent_after_a_429_or_a_second_403(status: int, requests: int) -> None:
    with serving(needs("x-none", status)) as api:
        with pytest.raises(ApiError):
            discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        assert len(api.requests) == requests


def test_a_rate_limit_is_kept_that_is_set() -> None:
    times = [0.0, 0.0]

    def answer(request: Request) -> Any:
        times.append(time.monotonic())
        is_fast = times[-1] - times[-3] < 0.06
        return Response(status_code=429) if is_fast else by_page(request)

    assert asked(connect(answer, settings={"requests_per_second": 15})) == []


@pytest.mark.parametrize(
    ("otherwise", "accept"),
    [
        (Response(status_code=406), "application/json"),
        (Response("<?xml version='1.0'?><events/>"), "application/json"),
        (JSONResponse("Send application/vnd.x.v2+json", 406), "application/vnd.x.v2+json"),
    ],
)
def test_an_api_that_wants_the_header_accept_gets_it(otherwise: Response, accept: str) -> None:
    def answer(request: Request) -> Any:
        return by_page(request) if request.headers["accept"] == accept else otherwise

    assert client(connect(answer))["headers"] == {"Accept": accept}


def test_an_error_with_status_200_that_speaks_of_a_key_asks_for_it() -> None:
    assert asked(connect(lambda _: {"errors": [{"message": "Not authenticated"}]})) == ["key"]


def test_a_redirect_that_sets_a_cookie_is_asked_again_with_it() -> None:
    def answer(request: Request) -> Any:
        if request.cookies.get("server") == "a":
            return by_page(request)
        return RedirectResponse(str(request.url), headers={"Set-Cookie": "server=a; path=/"})

    found = connect(answer)
    assert endpoint(found)["paginator"]["page_param"] == "page"


@pytest.mark.parametrize("location", ["header", "query"])
def test_a_redirect_to_a_page_to_log_in_is_no_other_address(location: str) -> None:
    def answer(request: Request) -> Any:
        if request.url.path == "/login":
            return HTMLResponse("<html>Log in</html>")
        known = {
            "header": request.headers.get("x-api-key"),
            "query": request.query_params.get("key"),
        }
        return by_page(request) if known[location] == KEY else RedirectResponse("/login")

    found = connect(answer, keys=[KEY])
    assert (asked(found), endpoint(found)["path"]) == ([], "/events")
    with pytest.raises(ApiError, match="/login is not JSON but HTML"):
        connect(answer)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_redirect_to_another_host_or_port_gets_no_key(host: str) -> None:
    with serving(by_page) as other:
        target = other.url.replace("127.0.0.1", host)
        moved = Response(status_code=302, headers={"Location": f"{target}/v1/events"})
        with pytest.raises(ApiError, match=r"^The API redirects to http://\S+, which gets no key"):
            connect(lambda _: moved, keys=[KEY])
        assert other.requests == []


def test_a_redirect_to_a_port_that_cannot_be_is_one_sentence() -> None:
    moved = Response(status_code=302, headers={"Location": "http://127.0.0.1:99999/v1/events"})
    with pytest.raises(ApiError, match=r"^The API redirects to http://\S+, which gets no key"):
        connect(lambda _: moved, keys=[KEY])


def test_a_redirect_out_of_tls_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with (
        serving(by_page) as plain,
        serving_tls(authority.issue(), f"{plain.url}/v1/events") as url,
        pytest.raises(
            ApiError, match=r"gets no key, since it is not encrypted, .* must end with a slash"
        ),
    ):
        discover(Options(f"{url}/v1/events", keys=[KEY]))
    assert plain.requests == []


WELCOME = {"welcome": "x"}


@pytest.mark.parametrize(
    ("otherwise", "is_guarded"),
    [
        (WELCOME, True),
        (WELCOME, False),
        (HTMLResponse("<html>"), False),
        (Response(None, 404), False),
    ],
)
@pytest.mark.parametrize("wants_key", [True, False])
def test_an_address_without_a_path_is_searched(
    otherwise: Any, *, wants_key: bool, is_guarded: bool
) -> None:
    def answer(request: Request) -> Any:
        is_list = request.url.path == "/v1/events"
        is_known = request.headers.get("x-auth-token") == KEY
        if wants_key and not is_known and (is_list or is_guarded):
            return JSONResponse({"error": "no"}, 401)
        return by_page(request) if is_list else otherwise

    found = connect(answer, "", keys=[KEY] if wants_key else [])
    assert client(found)["base_url"].endswith("/v1")
    assert ("auth" in client(found), asked(found)) == (wants_key, [])


def test_an_openapi_file_says_where_the_list_is_and_how_the_key_is_sent(tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("x-odd-key") != KEY:
            return Response(status_code=403)
        at = number(request, "odd_page", 1) if request.url.path == "/v9/events" else 99
        return {"data": ROWS[(at - 1) * 20 : at * 20]}

    key = {"type": "apiKey", "in": "header", "name": "x-odd-key"}
    with serving(answer) as api:
        document = {
            "servers": [{"url": f"{api.url}/v9"}],
            "security": [{"key": []}],
            "components": {"securitySchemes": {"key": key}},
            "paths": {"/events": {"get": {}}, "/events/{id}": {"get": {}}},
        }
        file = tmp_path / "openapi.yaml"
        file.write_text(yaml.safe_dump(document))
        settings = {"paginator": {"type": "page_number", "base_page": 1, "page_param": "odd_page"}}
        found = discover(Options(None, "odd", [KEY], openapi=file, settings=settings))
    assert asked(found) == []
    assert endpoint(found)["path"] == "/events"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.eventbrite.com/v3/events", "eventbrite"),
        ("https://app.ticketmaster.co.uk", "ticketmaster"),
        ("http://127.0.0.1:8000/events", "my_api"),
        ("https://data.city-of.example.org/x", "example"),
    ],
)
def test_a_source_is_named_after_its_host(url: str, name: str) -> None:
    assert name_source(url) == name
