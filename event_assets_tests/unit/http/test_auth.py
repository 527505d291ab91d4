"""Every way in which an API takes its key, which comes from dlt's secrets and goes nowhere else."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse

from event_assets.config.source import SourceConfig
from event_assets.http.auth import build_auth
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import Handler, serving
from event_assets_tests.support.direct_syncs import failed_sync, source_of, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH, TOKEN = "/v1/events", "/oauth/token"
SECRET = "s3cret/=&key"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def guarded(is_right: Any, rows: int = 3) -> Handler:
    def answer(request: Request) -> Any:
        if not is_right(request):
            return JSONResponse({"error": "who are you?"}, status_code=401)
        return paged(events(rows))(request)

    return answer


def keyed(url: str, auth: Any) -> dict[str, Any]:
    return source(url, client={"auth": auth})


@pytest.mark.parametrize(
    ("auth", "environment", "is_right"),
    [
        ({"type": "api_key", "name": "ak", "location": "query"}, {"API_KEY": SECRET},
         lambda request: request.query_params.get("ak") == SECRET),
        ({"type": "api_key", "name": "X-Key", "location": "header"}, {"API_KEY": SECRET},
         lambda request: request.headers.get("X-Key") == SECRET),
        ({"type": "api_key", "name": "key", "location": "cookie"}, {"API_KEY": "s3cret"},
         lambda request: request.cookies.get("key") == "s3cret"),
        ({"type": "api_key", "name": "Authorization", "location": "header"},
         {"API_KEY": "Token abc"},
         lambda request: request.headers.get("Authorization") == "Token abc"),
        ({"type": "api_key", "name": None, "location": None}, {"API_KEY": SECRET},
         lambda request: request.headers.get("Authorization") == SECRET),
        ("bearer", {"API_KEY": SECRET},
         lambda request: request.headers.get("Authorization") == f"Bearer {SECRET}"),
        ({"type": "http_basic"}, {"API_USERNAME": "me", "API_PASSWORD": SECRET},
         lambda request: request.headers.get("Authorization") == basic("me", SECRET)),
        ({"type": "http_basic", "password": ""}, {"EVENTS__API_KEY": SECRET},
         lambda request: request.headers.get("Authorization") == basic(SECRET, "")),
    ],
    ids=["query", "header", "cookie", "own scheme", "null", "bearer", "basic", "basic, key only"],
)  # fmt: skip
def test_the_key_is_sent_where_the_configuration_says(
    project: Project, auth: Any, environment: dict[str, str], is_right: Any
) -> None:
    for name, value in environment.items():
        project.environment.setenv(name, value)
    with serving({PATH: guarded(is_right)}) as api:
        sync_source(source_of(keyed(api.url, auth)))
    assert len(project.ids()) == 3


OAUTH = {"type": "oauth2_client_credentials"}


@pytest.mark.parametrize("place", ["body", "header", "json"])
def test_a_token_is_fetched_once_and_used(project: Project, place: str) -> None:
    project.environment.setenv("CLIENT_ID", "me")
    project.environment.setenv("CLIENT_SECRET", "s3cret")

    def token(request: Request) -> Any:
        if place == "json":
            is_known = request.headers["Content-Type"] == "application/json" and (
                json.loads(request.state.body)["client_secret"] == "s3cret"
            )
            return {"access_token": "t0ken"} if is_known else JSONResponse({}, 415)
        in_header = request.headers.get("Authorization") == basic("me", "s3cret")
        body = parse_qs(request.state.body.decode())  # read by the server
        in_body = body.get("client_secret") == ["s3cret"]
        if body.get("client_id") != ["me"] or not (in_header if place == "header" else in_body):
            return JSONResponse({"error": "invalid_client"}, status_code=400)
        return {"access_token": "t0ken", "expires_in": 3600}

    right = guarded(lambda request: request.headers.get("Authorization") == "Bearer t0ken", 450)
    with serving({PATH: right, TOKEN: token}) as api:
        auth = {**OAUTH, "access_token_url": f"{api.url}{TOKEN}"}
        sync_source(source_of(keyed(api.url, auth)))
        asked = len(api.asked_for(TOKEN))
    assert len(project.ids()) == 450
    assert asked == {"body": 1, "header": 2, "json": 2}[place]


@pytest.mark.parametrize(("takes_form", "sent"), [(True, ["true"]), (False, True)])
def test_further_members_of_a_token_request_are_sent(
    project: Project, takes_form: bool, sent: object
) -> None:
    project.environment.setenv("CLIENT_ID", "me")
    project.environment.setenv("CLIENT_SECRET", "s3cret")

    def token(request: Request) -> Any:
        is_form = request.headers["Content-Type"] != "application/json"
        if is_form is not takes_form:
            return JSONResponse({}, 415)
        body = request.state.body.decode()
        members = parse_qs(body) if takes_form else json.loads(body)
        return {"access_token": "t0ken"} if members["trial"] == sent else JSONResponse({}, 400)

    right = guarded(lambda request: request.headers.get("Authorization") == "Bearer t0ken")
    with serving({PATH: right, TOKEN: token}) as api:
        auth = {**OAUTH, "access_token_url": f"{api.url}{TOKEN}"}
        sync_source(
            source_of(keyed(api.url, auth | {"access_token_request_data": {"trial": True}}))
        )
    assert len(project.ids()) == 3


def test_an_expired_token_is_fetched_again(project: Project) -> None:
    project.environment.setenv("CLIENT_ID", "me")
    project.environment.setenv("CLIENT_SECRET", "s3cret")
    given = 0

    def token(_: Request) -> Any:
        nonlocal given
        given += 1
        return {"access_token": f"t{given}", "expires_in": 0}

    def is_newest(request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer t{given}"

    with serving({PATH: guarded(is_newest, 350), TOKEN: token}) as api:
        document = keyed(api.url, {**OAUTH, "access_token_url": f"{api.url}{TOKEN}"})
        document["attributes"]["concurrency"] = 1
        sync_source(source_of(document))
    assert given > 3


@pytest.mark.parametrize("uses", [3, 0])
def test_a_token_that_ends_sooner_than_it_says_is_fetched_again(
    project: Project, uses: int
) -> None:
    """One that was never accepted is not."""
    project.environment.setenv("CLIENT_ID", "me")
    project.environment.setenv("CLIENT_SECRET", "s3cret")
    left, given = 0, 0

    def token(_: Request) -> Any:
        nonlocal left, given
        left, given = uses, given + 1
        return {"access_token": f"t{given}"}

    def is_accepted(request: Request) -> bool:
        nonlocal left
        left -= 1
        return request.headers.get("Authorization") == f"Bearer t{given}" and left >= 0

    with serving({PATH: guarded(is_accepted, 950), TOKEN: token}) as api:
        document = keyed(api.url, {**OAUTH, "access_token_url": f"{api.url}{TOKEN}"})
        document["attributes"]["concurrency"] = 1
        if uses:
            sync_source(source_of(document))
        else:
            assert "401" in failed_sync(source_of(document))
    assert given > 3 if uses else given == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            JSONResponse({"error": "invalid_client"}, 401),
            "answered 401 Unauthorized; set CLIENT_ID",
        ),
        (JSONResponse({}, 404), "answered 404 Not Found; check `access_token_url` in defs.yaml"),
        ({"token": "misnamed"}, "sent no `access_token`"),
        ({"access_token": ["t0ken"]}, "sent no `access_token`"),
        ({"error": "unknown client s3cret"}, 'defs.yaml. It says: "unknown client ***".'),
        (JSONResponse("T0ken9f8e7d6s3cret"), 'defs.yaml. It says: "***".'),
        ({"message": "T0ken9f8e7d6s3cret it is"}, 'defs.yaml. It says: "*** it is".'),
    ],
)
def test_a_missing_token_is_one_sentence(project: Project, answer: Any, said: str) -> None:
    project.environment.setenv("CLIENT_ID", "me")
    project.environment.setenv("CLIENT_SECRET", "s3cret")
    with serving({PATH: paged(events(1)), TOKEN: lambda _: answer}) as api:
        auth = {**OAUTH, "access_token_url": f"{api.url}{TOKEN}"}
        told = failed_sync(source_of(keyed(api.url, auth)))
    assert said in told
    assert "s3cret" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "lasts",
    [{}, {"expires_in": None}, {"expires_in": "3600"}, {"expires_in": 3599.5},
     {"expires_in": "an hour"}, {"expires_in": 1e30}, {"expires_in": []}],
    ids=str,
)  # fmt: skip
def test_a_token_may_say_in_any_way_how_long_it_lasts(
    monkeypatch: pytest.MonkeyPatch, lasts: dict[str, Any]
) -> None:
    monkeypatch.setenv("CLIENT_ID", "me")
    monkeypatch.setenv("CLIENT_SECRET", "s3cret\n")
    with serving(lambda _: {"access_token": "t0ken\n", **lasts}) as api:
        rest_api = {"client": {"base_url": api.url}}
        settings = {**OAUTH, "access_token_url": f"{api.url}{TOKEN}\n"}
        with build_auth(SourceConfig(name="events", rest_api=rest_api), settings) as auth:
            assert auth
            prepared = requests.Request("GET", api.url).prepare()
            sent = [auth(prepared).headers["Authorization"] for _ in range(3)]
    assert sent == ["Bearer t0ken"] * 3
    assert len(api.requests) == 1


def test_a_key_with_a_word_that_is_added_to_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "Bearer Zq81hhPQ0x")
    source = SourceConfig(name="events", rest_api={"client": {"base_url": "http://127.0.0.1:9"}})
    with pytest.raises(ConfigError) as refused, build_auth(source, "bearer"):
        pass
    assert str(refused.value) == (
        "The key in API_KEY begins with `Bearer`, which is added to it: remove that word."
    )


@pytest.mark.parametrize(
    ("auth", "key", "char"),
    [
        ("bearer", "sk\u2013Zq81hhPQ0x", "U+2013"),
        ("bearer", "sk-Zq81\nhhPQ0x", "U+000A"),
        ("bearer", "sk-Zq81\u200bhhPQ0x", "U+200B"),
        ({"type": "api_key", "name": "X-Key"}, "sk-Zq81\x7fhhPQ0x", "U+007F"),
        ({"type": "api_key", "name": "X-Key", "location": "query"}, "sk-Zq\r\nhhPQ0x", "U+000D"),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused_in_a_sentence_without_it(
    monkeypatch: pytest.MonkeyPatch, auth: Any, key: str, char: str
) -> None:
    monkeypatch.setenv("API_KEY", key)
    rest_api = {"client": {"base_url": "http://127.0.0.1:9"}}
    source = SourceConfig(name="events", rest_api=rest_api)
    with pytest.raises(ConfigError) as refused, build_auth(source, auth):
        pass
    assert str(refused.value) == (
        f"The key in API_KEY holds the character {char}, which cannot be sent: copy it again, "
        "without line breaks, as plain text."
    )


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://127.0.0.1:9/e", "http://127.0.0.1:9/e?key=K"),
        ("http://127.0.0.1:9/e?api_key=K", "http://127.0.0.1:9/e?api_key=K&key=K"),
        ("http://127.0.0.1:9/e?page=2&key=K", "http://127.0.0.1:9/e?page=2&key=K"),
        ("http://127.0.0.1:9/e?key=K2", "http://127.0.0.1:9/e?key=K2&key=K"),
    ],
)
def test_a_key_is_added_to_the_query_unless_a_link_holds_it(
    monkeypatch: pytest.MonkeyPatch, url: str, sent: str
) -> None:
    monkeypatch.setenv("API_KEY", "K")
    source = SourceConfig(name="events", rest_api={"client": {"base_url": "http://127.0.0.1:9"}})
    settings = {"type": "api_key", "name": "key", "location": "query"}
    with build_auth(source, settings) as auth:
        assert auth
        assert auth(requests.Request("GET", url).prepare()).url == sent


def test_an_address_of_tokens_that_is_none_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_ID", "me")
    monkeypatch.setenv("CLIENT_SECRET", "s3cret")
    source = SourceConfig(name="events", rest_api={"client": {"base_url": "http://127.0.0.1:9"}})
    settings = {**OAUTH, "access_token_url": "http://[::1/token"}
    with (
        pytest.raises(ConfigError, match=r"^`access_token_url` must have an IPv6 address in br"),
        build_auth(source, settings),
    ):
        pass


def test_an_endpoint_can_have_its_own_key(project: Project) -> None:
    project.environment.setenv("API_KEY", SECRET)
    with serving({PATH: guarded(lambda request: request.headers.get("X-Key") == SECRET)}) as api:
        auth = {"type": "api_key", "name": "X-Key", "location": "header"}
        sync_source(source_of(source(api.url, endpoint={"auth": auth})))
