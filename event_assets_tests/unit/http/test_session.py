"""The HTTP session: the retry policy, the key on the wire only, and plain errors."""

import gc
import socket
import weakref
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, HttpBasicAuth
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.responses import Response as Answer

from event_assets.http.errors import status_error_message, user_message
from event_assets.http.session import ApiSession
from event_assets.probe.session import ProbeSession
from event_assets.values.errors import ApiError
from event_assets.values.urls import origin
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH, session_for
from event_assets_tests.support.polling import until
from event_assets_tests.support.sandbox import KEY, Faults, Sandbox
from event_assets_tests.support.waits import NOW, Waits


def statuses(api: Sandbox) -> list[int]:
    return [request.status for request in api.requests]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_retryable_status_is_retried(api: Sandbox, status: int) -> None:
    api.faults = Faults(fail_first=2, fail_status=status, retry_after=0)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == 200
    assert statuses(api) == [status, status, 200]


@pytest.mark.usefixtures("waits")
def test_at_most_three_retries(api: Sandbox) -> None:
    api.faults = Faults(fail_every=1, fail_status=503, retry_after=0)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == 503
    assert statuses(api) == [503] * 4


@pytest.mark.parametrize(
    "retry_after", ["0", "-1", "0.001", "soon", "", "Fri, 31 Dec 99999 23:59:59 GMT", None]
)
def test_a_retry_never_comes_before_the_backoff(
    api: Sandbox, waits: Waits, retry_after: str | None
) -> None:
    api.faults = Faults(fail_first=3, retry_after=retry_after)
    with session_for(api) as session:
        session.get(api.url + PATH)
    assert waits.seconds == [2, 4, 8]


def test_a_closed_session_keeps_no_connection(api: Sandbox) -> None:
    with session_for(api) as session:
        session.get(api.url + PATH)
    freed = weakref.ref(session.get_adapter(api.url + PATH))
    del session
    gc.collect()
    assert freed() is None


@pytest.mark.parametrize(
    "value", ["86400", formatdate(time() + 86_400, usegmt=True)], ids=["seconds", "date"]
)
def test_an_api_that_asks_for_a_long_pause_is_not_asked_again(api: Sandbox, value: str) -> None:
    api.faults = Faults(fail_every=1, fail_status=429, retry_after=value)
    with session_for(api) as session:
        response = session.get(api.url + PATH)
    assert len(api.requests) == 1
    asked = f"it asks for a longer pause than a sync makes (Retry-After: {value}); try again then."
    assert asked in status_error_message(response)


def test_what_an_api_says_makes_no_long_sentence(api: Sandbox) -> None:
    api.faults = Faults(fail_every=1, fail_status=429, retry_after="9" * 300)
    with session_for(api) as session:
        said = status_error_message(session.get(api.url + PATH))
    assert f"(Retry-After: {'9' * 200} ...)" in said
    away = Answer(status_code=302, headers={"Location": f"/{'x' * 5000}"})
    handlers = {"/": lambda _: away, "/{path}": lambda _: Answer(status_code=404)}
    with serving(handlers) as far, ApiSession(far.url) as session:
        said = status_error_message(session.get(far.url))
    assert "xxx ... answered 404 Not Found" in said
    assert len(said) < 400


RESET = "X-RateLimit-Reset"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"Retry-After": "30"}),
        (403, {"Retry-After": formatdate(NOW + 30, usegmt=True)}),
        (429, {"Retry-After": f"{NOW + 30}"}),  # Cloud Foundry
        (429, {"Retry-After": "30.0"}),
        (420, {"Retry-After": "30"}),
        (403, {RESET: "30"}),
        (403, {RESET: "30", "X-RateLimit-Remaining": "0"}),
        (429, {RESET: f"{NOW + 30}"}),
        (429, {"RateLimit-Reset": "30"}),
        (429, {"X-Rate-Limit-Reset": f"{1000 * (NOW + 30)}"}),
        (403, {"RateLimit": "limit=10, remaining=0, reset=30"}),
        (429, {"RateLimit": '"default";r=0;t=30'}),
    ],
)
def test_a_rate_limit_is_waited_for_whatever_says_it(
    waits: Waits, status: int, headers: dict[str, str]
) -> None:
    answers = iter([JSONResponse({}, status, headers), {}, {}])
    with serving(lambda _: next(answers)) as api, ApiSession(api.url) as session:
        assert session.get(api.url).status_code == 200
        assert waits.seconds == [30]
        session.get(api.url)
    assert len(waits.seconds) == 2  # at the pace that it shows


@pytest.mark.parametrize(
    "headers",
    [
        {RESET: "1", "X-RateLimit-Remaining": "4999"},
        {"RateLimit-Reset": "1", "RateLimit-Remaining": "4999"},
        {"RateLimit": "limit=5000, remaining=4999, reset=1"},
    ],
)
def test_a_403_that_is_no_rate_limit_is_sent_once(headers: dict[str, str]) -> None:
    with serving(lambda _: JSONResponse({}, 403, headers)) as api, ApiSession(api.url) as session:
        assert session.get(api.url).status_code == 403
    assert len(api.requests) == 1


@pytest.mark.parametrize("own", ["", "theme=dark"])
def test_cookies_that_the_api_sets_are_sent_back(own: str) -> None:
    answer = JSONResponse({})
    answer.set_cookie("node", "7")
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        for _ in range(2):
            session.get(api.url, headers={"Cookie": own} if own else {})
    sent = [request.headers.get("Cookie", "") for request in api.requests]
    assert sent == [own, "; ".join(filter(None, (own, "node=7")))]


def test_an_api_that_refuses_the_user_agent_of_requests_is_read() -> None:
    with (
        serving(lambda _: JSONResponse({})) as api,
        ApiSession(api.url) as session,
        ProbeSession(api.url, None, 20.0, ()) as probing,
    ):
        session.get(api.url)
        session.get(api.url, headers={"User-Agent": "mine"})
        probing.get(api.url)
    sent = [request.headers["User-Agent"] for request in api.requests]
    assert sent == ["event-assets", "mine", "event-assets"]


def test_headers_of_one_name_are_one_list() -> None:
    answer = JSONResponse({})
    answer.headers.append("Link", '</a>; rel="prev"')
    answer.headers.append("Link", '</b>; rel="next"')
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        assert set(session.get(api.url).links) == {"prev", "next"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Api.example.com/v1?x=1", "https://api.example.com"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://me:secret@host:1/v1", "http://host:1"),
    ],
)
def test_the_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_other_error_statuses_are_not_retried(api: Sandbox, status: int) -> None:
    api.faults = Faults(fail_every=1, fail_status=status)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == status
    assert statuses(api) == [status]


@pytest.mark.usefixtures("waits")
def test_a_connection_closed_after_others_were_accepted_is_not_blamed_on_the_url(
    api: Sandbox,
) -> None:
    with session_for(api) as session:
        session.get(api.url + PATH)
        api.faults = Faults(reset_every=1)
        with pytest.raises(ApiError) as failed:
            session.get(api.url + PATH)
    assert str(failed.value) == (
        f"The API at {api.url}{PATH} closed the connection in the middle of a response (tried 4 "
        "times); try again later, or lower concurrency in defs.yaml if it allows few connections."
    )


def test_the_key_is_on_the_wire_and_not_in_the_response(api: Sandbox) -> None:
    with session_for(api) as session:
        answer = session.get(api.url + PATH)
    assert api.requests[0].authorized
    assert KEY not in answer.url
    assert KEY not in str(answer.request.url)


def test_another_host_does_not_get_the_key(api: Sandbox) -> None:
    auth = APIKeyAuth(name="api_key", api_key=KEY, location="query")
    with ApiSession("http://127.0.0.1:1", auth) as session:
        assert session.get(api.url + PATH).status_code == 401
    assert not api.requests[0].authorized


@pytest.mark.parametrize("secret", ["short", "a-long-secret-key"])
@pytest.mark.parametrize("status", [200, 307])
def test_another_host_gets_no_secret_of_the_configuration(secret: str, status: int) -> None:
    """Whether a link or a redirect leads to it."""
    with serving(lambda _: {}) as other:
        redirect = RedirectResponse(f"{other.url}/?key={secret}")  # 307
        with serving(lambda _: redirect) as api, ApiSession(api.url, secrets=[secret]) as session:
            target = api.url if status == 307 else f"{other.url}/?key={secret}"
            headers = {"X-App-Key": secret, "X-Version": "2"}
            session.post(target, headers=headers, json={"key": secret, "page": 2})
    (received,) = other.requests
    assert received.headers["X-Version"] == "2"
    assert "X-App-Key" not in received.headers
    sent = f"{received.url} {received.state.body!r}"
    assert "page" in sent
    assert (secret in sent) is (secret == "short")  # which may be an ordinary word


@pytest.mark.usefixtures("waits")
def test_a_refused_connection_is_one_sentence_without_the_key() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    auth = APIKeyAuth(name="api_key", api_key="s3cret", location="query")
    with ApiSession(url, auth) as session, pytest.raises(ApiError) as failed:
        session.get(url + PATH)
    assert user_message(failed.value) == (
        f"The API at {url}{PATH} cannot be reached (connection refused) (tried 4 times); "
        "check EVENTS_API_URL and the network."
    )
    assert failed.value.__context__ is None
    assert failed.value.__cause__ is None


def test_a_429_pauses_every_request_of_the_session(api: Sandbox, waits: Waits) -> None:
    api.faults = Faults(fail_first=1, fail_status=429, retry_after=30)
    waits.together = 2
    with session_for(api) as session, ThreadPoolExecutor(1) as other:
        first = other.submit(session.get, api.url + PATH)
        until(lambda: waits.seconds)
        session.get(api.url + PATH, params={"offset": 50})
        first.result()
    assert waits.seconds[:2] == [30, 30]  # the pause that the API asked for
    assert statuses(api) == [429, 200, 200]


@pytest.mark.usefixtures("waits")
def test_requests_and_bytes_are_counted(api: Sandbox) -> None:
    api.faults = Faults(fail_first=1, retry_after=0)
    with session_for(api) as session:
        size = len(session.get(api.url + PATH).content)
        assert (session.metrics.requests, session.metrics.retries) == (2, 1)
        assert session.metrics.bytes > size
        assert session.metrics.in_flight == 0


def test_close_does_not_wait_for_a_pause(api: Sandbox) -> None:
    api.faults = Faults(fail_every=1, fail_status=503, retry_after=100)
    session = session_for(api)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(session.get, api.url + PATH)
        until(lambda: len(api.requests) == 1 and session.metrics.in_flight == 0)
        session.close()
        with pytest.raises(ApiError):
            waiting.result(timeout=10)


@pytest.mark.parametrize(
    ("user", "password", "is_masked"),
    [
        ("sk-4eC39HqLyjWDarjtT1zdp7dc", "password-of-it", True),
        ("plain-user-name", "x", True),
        ("plain-user-name", "password-of-it", False),
    ],
)
def test_the_user_is_masked_where_it_is_the_key(
    user: str, password: str, *, is_masked: bool
) -> None:
    def answer(request: Request) -> Any:
        return {"sent": request.headers["Authorization"], "user": user}

    auth = HttpBasicAuth(user, password)
    with serving(answer) as api, ApiSession(api.url, auth) as session:
        body = session.get(api.url).text
    in_base64 = b64encode(f"{user}:{password}".encode()).decode().rstrip("=")
    assert in_base64[:-2] not in body
    assert (user not in body) is is_masked
