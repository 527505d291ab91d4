"""The HTTP session: the retry policy, the key on the wire only, and plain errors."""

import socket

import pytest
from dlt.sources.helpers.rest_client.auth import APIKeyAuth

from event_assets.sandbox import KEY, Faults, Sandbox
from event_assets.transport import ApiError, ApiSession, explain

PATH = "/v1/events"


def session_for(api: Sandbox) -> ApiSession:
    auth = APIKeyAuth(name="api_key", api_key=KEY, location="query")
    return ApiSession(api.url, auth)


def statuses(api: Sandbox) -> list[int]:
    return [request.status for request in api.requests]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_api_is_asked_again(api: Sandbox, status: int) -> None:
    api.faults = Faults(fail_first=2, fail_status=status, retry_after=0)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == 200
    assert statuses(api) == [status, status, 200]


def test_it_is_asked_again_three_times_and_no_more(api: Sandbox) -> None:
    api.faults = Faults(fail_every=1, fail_status=503, retry_after=0)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == 503
    assert statuses(api) == [503] * 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_final(api: Sandbox, status: int) -> None:
    api.faults = Faults(fail_every=1, fail_status=status)
    with session_for(api) as session:
        assert session.get(api.url + PATH).status_code == status
    assert statuses(api) == [status]


def test_an_answer_that_breaks_off_is_asked_for_again(api: Sandbox) -> None:
    api.faults = Faults(reset_every=2)
    with session_for(api) as session:
        pages = [session.get(api.url + PATH) for _ in range(2)]
    assert [len(page.json()["data"]) for page in pages] == [100, 100]
    assert len(api.requests) == 3


def test_the_key_is_on_the_wire_and_nowhere_in_the_answer(api: Sandbox) -> None:
    with session_for(api) as session:
        answer = session.get(api.url + PATH)
    assert api.requests[0].key_right
    assert KEY not in answer.url
    assert KEY not in str(answer.request.url)


def test_another_host_does_not_get_the_key(api: Sandbox) -> None:
    auth = APIKeyAuth(name="api_key", api_key=KEY, location="query")
    with ApiSession("http://127.0.0.1:1", auth) as session:
        assert session.get(api.url + PATH).status_code == 401
    assert not api.requests[0].key_right


def test_no_connection_is_said_in_one_sentence_without_the_key() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    auth = APIKeyAuth(name="api_key", api_key="s3cret", location="query")
    with ApiSession(url, auth) as session, pytest.raises(ApiError) as failed:
        session.get(url + PATH)
    assert explain(failed.value) == (
        f"The API at {url}{PATH} cannot be reached (connection refused) (tried 4 times); "
        "check EVENTS_API_URL and the network."
    )
    assert failed.value.__context__ is None
    assert failed.value.__cause__ is None
