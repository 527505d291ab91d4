"""The place of a key is found with few refusals, and the key is shown nowhere."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.probe.connect import discover
from event_assets.probe.discovery import Options
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.discoveries import (
    HERE,
    KEY,
    ROWS,
    asked,
    by_page,
    client,
    connect,
    endpoint,
    needs,
    values_of,
)
from event_assets_tests.support.event_records import number

RANDOM_KEY = "q8ZrT1vXb4LmN0pK"


def place(name: str, location: str = "header") -> dict[str, str]:
    return {"type": "api_key", "name": name, "location": location}


def test_a_key_is_asked_for_in_the_apis_own_words() -> None:
    found = connect(needs("x-api-key"))
    assert (found.requests, asked(found), found.document) == (1, ["key"], {})
    assert 'It says: "no"' in found.open_questions[0].text


def test_a_key_is_tried_in_headers_before_it_is_in_a_query() -> None:
    with serving(needs("x-api-key")) as api:
        found = discover(Options(f"{api.url}/v1/events", "concerts", [KEY]))
        assert not [url for url in api.urls if KEY in url]
    assert client(found)["auth"] == place("X-API-Key")
    assert found.variables == {"CONCERTS__API_KEY": KEY}
    assert KEY not in yaml.safe_dump(found.document)


@pytest.mark.parametrize(
    ("name", "location", "status"),
    [
        ("key", "query", 403),
        ("client_id", "query", 403),
        ("app_id", "query", 403),
        ("user_key", "query", 403),
        ("X-Auth-Token", "header", 401),
        ("apikey", "header", 401),
        ("X-Access-Token", "header", 401),
        ("OSDI-API-Token", "header", 403),
    ],
)
def test_the_place_of_a_key_is_found_with_few_refusals(
    name: str, location: str, status: int
) -> None:
    with serving(needs(name, status, at=location)) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        statuses = [response.status_code for response in api.responses]
    assert client(found)["auth"] == place(name, location)
    assert statuses.count(status) <= 4 - 2 * (status == 403)


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("app_key", "query"),
        ("login_token", "query"),
        ("api-key", "query"),
        ("Api-Token", "header"),
        ("Token", "header"),
        ("PRIVATE-TOKEN", "header"),
        ("X-Xapp-Token", "header"),
        ("wstoken", "query"),
        ("apiKey", "query"),
        ("X-App-Key", "header"),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_rare_place_of_a_key_is_found_by_one_of_six_tries(
    name: str, location: str, is_open: bool
) -> None:
    lists = needs(name, at=location)

    def answer(request: Request) -> Any:
        found = lists(request)
        is_refused = isinstance(found, JSONResponse)
        return {"error": "1", "status": "refused"} if is_refused and is_open else found

    with serving(answer) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        statuses = [response.status_code for response in api.responses]
    assert asked(found) == []
    assert client(found)["auth"] == place(name, location)
    if not is_open:
        assert statuses.index(200) <= 5


@pytest.mark.parametrize("before", ["OAuth ", "Token token="])
def test_a_key_behind_words_is_found(before: str) -> None:
    auth = client(connect(needs("Authorization", key=f"{before}{KEY}"), keys=[KEY]))["auth"]
    assert auth == place("Authorization")


def test_a_session_that_a_key_opens_accepts_no_other_place_of_it() -> None:
    """Its cookie would do in place of the key."""

    def answer(request: Request) -> Any:
        is_session = request.cookies.get("session") == "open"
        if not is_session and request.headers.get("X-Access-Token") != KEY:
            return JSONResponse({"error": "no"}, 401)
        return JSONResponse(by_page(request), headers={"Set-Cookie": "session=open"})

    found = connect(answer, keys=[KEY])
    assert client(found)["auth"] == place("X-Access-Token")
    assert asked(found) == []


def test_the_same_refusal_says_nothing_of_parameters() -> None:
    with serving(needs("app_key", 400, at="query")) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        statuses = [response.status_code for response in api.responses]
    assert client(found)["auth"] == place("app_key", "query")
    assert statuses.index(200) == 5


def test_requests_that_a_search_of_the_key_leaves_too_few_are_told() -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("X-Luma-Api-Key") != KEY:
            return JSONResponse({"error": "no"}, 401)
        if {*request.query_params} - {"seite"}:
            return JSONResponse({"error": "unknown parameter"}, 400)
        at = number(request, "seite") * 20
        return {"events": ROWS[at : at + 20], "has_more": at + 20 < len(ROWS)}

    question = connect(answer, keys=[KEY]).open_questions[0]
    assert "25 requests were too few to try all: name the key's place, too." in question.text


@pytest.mark.parametrize(
    ("location", "name", "said"),
    [
        ("header", "apikey", "No API key found in request"),
        (
            "header",
            "Ocp-Apim-Subscription-Key",
            "Access denied due to missing subscription key. Make sure to include it.",
        ),
        ("header", "X-RapidAPI-Key", "Missing RapidAPI application key."),
        ("header", "Api-Keypair", "Missing or invalid Api-Keypair header"),
        ("header", "s_token", "`s_token` header not found"),
        ("header", "Circle-Token", "You must log in first."),
        ("header", "Key", "Refused."),
        ("header", "Api-Keypair", "Refused."),
        ("header", "Ticket-Auth", "Send your token in the header 'Ticket-Auth'"),
        ("query", "apiKey", "Unauthorized. Please provide a valid apiKey."),
        ("query", "userToken", "Send your userToken in the query."),
    ],
)
def test_the_place_of_a_key_is_known_by_the_words_of_a_refusal(
    location: str, name: str, said: str
) -> None:
    found = connect(needs(name, said=said, at=location), keys=[KEY])
    assert asked(found) == []
    assert client(found)["auth"] == place(name, location)
    (fact,) = (fact for fact in found.facts if fact.subject == "key")
    assert fact.value == f"the {location}{' parameter' * (location == 'query')} `{name}`"


def test_a_key_is_found_by_the_words_of_an_empty_list_with_status_200() -> None:
    def answer(request: Request) -> Any:
        if request.query_params.get("licensekey") == KEY:
            return by_page(request)
        return {"status": "ERROR", "errorText": "licensekey missing or invalid", "events": []}

    found = connect(answer, keys=[KEY])
    assert asked(found) == []
    assert client(found)["auth"] == place("licensekey", "query")


def test_what_a_forbidding_answer_names_is_tried_with_all_else_at_once() -> None:
    said = "Invalid or missing apikey, or your token may not see this"
    with serving(needs("key", 403, said=said, at="query")) as api:
        found = discover(Options(f"{api.url}/v1/events", keys=[KEY]))
        assert [response.status_code for response in api.responses].count(403) == 2
    assert client(found)["auth"] == place("key", "query")


def test_a_header_that_a_forbidding_answer_names_goes_before_another_guess_for_it() -> None:
    answer = needs(
        "authorization", 403, said="Use `Authorization: Api-Key <key>`.", key=f"Api-Key {KEY}"
    )
    found = connect(answer, name="concerts", keys=[KEY])
    assert found.variables == {"CONCERTS__API_KEY": f"Api-Key {KEY}"}


@pytest.mark.parametrize("before", ["Api-Key ", "Klaviyo-API-Key ", "Token token=", "apikey "])
@pytest.mark.parametrize("shown", ["YOUR_KEY", "<key>"])
def test_what_comes_before_a_key_is_known_by_the_words_of_a_refusal(
    before: str, shown: str
) -> None:
    said = f"Use `Authorization: {before}{shown}`."
    answer = needs("authorization", said=said, key=f"{before}{KEY}")
    found = connect(answer, name="concerts", keys=[KEY])
    assert asked(found) == []
    assert found.variables == {"CONCERTS__API_KEY": f"{before}{KEY}"}


@pytest.mark.parametrize(
    ("before", "said", "challenge"),
    [
        ("Klaviyo-API-Key ", "Invalid authorization scheme. Use Klaviyo-API-Key.", {}),
        ("Token token=", "Access denied.", {"WWW-Authenticate": 'Token realm="Application"'}),
    ],
)
def test_what_comes_before_a_key_is_known_by_the_scheme_that_is_named(
    before: str, said: str, challenge: Mapping[str, str]
) -> None:
    def answer(request: Request) -> Any:
        is_known = request.headers.get("authorization") == f"{before}{KEY}"
        return by_page(request) if is_known else JSONResponse({"error": said}, 401, challenge)

    found = connect(answer, name="concerts", keys=[KEY])
    assert found.variables == {"CONCERTS__API_KEY": f"{before}{KEY}"}


def test_a_rare_header_is_found_where_unknown_parameters_are_an_error_with_status_200() -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("x-apisports-key") != KEY:
            return {"errors": {"token": "Missing application key."}, "events": []}
        unknown = {*request.query_params} - {"page", "per_page", "league"}
        errors = {name: f"The {name} field does not exist." for name in unknown}
        return {"errors": errors, "events": []} if unknown else by_page(request)

    found = connect(answer, "/fixtures?league=39", keys=[KEY])
    assert client(found)["auth"] == place("x-apisports-key")


def test_the_address_of_tokens_is_asked_for() -> None:
    found = connect(by_page, keys=["me", KEY], auth="oauth2_client_credentials")
    assert asked(found) == ["auth.access_token_url"]
    assert "--set auth.access_token_url=" in found.open_questions[0].text


@pytest.mark.parametrize("challenge", [{}, {"WWW-Authenticate": 'Basic realm="API"'}])
@pytest.mark.parametrize(
    ("user", "password", "written"),
    [(KEY, "", {"password": ""}), ("api", KEY, {"username": "api"})],
)
def test_a_key_may_be_the_user_or_the_password_of_basic_authentication(
    user: str, password: str, written: Mapping[str, str], challenge: Mapping[str, str]
) -> None:
    def answer(request: Request) -> Any:
        sent = request.headers.get("authorization", "").removeprefix("Basic ")
        is_known = b64decode(sent) == f"{user}:{password}".encode()
        return by_page(request) if is_known else Response(None, 401, challenge)

    found = connect(answer, keys=[KEY])
    assert asked(found) == []
    assert client(found)["auth"] == {"type": "http_basic", **written}


def test_a_user_and_a_password_may_be_given_as_one_key() -> None:
    def answer(request: Request) -> Any:
        sent = request.headers.get("authorization", "").removeprefix("Basic ")
        is_known = b64decode(sent) == f"app:{KEY}".encode()
        return by_page(request) if is_known else Response(None, 401)

    found = connect(answer, name="concerts", keys=[f"app:{KEY}"])
    assert client(found)["auth"] == {"type": "http_basic"}
    assert found.variables == {"CONCERTS__API_USERNAME": "app", "CONCERTS__API_PASSWORD": KEY}


@pytest.mark.parametrize("before", ["Bearer ", "Authorization: Bearer ", "X-Api-Key: "])
@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
def test_the_words_before_a_key_are_tried_first_and_then_without(before: str, name: str) -> None:
    value = f"Bearer {KEY}" if name == "Authorization" else KEY
    found = connect(needs(name, said=f"no {KEY}", key=value), keys=[before + KEY])
    assert (asked(found), next(iter(found.variables.values())).endswith(KEY)) == ([], True)
    assert KEY not in yaml.safe_dump(found.document)


def test_a_key_that_is_refused_without_its_words_is_not_shown() -> None:
    with pytest.raises(ApiError, match="did not accept") as raised:
        connect(needs("x-none", said=f"no {KEY}"), keys=[f"Bearer {KEY}"])
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("place", [{"location": "header"}, {"location": "query"}, {}])
def test_a_name_of_a_header_or_parameter_is_enough_to_send_a_key(place: Mapping[str, str]) -> None:
    answer = needs("x-odd-name", at=place.get("location", "header"))
    settings = {"auth.name": "x-odd-name", **{f"auth.{name}": one for name, one in place.items()}}
    auth = client(connect(answer, keys=[KEY], settings=settings))["auth"]
    assert auth == {"type": "api_key", "name": "x-odd-name", "location": "header", **place}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("wants_key", [True, False])
def test_a_parameter_that_an_api_does_not_know_is_no_wrong_key(
    status: int, wants_key: bool
) -> None:
    known = {"page", "per_page", *(["apikey"] if wants_key else [])}
    lists = needs("apikey", at="query") if wants_key else by_page

    def answer(request: Request) -> Any:
        unknown = sorted({*request.query_params} - known)
        refusal = {"error": f"unknown parameter: {unknown}"}
        return JSONResponse(refusal, status) if unknown else lists(request)

    assert asked(connect(answer, keys=[KEY])) == ([] if wants_key else ["auth"])


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("below", ["refused", "empty", "the first"])
def test_a_page_that_is_demanded_with_the_key_is_the_first_one(base: int, below: str) -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return JSONResponse({"message": "Unauthorized"}, 401)
        if not {"page", "pageSize"} <= {*request.query_params}:
            return JSONResponse({"message": ["page must be a number", "pageSize must be"]}, 400)
        page, size = number(request, "page") - base, min(number(request, "pageSize"), 100)
        if page < 0 and below == "refused":
            return JSONResponse({"message": "page must not be less than 1"}, 400)
        page = max(page, 0) if below == "the first" else page
        return {"payload": ROWS[page * size : (page + 1) * size] if page >= 0 else []}

    found = connect(answer, keys=[KEY])
    assert found.attempt is not None
    assert found.attempt.name == "a bearer token"
    assert endpoint(found)["paginator"]["base_page"] == base
    assert values_of(found, "end")[0].startswith("95 records")


def test_an_error_beside_the_status_200_is_no_effect_of_a_key() -> None:
    def answer(request: Request) -> Any:
        unknown = dict.fromkeys({*request.query_params} - {"page"}, "does not exist")
        return {"parameters": [], "errors": unknown or {"token": "no key"}, "response": []}

    with pytest.raises(ApiError, match=r'did not accept the key.* It says: "token: no key"'):
        connect(answer, keys=[KEY])


def test_words_in_the_place_of_an_error_beside_records_hide_no_effect_of_a_key() -> None:
    def answer(request: Request) -> Any:
        if request.headers.get("x-api-key") != KEY:
            return {"errorCode": 401, "errorMessage": "no key", "result": []}
        return {"errorCode": 0, "errorMessage": "success", "result": ROWS[:7]}

    found = connect(answer, keys=[KEY])
    assert client(found)["auth"] == place("X-API-Key")


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

    assert client(connect(answer, keys=[KEY]))["auth"] == place("api_key", "query")


def test_a_key_in_the_address_is_taken_out_of_it() -> None:
    path = f"/v1/events?token={KEY}&lang=en"
    found = connect(needs("token", at="query"), path, name="concerts")
    assert found.variables == {"CONCERTS__API_KEY": KEY}
    assert endpoint(found)["params"] == {"lang": "en", "per_page": 50}


@pytest.mark.parametrize("place", [{}, {"auth.name": "x-odd"}, {"auth.type": "bearer"}])
def test_a_key_without_effect_is_a_question(place: Mapping[str, str]) -> None:
    assert asked(connect(by_page, keys=[KEY], settings=place)) == ["auth"]
    answered = connect(by_page, keys=[KEY], settings={**place, "auth": "none"})
    assert answered.questions == []
    assert "auth" not in client(answered)


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


@pytest.mark.parametrize(
    ("part", "variable", "left"),
    [
        (f"bot{RANDOM_KEY}", f"bot{RANDOM_KEY}", "{{ env.CONCERTS__API_KEY }}"),
        (f"bot1234567:{RANDOM_KEY}", RANDOM_KEY, "bot1234567:{{ env.CONCERTS__API_KEY }}"),
    ],
)
def test_a_key_in_the_path_is_a_variable_of_the_env_file(
    part: str, variable: str, left: str
) -> None:
    with serving(by_page) as api:
        found = discover(Options(f"{api.url}/{part}/events", "concerts"))
        assert RANDOM_KEY in api.urls[0]
    assert (found.questions, found.variables) == ([], {"CONCERTS__API_KEY": variable})
    assert client(found) == {"base_url": f"{api.url}/{left}"}
    assert RANDOM_KEY not in f"{found.facts} {found.comments} {found.document}"


def test_letters_of_both_cases_in_the_path_are_a_key_also_with_hyphens() -> None:
    key = "AbCdEfGhIj-KlMnOpQrSt-9876543210"
    found = connect(by_page, f"/v1/{key}/events")
    assert key not in f"{found.facts} {found.comments} {found.document}"


@pytest.mark.parametrize("slug", ["206974-0-agenda-culturales-100", "Concerts_2026_in_the_park"])
def test_words_and_numbers_in_the_path_are_no_key(slug: str) -> None:
    found = connect(by_page, f"/v1/{slug}")
    assert (endpoint(found)["path"], found.variables) == (f"/{slug}", {})


def test_a_random_part_of_the_path_beside_a_key_is_told_and_not_shown() -> None:
    found = connect(needs("x-api-key"), f"/users/{RANDOM_KEY}/events", keys=[KEY])
    assert [one.setting for one in found.questions] == ["base_url"]
    assert RANDOM_KEY not in found.questions[0].text
    assert asked(found) == []


@pytest.mark.parametrize("wanted", ["both", "first"])
@pytest.mark.parametrize("location", ["header", "query"])
def test_the_second_of_two_keys_stays_where_it_is_as_a_variable(location: str, wanted: str) -> None:
    first, second = "s3cret-app-key-1", "s3cret-app-token-2"

    def answer(request: Request) -> Any:
        sent = HERE[location](request)
        is_known = sent.get("x-key") == first
        is_known &= wanted == "first" or sent.get("x-token") == second
        return by_page(request) if is_known else JSONResponse({"error": "no"}, 401)

    with serving(answer) as api:
        curl = f"curl {api.url}/v1/events -H 'x-key: {first}' -H 'x-token: {second}'"
        url = f"{api.url}/v1/events?x-key={first}&x-token={second}"
        is_curl = location == "header"
        found = discover(Options(None if is_curl else url, "e", curl=curl if is_curl else None))
    assert asked(found) == []
    assert found.variables == {"E__API_KEY": second, "E__API_KEY_2": first}
    left = client(found)["headers"] if is_curl else endpoint(found)["params"]
    assert left["x-key"] == "{{ env.E__API_KEY_2 }}"
    assert client(found)["auth"]["name"] == "x-token"
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


def test_the_password_of_a_key_with_a_user_is_masked_alone() -> None:
    refused = needs("x-none", said="password-of-alice is wrong, alice")
    with pytest.raises(ApiError, match=r"\*\*\* is wrong, alice"):
        connect(refused, keys=["alice:password-of-alice"])


@pytest.mark.parametrize("prefix", ["", "Token "])
def test_a_key_in_authorization_is_found_by_one_request_that_tries_nothing_else(
    prefix: str,
) -> None:
    others: list[set[str]] = []

    def answer(request: Request) -> Any:
        if request.headers.get("Authorization") != f"{prefix}{KEY}":
            return JSONResponse({"error": "no"}, 401)
        others.append({name for name, value in request.headers.items() if value == KEY})
        return by_page(request)

    assert not connect(answer, keys=[KEY]).open_questions
    assert others[0] <= {"authorization"}
