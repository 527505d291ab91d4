"""What an API is like is found out with few requests; what is in doubt becomes a question."""

from __future__ import annotations

import json
import random
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from event_assets.probe.connect import discover, name_source
from event_assets.probe.connection import Connection, Options
from event_assets.probe.settings import ENDPOINT
from event_assets.sandbox import KEY as SANDBOX_KEY
from event_assets.sandbox import Faults, Sandbox
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number

KEY = "s3cret-of-the-api"
ROWS = events(95)
Answer = Callable[[Request], Any]


def endpoint(found: Connection) -> Mapping[str, Any]:
    value: Any = found.document
    for key in ENDPOINT:
        value = value[key]
    return dict(value)


def by_page(request: Request, size: int = 20, **more: Any) -> dict[str, Any]:
    size = min(number(request, "per_page", size), 50)
    at = (number(request, "page", 1) - 1) * size
    return {"events": ROWS[at : at + size], **more}


def needs(header: str, status: int = 401) -> Answer:
    def answer(request: Request) -> Any:
        is_known = request.headers.get(header) == KEY
        return by_page(request) if is_known else JSONResponse({"error": "no"}, status)

    return answer


def test_all_is_found_out_with_at_most_fifty_requests() -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/v1/events"))
        assert len(api.requests) == found.requests <= 50
    assert found.questions == []
    assert endpoint(found) == {
        "path": "/events",
        "params": {"per_page": 50},
        "data_selector": "events",
        "paginator": {"type": "page_number", "base_page": 1, "page_param": "page"},
    }


@pytest.mark.parametrize(
    ("answer", "keys", "told"),
    [
        (lambda _: Response(status_code=429), (), "Nothing was written; try again later"),
        (
            lambda _: Response(status_code=429, headers={"Retry-After": "30"}),
            (),
            "try again in 30 s at the earliest",
        ),
        (needs("x-none", 403), (KEY,), "some APIs lock out who goes on"),
        (needs("x-none"), (KEY,), "did not accept the key, sent as a bearer token"),
        (lambda _: HTMLResponse("<html>"), (), "is a web page"),
        (lambda _: {"message": "welcome"}, (), "has no list of records"),
        (lambda _: {"data": {"events": []}}, (), r"^The list `data\.events` of .* is empty: "),
        (lambda _: [], (), r"^The list of .* is empty: "),
        (
            lambda _: {"status": "error", "message": "Please upgrade"},
            (),
            r"has no list of records.*\. It says: \"Please upgrade\"\.$",
        ),
        (lambda _: Response("Welcome"), (), "is no JSON: copy the address"),
        (lambda _: Response("<?xml version='1.0'?><events/>"), (), "is XML: ask for JSON"),
        (lambda _: Response("BEGIN:VCALENDAR\r\n"), (), "is a calendar file"),
        (lambda _: Response('cb({"events": []});'), (), "is JSONP, .*: leave `callback` out"),
        (lambda _: Response('{"id": 1}\n{"id": 2}\n'), (), "one JSON object on each line"),
        (lambda _: Response("id,name\n1,Choir\n"), (), r"a table of text \(CSV\)"),
        (lambda _: {"d": json.dumps(ROWS)}, (), r"records: `d` is JSON inside a text"),
        (lambda _: {"names": ["id"], "rows": [[1], [2]]}, (), r"`rows` has rows without the names"),
        (lambda _: Response(status_code=404), (), r"answered 404 Not Found; check the address\.$"),
    ],
)
def test_what_cannot_go_on_is_one_sentence(answer: Answer, keys: Any, told: str) -> None:
    with serving(answer) as api, pytest.raises(ApiError, match=told) as raised:
        discover(Options(f"{api.url}/v1/events", keys=keys))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(("status", "requests"), [(429, 1), (403, 2)])
def test_nothing_is_sent_after_a_429_or_a_second_403(status: int, requests: int) -> None:
    with serving(needs("x-none", status)) as api:
        with pytest.raises(ApiError):
            discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        assert len(api.requests) == requests


def test_a_key_is_asked_for_in_the_apis_own_words() -> None:
    with serving(needs("x-api-key")) as api:
        found = discover(Options(f"{api.url}/v1/events"))
        assert len(api.requests) == 1
    assert [question.setting for question in found.open_questions] == ["key"]
    assert 'It says: "no"' in found.open_questions[0].text
    assert found.document == {}


def test_a_key_is_tried_in_headers_before_it_is_in_a_query() -> None:
    with serving(needs("x-api-key")) as api:
        found = discover(Options(f"{api.url}/v1/events", "concerts", [KEY]))
        assert not [url for url in api.urls if KEY in url]
    client = found.document["attributes"]["rest_api"]["client"]
    assert client["auth"] == {"type": "api_key", "name": "X-API-Key", "location": "header"}
    assert found.variables == {"CONCERTS__API_KEY": KEY}
    assert KEY not in yaml.safe_dump(found.document)


@pytest.mark.parametrize(
    ("name", "location", "status"),
    [("key", "query", 403), ("client_id", "query", 403), ("X-Auth-Token", "header", 401)],
)
def test_the_place_of_a_key_is_found_with_few_refusals(
    name: str, location: str, status: int
) -> None:
    statuses = []

    def answer(request: Request) -> Any:
        sent = request.query_params if location == "query" else request.headers
        statuses.append(200 if sent.get(name) == KEY else status)
        return by_page(request) if statuses[-1] == 200 else Response(status_code=status)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
    client = found.document["attributes"]["rest_api"]["client"]
    assert client["auth"] == {"type": "api_key", "name": name, "location": location}
    assert statuses.count(status) <= 4 - 2 * (status == 403)


@pytest.mark.parametrize(
    ("location", "name", "said"),
    [
        ("header", "apikey", "No API key found in request"),
        (
            "header",
            "Ocp-Apim-Subscription-Key",
            "Access denied due to missing subscription key. Make sure to include it.",
        ),
        ("header", "Api-Keypair", "Missing or invalid Api-Keypair header"),
        ("header", "s_token", "`s_token` header not found"),
        ("header", "Ticket-Auth", "Send your token in the header 'Ticket-Auth'"),
        ("query", "apiKey", "Unauthorized. Please provide a valid apiKey."),
    ],
)
def test_the_place_of_a_key_is_known_by_the_words_of_a_refusal(
    location: str, name: str, said: str
) -> None:
    def answer(request: Request) -> Any:
        sent = request.headers if location == "header" else request.query_params
        return by_page(request) if sent.get(name) == KEY else JSONResponse({"message": said}, 401)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
    assert found.open_questions == []
    auth = found.document["attributes"]["rest_api"]["client"]["auth"]
    assert auth == {"type": "api_key", "name": name, "location": location}


@pytest.mark.parametrize("scheme", ["Api-Key", "Klaviyo-API-Key"])
def test_a_scheme_is_known_by_the_words_of_a_refusal(scheme: str) -> None:
    def answer(request: Request) -> Any:
        is_known = request.headers.get("authorization") == f"{scheme} {KEY}"
        refusal = {"detail": f"Use `Authorization: {scheme} YOUR_KEY`."}
        return by_page(request) if is_known else JSONResponse(refusal, 401)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", "concerts", [KEY]))
    assert found.open_questions == []
    assert found.variables == {"CONCERTS__API_KEY": f"{scheme} {KEY}"}


@pytest.mark.parametrize("challenge", [{}, {"WWW-Authenticate": 'Basic realm="API"'}])
@pytest.mark.parametrize("secret", ["username", "password"])
def test_a_key_may_be_the_user_or_the_password_of_basic_authentication(
    secret: str, challenge: Mapping[str, str]
) -> None:
    def answer(request: Request) -> Any:
        sent = request.headers.get("authorization", "").removeprefix("Basic ")
        user, _, password = b64decode(sent).decode(errors="replace").partition(":")
        is_known = (user, password) == (KEY, "") if secret == "username" else password == KEY
        return by_page(request) if is_known else Response(status_code=401, headers=challenge)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
    assert found.open_questions == []
    auth = found.document["attributes"]["rest_api"]["client"]["auth"]
    assert auth == {"type": "http_basic"} | (
        {"password": ""} if secret == "username" else {"username": "api"}
    )


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("wants_key", [True, False])
def test_a_parameter_that_an_api_does_not_know_is_no_wrong_key(
    status: int, wants_key: bool
) -> None:
    known = {"apikey", "page", "per_page"} if wants_key else {"page", "per_page"}

    def answer(request: Request) -> Any:
        if unknown := sorted({*request.query_params} - known):
            return JSONResponse({"error": f"unknown parameter: {unknown[0]}"}, status)
        if wants_key and request.query_params.get("apikey") != KEY:
            return JSONResponse({"error": "no"}, 401)
        return by_page(request)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
    assert [each.setting for each in found.open_questions] == ([] if wants_key else ["auth"])


@pytest.mark.parametrize("first", range(4))
def test_the_place_of_a_key_is_found_although_a_server_now_and_then_sends_no_list(
    first: int,
) -> None:
    count = first

    def answer(request: Request) -> Any:
        nonlocal count
        count += 1
        is_known = request.query_params.get("api_key") == KEY
        page = by_page(request) if count % 5 else {"events": None}
        return page if is_known else JSONResponse({"error": "no"}, 401)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
    assert found.document["attributes"]["rest_api"]["client"]["auth"] == {
        "type": "api_key",
        "name": "api_key",
        "location": "query",
    }


def test_a_key_in_the_address_is_taken_out_of_it() -> None:
    def answer(request: Request) -> Any:
        is_known = request.query_params.get("token") == KEY
        return by_page(request) if is_known else Response(status_code=401)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events?token={KEY}&lang=en", "concerts"))
    assert found.variables == {"CONCERTS__API_KEY": KEY}
    assert endpoint(found)["params"] == {"lang": "en", "per_page": 50}


def test_a_key_without_effect_is_a_question() -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        answered = discover(Options(f"{api.url}/v1/events", keys=[KEY], settings={"auth": "none"}))
    assert [question.setting for question in found.open_questions] == ["auth"]
    assert answered.questions == []
    assert "auth" not in answered.document["attributes"]["rest_api"]["client"]


@pytest.mark.parametrize(
    ("answer", "setting"),
    [
        (lambda _: {"events": events(50)}, "paginator"),
        (lambda _: {"events": events(37), "total": 90}, "paginator"),
        (lambda _: {"events": events(17), "found": 64}, "paginator"),
        (lambda _: {"events": events(17), "info": {"more_records": True}}, "paginator"),
        (lambda _: {"events": [{**row, "id": None} for row in events(7)]}, "primary_key"),
        (
            lambda _: {"events": [{"id": n, "label": f"x{n}"} for n in range(7)]},
            "fields.start_time.from",
        ),
        (
            lambda _: {"events": [{**row, "start_time": "05/06/2026"} for row in events(7)]},
            "fields.start_time.format",
        ),
    ],
    ids=[
        "a usual length",
        "a larger total",
        "a found",
        "a flag",
        "no id",
        "no start",
        "day or month first",
    ],
)
def test_what_is_in_doubt_is_an_open_question(answer: Answer, setting: str) -> None:
    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert setting in [question.setting for question in found.open_questions]


def test_a_list_that_comes_shuffled_is_asked_for_its_order() -> None:
    chance = random.Random(7)

    def answer(_: Request) -> Any:
        return {"events": chance.sample(ROWS, 20), "total": len(ROWS)}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events?offset=0&limit=20"))
    assert "Which parameter sorts the list?" in found.open_questions[0].text
    assert [fact.value for fact in found.facts if fact.subject == "pages"] == ["unknown"]


def by_token(request: Request, name: str = "offset") -> Any:
    at = int(request.query_params.get(name, "itr/0").removeprefix("itr/"))
    token = {name: f"itr/{at + 20}"} if at + 20 < len(ROWS) else {}
    return {"records": ROWS[at : at + 20], **token}


def test_a_token_that_is_called_offset_is_a_cursor() -> None:
    def answer(request: Request) -> Any:
        is_token = request.query_params.get("offset", "itr/").startswith("itr/")
        return by_token(request) if is_token else Response(status_code=422)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert endpoint(found)["paginator"] == {
        "type": "cursor",
        "cursor_path": "offset",
        "cursor_param": "offset",
    }


@pytest.mark.parametrize("sent", [{"events": None}, {}])
def test_a_page_without_a_list_in_mid_list_is_asked_for_again(sent: Any) -> None:
    count = 0

    def answer(request: Request) -> Any:
        nonlocal count
        count += 1
        return by_page(request) if count % 5 else sent

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []
    assert found.facts[-1].evidence == "unique in 95 records"


def test_a_pointer_that_nothing_takes_is_named() -> None:
    with serving(lambda _: {"events": events(50), "next_cursor": "c50"}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert "`next_cursor` in the response leads to more" in found.open_questions[0].text


def test_the_names_in_a_strict_body_are_tried_one_by_one() -> None:
    def answer(request: Request) -> Any:
        body = json.loads(request.state.body)
        if {*body} - {"start_cursor", "page_size"}:
            return JSONResponse({"message": "body failed validation"}, 400)
        at = int(body.get("start_cursor", 0))
        more = {"next_cursor": str(at + 20)} if at + 20 < len(ROWS) else {}
        return {"results": ROWS[at : at + 20], "has_more": bool(more), **more}

    with serving(answer) as api:
        found = discover(Options(None, curl=f"curl {api.url}/v1/query -d '{{}}' -X POST"))
    assert found.open_questions == []
    assert endpoint(found)["paginator"]["cursor_body_path"] == "start_cursor"


def test_a_list_that_is_read_twice_is_whole() -> None:
    def answer(request: Request) -> Any:
        size = min(number(request, "limit", 10), 25)
        at = (number(request, "page", 1) - 1) * size
        rows = ROWS[at : at + size]
        pages = {"pages": -(-len(ROWS) // size), "count": len(ROWS), "limit": size}
        about = {"pagination": pages, "items": [row["id"] for row in rows]}
        return {"events": about, "entities": {"events": {row["id"]: row for row in rows}}}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []


def test_a_strict_api_is_asked_by_the_names_that_its_refusal_leaves_out() -> None:
    def answer(request: Request) -> Any:
        others = {*request.query_params} - {"take", "skip"}
        if others:
            said = [f"property {name} should not exist" for name in others]
            return JSONResponse({"message": said}, 400)
        at, size = number(request, "skip"), number(request, "take", 20)
        return {"events": ROWS[at : at + size]}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []
    paginator = endpoint(found)["paginator"]
    assert (paginator["offset_param"], paginator["limit_param"]) == ("skip", "take")


def test_a_number_that_is_called_as_the_last_id_is_tried_as_a_cursor() -> None:
    def answer(request: Request) -> Any:
        at, size = number(request, "startingAfter"), number(request, "limit", 20)
        more = {"startingAfter": at + size} if at + size < len(ROWS) else {}
        return {"events": ROWS[at : at + size], "hasMore": bool(more), **more}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []
    assert endpoint(found)["paginator"]["cursor_path"] == "startingAfter"


def by_cursor(request: Request, **more: Any) -> dict[str, Any]:
    at = number(request, "cursor")
    return {"events": ROWS[at : at + 20], "next_cursor": str(at + 20) if at < 75 else None, **more}


def by_header_link(request: Request, **more: Any) -> Response:
    at = number(request, "at")
    link = f'<{request.url.path}?at={at + 20}>; rel="next"'
    document = {"events": ROWS[at : at + 20], **more}
    return JSONResponse(document, headers={"Link": link} if at < 75 else {})


@pytest.mark.parametrize("answer", [by_page, by_cursor, by_header_link])
@pytest.mark.parametrize("settings", [{}, {"paginator.total_path": None}])
def test_a_total_that_is_more_than_the_records_is_asked_about(answer: Any, settings: Any) -> None:
    with serving(lambda request: answer(request, total=len(ROWS) + 7)) as api:
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    choices = [[*question.choices.values()] for question in found.open_questions]
    assert choices == ([] if settings else [[{"paginator.total_path": None}]])
    if settings:
        assert endpoint(found)["paginator"]["total_path"] is None


@pytest.mark.parametrize(
    "settings",
    [
        {"headers.X-Api-Key": KEY},
        {"params.api_key": KEY},
        {"params": {"token": KEY}},
        {"auth.api_key": KEY},
        {"json.client_secret": KEY},
    ],
)
def test_a_key_in_a_setting_is_refused_without_being_shown(settings: Any) -> None:
    with pytest.raises(ConfigError, match="give it by --key-from-env") as raised:
        discover(Options("https://api.example.com/v1/events", settings=settings))
    assert KEY not in str(raised.value)


RANDOM_KEY = "q8ZrT1vXb4LmN0pK"


@pytest.mark.parametrize(
    ("url", "curl"), [("{}/v1/events?k={}", None), (None, "curl -H 'X-Mine: {1}' {0}/v1/events")]
)
def test_a_value_that_looks_random_is_the_key(url: str | None, curl: str | None) -> None:
    def answer(request: Request) -> Any:
        sent = {request.query_params.get("k"), request.headers.get("x-mine")}
        return by_page(request) if RANDOM_KEY in sent else Response(status_code=401)

    with serving(answer) as api:
        address, command = (text and text.format(api.url, RANDOM_KEY) for text in (url, curl))
        found = discover(Options(address, curl=command))
    assert [*found.variables.values()] == [RANDOM_KEY]
    assert RANDOM_KEY not in yaml.safe_dump(found.document)


def test_a_key_in_the_path_is_a_variable_of_the_env_file() -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/bot{RANDOM_KEY}/events", "concerts"))
        assert RANDOM_KEY in api.urls[0]
    assert found.questions == []
    assert found.variables == {"CONCERTS__API_KEY": f"bot{RANDOM_KEY}"}
    client = found.document["attributes"]["rest_api"]["client"]
    assert client == {"base_url": f"{api.url}/{{{{ env.CONCERTS__API_KEY }}}}"}
    assert RANDOM_KEY not in f"{found.facts} {found.comments} {found.document}"


@pytest.mark.parametrize("location", ["headers", "query"])
def test_the_second_of_two_keys_stays_where_it_is_as_a_variable(location: str) -> None:
    first, second = "s3cret-app-key-1", "s3cret-app-token-2"

    def answer(request: Request) -> Any:
        sent = request.headers if location == "headers" else request.query_params
        is_known = (sent.get("x-key"), sent.get("x-token")) == (first, second)
        return by_page(request) if is_known else JSONResponse({"error": "no"}, 401)

    with serving(answer) as api:
        curl = f"curl {api.url}/v1/events -H 'x-key: {first}' -H 'x-token: {second}'"
        url = f"{api.url}/v1/events?x-key={first}&x-token={second}"
        is_curl = location == "headers"
        found = discover(Options(None if is_curl else url, "e", curl=curl if is_curl else None))
    assert found.open_questions == []
    assert found.variables == {"E__API_KEY": second, "E__API_KEY_2": first}
    client = found.document["attributes"]["rest_api"]["client"]
    left = client["headers"] if is_curl else endpoint(found)["params"]
    assert left["x-key"] == "{{ env.E__API_KEY_2 }}"
    assert client["auth"]["name"] == "x-token"
    assert not {first, second} & {*re.findall(r"[\w-]+", yaml.safe_dump(found.document))}


def test_another_host_gets_no_key_that_is_in_a_header() -> None:
    with serving(by_page) as other:

        def answer(request: Request) -> Any:
            is_known = request.headers.get("x-key") == KEY
            link = f"{other.url}/v1/events?page=2"
            return {"events": ROWS[:20], "next": link} if is_known else Response(status_code=401)

        with serving(answer) as api:
            curl = f"curl {api.url}/v1/events -H 'x-key: {KEY}' -H 'x-token: {KEY}-2'"
            found = discover(Options(None, curl=curl))
        assert endpoint(found)["paginator"]["type"] == "json_link"
        assert not any(KEY in str(request.headers.items()) for request in other.requests)


def test_a_key_behind_a_colon_in_the_path_is_a_variable_of_the_env_file() -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/bot123456789:{RANDOM_KEY}/events", "concerts"))
    assert found.variables == {"CONCERTS__API_KEY": RANDOM_KEY}
    client = found.document["attributes"]["rest_api"]["client"]
    assert client == {"base_url": f"{api.url}/bot123456789:{{{{ env.CONCERTS__API_KEY }}}}"}
    assert RANDOM_KEY not in f"{found.facts} {found.comments} {found.document}"


def test_a_random_part_of_the_path_beside_a_key_is_told_and_not_shown() -> None:
    with serving(needs("x-api-key")) as api:
        found = discover(Options(f"{api.url}/users/{RANDOM_KEY}/events", keys=[KEY]))
    assert [one.setting for one in found.questions] == ["base_url"]
    assert RANDOM_KEY not in found.questions[0].text
    assert found.open_questions == []


def hidden_rows(request: Request) -> Any:
    """Return pages of which every seventh row is left out, so that none has the usual length."""
    at = number(request, "offset")
    return {"events": [row for row in ROWS[at : at + 20] if int(row["id"][1:]) % 7]}


def test_pages_that_overlap_are_believed_although_rows_are_left_out() -> None:
    with serving(hidden_rows) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []
    assert endpoint(found)["paginator"]["type"] == "offset"


def test_a_parameter_that_moves_the_list_is_asked_about() -> None:
    def answer(request: Request) -> Any:
        seed = number(request, "offset")
        return {"events": random.Random(seed).sample(ROWS[17:], 17) if seed else ROWS[:17]}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert [question.setting for question in found.open_questions] == ["paginator"]
    assert "`offset` brings other records" in found.open_questions[0].text


@pytest.mark.parametrize(
    "faults",
    [Faults(delete_every=3), Faults(insert_every=3), Faults(delete_every=3, insert_every=4)],
)
def test_offsets_are_found_although_the_list_changes_between_the_requests(faults: Faults) -> None:
    with Sandbox(437, faults=faults) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[SANDBOX_KEY]))
    assert found.open_questions == []
    assert endpoint(found)["paginator"]["type"] == "offset"


@pytest.mark.parametrize("settings", [{}, {"windows": None}])
def test_a_list_of_just_a_thousand_records_is_asked_about(settings: Mapping[str, Any]) -> None:
    rows = events(1_000)

    def answer(request: Request) -> Any:
        at = number(request, "offset")
        return {"events": rows[at : at + 100], "total": 1_000}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    assert [one.setting for one in found.open_questions] == ([] if settings else ["windows"])
    assert "windows" not in found.document["attributes"]


PASTED: dict[str, tuple[str, str, int]] = {  # what is pasted: the parameters, the first number
    "_page=1&_limit=50": ("_page", "_limit", 1),
    "Page=2&PageSize=50": ("Page", "PageSize", 1),
    "PageIndex=0&PageSize=50": ("PageIndex", "PageSize", 0),
    "pagination[page]=1&pagination[size]=50": ("pagination[page]", "pagination[size]", 1),
    "seite=1&anzahl=50": ("seite", "anzahl", 1),
    "cp=1&rpp=50": ("cp", "rpp", 1),
    "_start=50&_limit=50": ("_start", "_limit", 0),
    "start-index=0&max-results=50": ("start-index", "max-results", 0),
    "skipCount=0&maxResultCount=50": ("skipCount", "maxResultCount", 0),
    "pagination[start]=0&pagination[limit]=50": ("pagination[start]", "pagination[limit]", 0),
}


@pytest.mark.parametrize("query", PASTED)
def test_the_parameters_in_the_address_are_tried(query: str) -> None:
    name, size_name, base = PASTED[query]
    is_offset = any(word in name.lower() for word in ("start", "skip"))

    def answer(request: Request) -> Any:
        size, value = number(request, size_name, 10), number(request, name, base)
        at = value if is_offset else (value - base) * size
        return {"events": ROWS[at : at + size], "total": len(ROWS)}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events?{query}"))
    assert found.questions == []
    paginator = endpoint(found)["paginator"]
    assert paginator["offset_param" if is_offset else "page_param"] == name
    assert name not in endpoint(found).get("params", {})


@pytest.mark.parametrize("name", ["venues", "categories"])
def test_another_list_beside_the_events_is_left_out(name: str) -> None:
    def answer(request: Request) -> Any:
        page = by_page(request)
        others = [{"id": f"v{at}", "name": f"Hall {at}"} for at in range(5)]
        return {**page, name: others if page["events"] else []}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert endpoint(found)["data_selector"] == "events"


def test_no_page_size_is_written_that_the_links_leave_out() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "page", 1)
        size = min(number(request, "per_page", 20), 50)
        following = f"/v1/events?page={at + 1}" if at * size < len(ROWS) else None
        return {"events": ROWS[(at - 1) * size : at * size], "next": following}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert endpoint(found)["paginator"] == {"type": "json_link", "next_url_path": "next"}
    assert "params" not in endpoint(found)


@pytest.mark.parametrize(
    ("record", "key", "start"),
    [
        (
            lambda n: {"_id": {"$oid": f"{n:024x}"}, "start": {"$date": f"2027-01-{n:02}T19:30Z"}},
            "_id.$oid",
            "start.$date",
        ),
        (
            lambda n: {"Id": n, "StartDate": f"/Date({1_799_605_800_000 + n * 86_400_000})/"},
            "Id",
            "StartDate",
        ),
    ],
    ids=["MongoDB", ".NET"],
)
def test_ids_and_times_in_the_notation_of_a_database_are_found(
    record: Callable[[int], dict[str, Any]], key: str, start: str
) -> None:
    records = [{**record(number), "title": f"Concert {number}"} for number in range(1, 28)]
    with serving(lambda _: {"items": records, "has_more": False}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    fields = found.document["attributes"]["fields"]
    assert found.open_questions == []
    assert found.document["attributes"]["rest_api"]["resource_defaults"]["primary_key"] == key
    assert fields["start_time"] == {"type": "timestamp", "from": start}


@pytest.mark.parametrize("most", [30, 40, 75])
def test_the_page_size_is_what_the_api_sends_at_most(most: int) -> None:
    def answer(request: Request) -> Any:
        size = min(int(request.query_params.get("per_page", 20)), most)
        at = size * (int(request.query_params.get("page", 1)) - 1)
        return {"events": ROWS[at : at + size]}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert (endpoint(found)["params"], found.questions) == ({"per_page": most}, [])


def test_the_offset_is_tried_by_the_name_that_goes_with_that_of_the_page_size() -> None:
    def answer(request: Request) -> Any:
        query = request.query_params
        asked.append({*query})
        at, size = int(query.get("$skip", 0)), int(query.get("$top", 20))
        return {"value": ROWS[at : at + min(size, 50)]}

    asked: list[set[str]] = []
    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert endpoint(found)["paginator"]["offset_param"] == "$skip"
    assert not any("offset" in names for names in asked)


def test_a_filter_that_may_be_the_number_of_a_page_is_told() -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/v1/events?from=20&price[from]=5"))
    assert "--set params.from=20" in found.questions[0].text
    assert found.open_questions == []
    assert endpoint(found)["params"]["price[from]"] == "5"


@pytest.mark.parametrize("is_kept", [True, False])
def test_only_the_number_of_a_page_is_left_out_of_the_address(*, is_kept: bool) -> None:
    """`?page=true` is how ActivityPub asks for the list."""

    def answer(request: Request) -> Any:
        return {"events": events(7), "total": 7} if "page" in request.query_params else {"id": 1}

    with serving(answer if is_kept else by_page) as api:
        found = discover(Options(f"{api.url}/v1/events?page={'true' if is_kept else 2}"))
    assert ("page" in endpoint(found).get("params", {})) is is_kept


def test_parameters_in_brackets_are_found() -> None:
    def answer(request: Request) -> Any:
        size = number(request, "pagination[pageSize]", 20)
        page = number(request, "pagination[page]", 1)
        shown = {"page": page, "pageSize": size, "total": len(ROWS)}
        rows = ROWS[(page - 1) * size : page * size]
        return {"data": rows, "meta": {"pagination": shown}}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.questions == []
    assert endpoint(found)["paginator"]["page_param"] == "pagination[page]"


def test_a_page_that_php_wrote_as_an_object_is_read_as_a_sync_reads_it() -> None:
    def answer(request: Request) -> Any:
        at = number(request, "offset")
        page = ROWS[at : at + 20]
        return {"events": {str(at + n): row for n, row in enumerate(page)} if at else page}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert [fact.value for fact in found.facts if fact.subject == "end"] == [
        f"{len(ROWS)} records, to the end"
    ]


def test_a_redirect_to_another_host_gets_no_key() -> None:
    with serving(by_page) as other:
        target = other.url.replace("127.0.0.1", "localhost")
        moved = Response(status_code=302, headers={"Location": f"{target}/v1/events"})
        with (
            serving(lambda _: moved) as api,
            pytest.raises(ApiError, match=r"^The API redirects to another host, which gets no key"),
        ):
            discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        assert other.requests == []


def test_a_field_that_is_no_field_is_told_in_a_sentence() -> None:
    settings = {"fields.end_time.type": "date-time"}
    rows = [{k: v for k, v in row.items() if k != "end_time"} for row in events(7)]
    with (
        serving(lambda _: {"events": rows}) as api,
        pytest.raises(
            ConfigError, match=r"^`fields\.end_time\.type`: Input should be 'text', .*: correct it"
        ),
    ):
        discover(Options(f"{api.url}/v1/events", settings=settings))


@pytest.mark.parametrize("count", [1_013, 2_037])
def test_the_last_page_of_a_long_list_is_looked_for(count: int) -> None:
    rows = events(count)

    def answer(request: Request) -> Any:
        at = (number(request, "page", 1) - 1) * 20
        return {"events": rows[at : at + 20]}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
        assert len(api.requests) <= 50
    assert found.open_questions == []
    last = -(-count // 20)
    assert [fact.value for fact in found.facts if fact.subject == "end"] == [
        f"page {last} has records, page {last + 1} has none: about {20 * last:,}"
    ]


@pytest.mark.parametrize("count", [7, 37, 93])
@pytest.mark.parametrize("said", [{}, {"has_more": False}, {"total": None}])
def test_a_lone_page_is_whole_only_if_the_response_says_so(
    count: int, said: Mapping[str, Any]
) -> None:
    answer = {name: count if value is None else value for name, value in said.items()}
    with serving(lambda _: {"events": events(count), **answer}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert [one.setting for one in found.questions] == ([] if said else ["paginator"])
    assert [fact.certainty == "sure" for fact in found.facts if fact.subject == "pages"] == [
        bool(said)
    ]
    assert found.open_questions == []
    assert endpoint(found)["paginator"] == ("single_page" if said else "auto")


def test_a_lone_page_shorter_than_was_asked_for_is_whole() -> None:
    with serving(lambda request: {"events": events(min(37, number(request, "limit", 37)))}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.questions == []


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_the_zone_of_local_times_is_asked_for(zone: str | None) -> None:
    local = {"start_time": "2026-07-01T19:30:00", "end_time": "2026-07-01T21:30:00"}
    rows = [{**row, **local} for row in events(7)]
    settings = {"fields.start_time.timezone": zone} if zone else {}
    with serving(lambda _: {"events": rows, "total": 7}) as api:
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    fields = found.document["attributes"]["fields"]
    asked = [one.setting for one in found.questions]
    assert asked == ([] if zone else ["fields.start_time.timezone"])
    assert fields["end_time"].get("timezone") == zone


def test_a_zone_is_found_by_its_value() -> None:
    local = {"start_time": "2026-07-01T19:30:00", "end_time": None, "zeit": "Europe/Berlin"}
    rows = [{**row, **local} for row in events(7)]
    with serving(lambda _: {"events": rows, "total": 7}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.questions == []
    assert str(found.events[0]["start_time"]) == "2026-07-01 17:30:00+00:00"


@pytest.mark.parametrize("other", ["account_timezone", "organizer.tz", "display_zone"])
@pytest.mark.parametrize("own", ["tz", "timezone", "venue.timezone", "start_timezone"])
def test_a_zone_is_that_of_the_event_and_not_of_a_person(own: str, other: str) -> None:
    row: dict[str, Any] = {"start_time": "2026-07-01T19:30:00", "end_time": None}
    for path, zone in ((other, "America/New_York"), (own, "Europe/Berlin")):
        parent, _, name = path.rpartition(".")
        row |= {parent: {name: zone}} if parent else {name: zone}
    with serving(lambda _: {"events": [{**each, **row} for each in events(7)], "total": 7}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert str(found.events[0]["start_time"]) == "2026-07-01 17:30:00+00:00"


def test_a_zone_that_is_not_known_is_quoted_in_an_open_question() -> None:
    local = {"start_time": "2026-07-01T19:30:00", "end_time": None}
    rows = [{**row, **local, "time_zone": "Eastern Time (US & Canada)"} for row in events(7)]
    with serving(lambda _: {"events": rows, "total": 7}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert "`time_zone` says `Eastern Time (US & Canada)`" in found.open_questions[0].text


@pytest.mark.parametrize("offset", [-4, -240, -14_400, -14_400_000])
def test_an_offset_is_a_number_of_hours_minutes_seconds_or_milliseconds(offset: int) -> None:
    local = {"start_time": "2026-07-01T19:30:00", "end_time": None, "utc_offset": offset}
    rows = [{**row, **local} for row in events(7)]
    with serving(lambda _: {"events": rows, "total": 7}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.questions == []
    assert str(found.events[0]["start_time"]) == "2026-07-01 23:30:00+00:00"


def test_a_question_is_answered_by_a_setting() -> None:
    with serving(lambda _: {"events": events(50)}) as api:
        settings = {"paginator": "single_page", "fields.name.from": "id", "schedule": None}
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    assert found.open_questions == []
    assert found.document["attributes"]["fields"]["name"]["from"] == "id"
    assert "schedule" not in found.document["attributes"]


def with_times(make: Callable[[int], Any], name: str = "zz") -> Answer:
    rows = [{**row, name: make(at)} for at, row in enumerate(events(23))]
    rows = [{key: row[key] for key in ("id", "name", name)} for row in rows]
    return lambda _: {"events": rows, "total": 23}


@pytest.mark.parametrize(
    ("make", "source", "more"),
    [
        (lambda at: f"2026-10-{at + 1:02}T19:30:00Z", "zz", {}),
        (lambda at: f"{at + 1:02}.10.2026 19:30", "zz", {"format": "%d.%m.%Y %H:%M"}),
        (lambda at: [f"2026-10-{at + 1:02}", "19:30"], "{zz.0}T{zz.1}", {}),
    ],
)
def test_the_field_that_a_question_asked_for_is_read_as_it_is_written(
    make: Callable[[int], Any], source: str, more: dict[str, Any]
) -> None:
    settings = {"fields.start_time.from": source}
    with serving(with_times(make)) as api:
        asked = discover(Options(f"{api.url}/v1/events"))
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    assert [one.setting for one in asked.open_questions] == ["fields.start_time.from"]
    assert found.open_questions == []
    field = {"type": "timestamp", "from": source, **more}
    assert found.document["attributes"]["fields"]["start_time"] == field


@pytest.mark.parametrize("value", [None, ""])
def test_a_field_that_is_said_and_nowhere_is_told_in_a_sentence(value: Any) -> None:
    settings = {"fields.start_time.from": "zz"}
    with (
        serving(with_times(lambda _: value)) as api,
        pytest.raises(
            ConfigError, match=r"^No record has a value at `zz`: correct fields\.start_t"
        ),
    ):
        discover(Options(f"{api.url}/v1/events", settings=settings))


def test_times_that_no_format_reads_are_quoted_in_a_question() -> None:
    settings = {"fields.start_time.from": "zz"}
    with serving(with_times(lambda at: f"20-Oct-2026 {at}h30")) as api:
        found = discover(Options(f"{api.url}/v1/events", settings=settings))
    assert [one.setting for one in found.open_questions] == ["fields.start_time.format"]
    assert "`20-Oct-2026 0h30` at `zz`" in found.open_questions[0].text


def test_a_start_that_some_records_do_not_have_is_one_with_rejects() -> None:
    def make(at: int) -> str:
        return f"2026-10-{at + 1:02}T19:30:00Z" if at % 5 else "TBA"

    with serving(with_times(make, "start_time")) as api:
        found = discover(Options(f"{api.url}/v1/events"))
        choices = [[*question.choices.values()] for question in found.open_questions]
        assert choices == [[{"max_rejects": 0.3}]]
        settings = choices[0][0]
        answered = discover(Options(f"{api.url}/v1/events", settings=settings))
    assert "5 of 23 records have no time at `start_time`, such as `TBA`" in (
        found.open_questions[0].text
    )
    assert answered.open_questions == []
    assert answered.document["attributes"]["max_rejects"] == 0.3


@pytest.mark.parametrize("is_by_path", [True, False])
def test_the_number_of_a_page_in_the_path_is_no_part_of_it(is_by_path: bool) -> None:
    def answer(request: Request) -> Any:
        *_, parent, last = request.url.path.split("/")
        if is_by_path:
            at = (int(last) - 1) * 27 if parent == "page" else -1
            return {"events": ROWS[at : at + 27]} if at >= 0 else Response(status_code=404)
        return by_page(request) if last == "events" else Response(status_code=404)

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events/page/2"))
    assert endpoint(found)["path"] == ("/1" if is_by_path else "/events")
    settings = [question.setting for question in found.open_questions]
    assert settings == (["paginator"] if is_by_path else [])


def test_a_list_that_comes_whole_is_read_in_pages_and_the_reason_is_told() -> None:
    def answer(request: Request) -> Any:
        size, page = number(request, "per_page", 20), number(request, "page", 1)
        return {"events": events(437)[(page - 1) * size : page * size]}

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert [fact.evidence for fact in found.facts if fact.subject == "page size"] == [
        "1000 requested, 437 received, the whole list: several pages show that it ends there"
    ]


def test_a_total_that_is_less_than_the_records_is_not_relied_on() -> None:
    with serving(lambda request: by_page(request, total=50)) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.open_questions == []
    assert endpoint(found)["paginator"]["total_path"] is None


@pytest.mark.parametrize(
    ("marks", "removed_when", "subjects"),
    [
        ([{"is_deleted": False}, {"is_deleted": True}], {"is_deleted": True}, {"removed"}),
        ([{"isDeleted": False}], {"isDeleted": True}, {"removed"}),
        ([{"status": "live"}, {"status": "Deleted"}], {"status": "Deleted"}, {"removed"}),
        ([{"status": "removed"}, {"status": "deleted"}], {"status": ["deleted", "removed"]},
         {"removed"}),
        ([{"status": "live"}, {"status": "cancelled"}], None, {"cancelled"}),
        ([{"title": "deleted", "note": "Removed"}], None, set()),
        ([{"deleted": None}, {"deleted": "2026-11-26"}], None, set()),
        ([{"venue": {"deleted": True}}], None, set()),
    ],
)  # fmt: skip
def test_a_mark_of_removed_events_is_written_and_that_of_cancelled_ones_told(
    marks: list[dict[str, Any]], removed_when: Any, subjects: set[str]
) -> None:
    rows = [{**row, **marks[at % len(marks)]} for at, row in enumerate(events(20))]
    with serving(lambda _: {"events": rows, "total": 20}) as api:
        found = discover(Options(f"{api.url}/v1/events"))
    assert found.document["attributes"].get("removed_when") == removed_when
    assert {fact.subject for fact in found.facts} & {"removed", "cancelled"} == subjects


def test_an_address_without_a_path_is_searched() -> None:
    def answer(request: Request) -> Any:
        is_list = request.url.path == "/v1/events"
        return by_page(request) if is_list else {"welcome": request.url.path}

    with serving(answer) as api:
        found = discover(Options(api.url))
        assert found.document["attributes"]["rest_api"]["client"]["base_url"] == f"{api.url}/v1"


def test_an_openapi_file_says_where_the_list_is_and_how_the_key_is_sent(tmp_path: Path) -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("x-odd-key") != KEY:
            return Response(status_code=403)
        at = number(request, "odd_page", 1) if request.url.path == "/v9/events" else 99
        return {"data": ROWS[(at - 1) * 20 : at * 20]}

    with serving(answer) as api:
        file = tmp_path / "openapi.yaml"
        file.write_text(
            yaml.safe_dump(
                {
                    "servers": [{"url": f"{api.url}/v9"}],
                    "security": [{"key": []}],
                    "components": {
                        "securitySchemes": {
                            "key": {"type": "apiKey", "in": "header", "name": "x-odd-key"}
                        }
                    },
                    "paths": {"/events": {"get": {}}, "/events/{id}": {"get": {}}},
                }
            )
        )
        settings = {"paginator": {"type": "page_number", "base_page": 1, "page_param": "odd_page"}}
        found = discover(Options(None, "odd", [KEY], openapi=file, settings=settings))
    assert found.open_questions == []
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
