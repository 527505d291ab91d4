"""The API's own words about an error: in any usual form, short, on one line, without a key."""

from typing import Any

import pytest
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from event_assets.config.http import HttpLimits
from event_assets.extract.response_check import response_check
from event_assets.http.error_text import find_words
from event_assets.http.errors import status_error_message, user_message
from event_assets.http.session import ApiSession
from event_assets.values.errors import ApiError
from event_assets_tests.support.api_server import serving


def message(answer: Response, secrets: tuple[str, ...] = (), **options: Any) -> str:
    """Return what is said about an answer with a status of an error."""
    with (
        serving(lambda _: answer) as api,
        ApiSession(api.url, secrets=secrets, **options) as session,
    ):
        return status_error_message(session.get(f"{api.url}/v1")).replace(api.url, "URL")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"message": "no such guild", "code": 10004}, "no such guild"),
        ({"error": "invalid_token", "error_description": "it has expired"}, "it has expired"),
        ({"error": {"code": 7, "message": "too early"}}, "too early"),
        ({"error": True, "message": "too early"}, "too early"),
        ({"errors": [{"message": "one"}, {"detail": "two"}]}, "one; two"),
        ({"errors": ["one", "two", "three", "four"]}, "one; two; three"),
        (
            {"errors": {"from": ["must be a date"], "to": "is missing"}},
            "from: must be a date; to: is missing",
        ),
        (
            {"type": "about:blank", "title": "Bad", "detail": "`from` is no date"},
            "`from` is no date",
        ),
        ({"title": "Bad Request"}, "Bad Request"),
        ({"error": "Bad Request", "message": "page is required"}, "page is required"),
        (
            {"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "x"}}},
            "Invalid ApiKey",
        ),
        ([{"message": "in a list"}], "in a list"),
        ({"errors": "[API] Invalid access token"}, "[API] Invalid access token"),
        ({"plan": "free", "message": "too early"}, "too early"),
        ({"errorMessage": "too early"}, "too early"),
        ({"detail": [{"loc": ["query", "from"], "msg": "too early"}]}, "query.from: too early"),
        (
            {"errors": [{"detail": "too early", "source": {"parameter": "filter[from]"}}]},
            "filter[from]: too early",
        ),
        (
            {"message": "Invalid.", "details": [{"parameter": "to", "message": "too late"}]},
            "Invalid: to: too late",
        ),
        ({"violations": [{"field": "to", "message": "too late"}]}, "to: too late"),
        (
            {"title": "Invalid", "invalid-params": [{"name": "to", "reason": "`to` is too late"}]},
            "Invalid: `to` is too late",
        ),
        ("a text", "a text"),
        ({"message": 'of\nlines,\t "quoted" \x1b[31m'}, "of lines, 'quoted' [31m"),
        ({"message": "x" * 500}, "x" * 200 + " ..."),
    ],
)
def test_the_words_of_an_api_are_shown(document: Any, words: str) -> None:
    assert message(JSONResponse(document, 400)) == (
        "The API at URL/v1 answered 400 Bad Request; check the endpoint's path and params in "
        f'defs.yaml, and the key. It says: "{words}".'
    )


RECORD = {"id": "e0", "name": "Jazz", "description": "private", "start": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"meta": {"error_message": "Plan expired"}, "response": {}}, "Plan expired"),
        ({"meta": {"code": 402, "errorDetail": "Plan expired"}, "took": 7}, "Plan expired"),
        ({"messages": ["Plan expired"]}, "Plan expired"),
        ({"data": {"error": "Plan expired"}}, "Plan expired"),
        ({"data": {"message": "Plan expired"}}, "Plan expired"),
        ({"ok": False, "reason": "Plan expired"}, "Plan expired"),
        ({"exception": "moodle", "errorcode": "x", "message": "Plan expired"}, "Plan expired"),
        ([{"message": "Plan expired", "errorCode": "PLAN"}], "Plan expired"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"message": "Plan expired"}}, "Plan expired"),
        ({"data": [RECORD], "errors": [{"message": "Plan expired"}]}, "Plan expired"),
    ],
)
def test_the_words_of_an_error_with_a_good_status_are_found(document: Any, words: str) -> None:
    assert find_words(document) == words


@pytest.mark.parametrize(
    "document",
    [
        [RECORD],
        [{"slug": "e0", "title": "Jazz", "description": "private", "start": 1777660200}],
        [{"id": "e0", "message": "private", "error": "private"}],
        [{"id": "e0", "organizer": {"title": "private"}, "payment": {"error": "private"}}],
        ["e0", "e1"],
        RECORD,
        {"uid": "e0", "title": "private", "type": "concert"},
        {"id": "e0", "organizer": {"title": "private"}, "payment": {"error": "private"}},
        {"data": [RECORD], "message": "of a list"},
        {"data": RECORD},
        {"events": {"e0": RECORD}},
        {"messages": [RECORD]},
        {"details": {"title": "private", "start": "2026-01-01"}},
        {"status": "ok", "details": [{"title": "private", "start": "2026-01-01"}]},
    ],
)
def test_no_word_of_a_record_is_shown(document: Any) -> None:
    assert find_words(document) == ""


def test_plain_text_is_shown() -> None:
    assert message(PlainTextResponse("Trial ended.\n", 402)).endswith('It says: "Trial ended".')


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>'
            "<Message>No &quot;read&quot; here</Message></Error>",
            "No 'read' here",
        ),
        (
            '<soap:Fault><faultcode>x</faultcode><faultstring xml:lang="en">Too late</faultstring>'
            "<detail>private</detail></soap:Fault>",
            "Too late",
        ),
        ("<error><message><![CDATA[Plan expired]]></message></error>", "Plan expired"),
        ("<errors><message>First</message><message>Second</message></errors>", "First"),
        (
            "<!doctype html><html><head><title>Attention Required! | Firewall</title></head>"
            "<body><h1>Sorry</h1></body></html>",
            "Attention Required! | Firewall",
        ),
    ],
)
def test_the_words_of_xml_and_the_title_of_a_page_are_shown(document: str, words: str) -> None:
    assert message(PlainTextResponse(document, 400)).endswith(f'It says: "{words}".')


def test_a_403_with_a_page_may_be_of_a_firewall() -> None:
    page = "<html><head><title>403 Forbidden</title></head></html>"
    assert message(HTMLResponse(page, 403)) == (
        "The API at URL/v1 answered 403 Forbidden; set `auth` in defs.yaml to a key that may read "
        "events, or ask the API's operator whether a firewall refuses this host."
    )


def test_no_title_of_a_feed_is_shown() -> None:
    feed = "<rss><channel><title>Of a person</title></channel></rss>"
    assert message(PlainTextResponse(feed, 200)).endswith("ask the API's operator.")


def test_a_placeholder_in_the_words_is_shown() -> None:
    said = message(JSONResponse({"message": "Send Authorization: Bearer <key>."}, 401))
    assert said.endswith('It says: "Send Authorization: Bearer <key>".')


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<!doctype html><h1>Blocked</h1>", 400),
        HTMLResponse("<title>400 Bad Request</title><hr>nginx", 400),
        HTMLResponse("<Error><Title>Bad Request</Title></Error>", 400),
        PlainTextResponse("An error: <b>Blocked</b>", 400),
        JSONResponse({"message": "<p>Blocked</p>"}, 400),
        PlainTextResponse('{"data":[{"id":"e1","name":"Of a per', 400),
        PlainTextResponse('cb({"data":[{"id":"e1","name":"Of a person"}]})', 400),
        PlainTextResponse(""")]}',\n{"data":[{"id":"e1"}]}""", 400),
        JSONResponse('{"data":[{"id":"e1","name":"Of a person"}]}', 400),
        Response(b"\x0b\x02\x80abc\x03", 400),
        JSONResponse({"code": 7}, 400),
        JSONResponse({"error": True}, 400),
        Response(status_code=400),
    ],
)
def test_markup_data_and_silence_are_not_shown(answer: Response) -> None:
    assert message(answer).endswith("and the key.")


@pytest.mark.parametrize("secret", ["short", "a-long-secret-key"])
def test_a_key_in_the_words_is_masked(secret: str) -> None:
    said = message(JSONResponse({"message": f"the key {secret} is wrong"}, 400), (secret,))
    assert said.endswith('It says: "the key *** is wrong".')


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "set CONCERTS__API_KEY (in .env or the environment) to a key that"),
        (404, "check CONCERTS_API_URL and the endpoint's path"),
    ],
)
def test_the_variables_of_the_source_are_named(status: int, advice: str) -> None:
    auth = APIKeyAuth(name="key", api_key="k", location="header")
    vars(auth)["key_name"] = "CONCERTS__API_KEY"
    limits = HttpLimits(find_base_url_setting=lambda: "CONCERTS_API_URL")
    assert advice in message(JSONResponse({}, status), auth=auth, limits=limits)


def test_without_a_variable_the_yaml_is_named() -> None:
    assert "set `auth` in defs.yaml to a key that" in message(JSONResponse({}, 401))


@pytest.mark.usefixtures("waits")
def test_a_403_that_is_a_rate_limit_is_not_blamed_on_the_key() -> None:
    answer = JSONResponse({"message": "slow down"}, 403, {"Retry-After": "5"})
    assert "answered 403 Forbidden to each of 4 attempts; the API is limiting requests" in message(
        answer
    )


def test_a_rate_limit_that_only_words_tell_is_not_blamed_on_the_params() -> None:
    answer = JSONResponse({"message": "(#4) Application request limit reached"}, 400)
    assert "answered 400 Bad Request; the API is limiting requests: set requests_per" in message(
        answer
    )


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("status", "name"), [(420, "420"), (429, "429 Too Many Requests")])
def test_a_rate_limit_that_stays_is_told_with_what_to_set(status: int, name: str) -> None:
    assert message(JSONResponse({}, status)) == (
        f"The API at URL/v1 answered {name} to each of 4 attempts; the API is limiting requests: "
        "set requests_per_second in defs.yaml, sync less often, or ask for a higher limit."
    )


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("selector", ["data", "data.edges[*].node", "$..node", None])
def test_a_good_status_without_a_list_fails_with_the_words_of_the_api(selector: str | None) -> None:
    answer = JSONResponse({"data": None, "errors": [{"message": "Your trial has ended."}]})
    check = response_check({"data_selector": selector})
    with (
        serving(lambda _: answer) as api,
        ApiSession(api.url, check=check) as session,
        pytest.raises(ApiError) as failed,
    ):
        session.get(api.url)
    assert len(api.requests) == 4
    assert str(user_message(failed.value)).endswith('It says: "Your trial has ended".')
