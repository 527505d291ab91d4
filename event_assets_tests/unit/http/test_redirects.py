"""Proxies and redirects, and what is said of those that lead nowhere."""

import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from requests import RequestException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.responses import Response as Answer

from event_assets.http.errors import user_message
from event_assets.http.session import ApiSession
from event_assets.values.errors import ApiError
from event_assets_tests.faults.raw import saying, whole
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH
from event_assets_tests.support.polling import free_port


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("user", ["http://me:s3cret@", "http://", ""])
def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("HTTP_PROXY", f"{user}{proxy}")
    proxy = f"http://{proxy}" if user else proxy
    with ApiSession("http://events.example") as session, pytest.raises(ApiError) as failed:
        session.get(f"http://events.example{PATH}")
    assert user_message(failed.value) == (
        f"The API at http://events.example{PATH} cannot be reached by the proxy {proxy} "
        "(connection refused) (tried 4 times); check HTTP_PROXY and HTTPS_PROXY "
        "(http://user:password@host:port)."
    )


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        ("socks5://127.0.0.1:9", "a SOCKS proxy: install the package PySocks."),
        (
            "me:s3cret@127.0.0.1:9",
            "a proxy whose URL is not valid; check HTTP_PROXY and HTTPS_PROXY (http:",
        ),
        *(
            (proxy, "a proxy whose URL is not valid; check HTTP_PROXY and HTTPS_PROXY (http:")
            for proxy in (
                *("http://proxy:99999", "http://[", "ftp://127.0.0.1:9", "http://a b:9"),
                *("http://me:s3cret", "http://me:s3cret@", "http://s3cret#1:me@127.0.0.1:9"),
                *("http://m/e:s3cret@127.0.0.1:9", "http://me:1234#s3cret@127.0.0.1:9"),
                *("http://me:1234?s3cret@127.0.0.1:9", "http://me:s3cret[@127.0.0.1:9"),
                *("http://me:s3cret\u20ac@127.0.0.1:9", "http:/me:s3cret@127.0.0.1:9"),
                *("//me:s3cret@127.0.0.1:9", "'http://me:s3cret@127.0.0.1:9'"),
            )
        ),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    proxy: str,
    problem: str,
) -> None:
    monkeypatch.setenv(variable, proxy)
    caplog.set_level("DEBUG")
    with ApiSession("http://events.example") as session, pytest.raises(ApiError) as failed:
        session.get(f"http://events.example{PATH}")
    said = str(failed.value)
    assert said.startswith(f"The API at http://events.example{PATH} cannot be reached by {problem}")
    assert not re.search("s3cret|1234", said + caplog.text)


@pytest.mark.usefixtures("waits")
def test_a_proxy_that_wants_a_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: Answer(status_code=407)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for scheme, told in (("http", "answered 407 Proxy"), ("https", "cannot be reached by")):
            url = f"{scheme}://events.invalid"
            with ApiSession(url) as session, pytest.raises((ApiError, RequestException)) as failed:
                session.get(url + PATH).raise_for_status()
            assert told in (message := str(user_message(failed.value)))
            assert proxy.url in message
            assert "(http://user:password@host:port)." in message


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_closes_the_connection_is_named(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with saying(lambda *_: whole(b"")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        url = f"{scheme}://events.invalid"
        with ApiSession(url) as session, pytest.raises(ApiError) as failed:
            session.get(url + PATH)
    assert f"check EVENTS_API_URL and the proxy {proxy.url}" in str(failed.value)


def test_a_redirect_takes_one_request_per_hop() -> None:
    def answer(request: Request) -> Any:
        hop = request.url.path
        return {"data": []} if hop == "/3" else RedirectResponse(f"/{int(hop[1:]) + 1}")

    with serving(answer) as api, ApiSession(api.url) as session:
        found = session.get(f"{api.url}/1")
        assert found.json() == {"data": []}
        assert [urlsplit(url).path for url in api.urls] == ["/1", "/2", "/3"]
        assert session.metrics.requests == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_keeps_what_is_asked_for(status: int) -> None:
    def answer(request: Request) -> Any:
        sent = [request.method, request.state.body.decode()]
        return sent if request.url.path == "/v1/" else RedirectResponse("/v1/", status)

    with serving(answer) as api, ApiSession(api.url) as session:
        found = session.post(f"{api.url}/v1", json={"city": "Bonn"})
        assert found.json() == ["POST", '{"city": "Bonn"}']


@pytest.mark.usefixtures("waits")
def test_a_link_to_another_host_that_does_not_answer_is_told_from_the_api() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    with ApiSession("http://127.0.0.1:1") as session, pytest.raises(ApiError) as failed:
        session.get(f"{closed}/v2")
    assert f"The API links to {closed}/v2, which cannot be reached" in str(failed.value)


@pytest.mark.usefixtures("waits")
def test_a_redirect_to_what_does_not_answer_is_named() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    target = f"{closed}/v2?token=hidden"
    with (
        serving(lambda _: RedirectResponse(target)) as api,
        ApiSession(api.url) as session,
        pytest.raises(ApiError) as error,
    ):
        session.get(f"{api.url}/v1?key=hidden")
    assert str(error.value) == (
        f"The API at {api.url}/v1 redirects to {closed}/v2, which cannot be reached (connection "
        "refused) (tried 4 times); check EVENTS_API_URL and the network."
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/again", "without end"),
        ("", "to a URL that cannot be reached"),
        ("http://[::1", "to a URL that cannot be reached"),
        ("file:///etc/passwd", "to a URL that cannot be reached"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_said(target: str, said: str) -> None:
    answer = Answer(status_code=302, headers={"Location": target})
    with (
        serving(lambda _: answer) as api,
        ApiSession(api.url) as session,
        pytest.raises(ApiError, match=f"redirects {said}; check EVENTS_API_URL"),
    ):
        session.get(api.url)
