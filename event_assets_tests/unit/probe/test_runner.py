"""The probe reports how an API responds and what to fix, with at most twelve requests."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import replace
from typing import Any

import pytest
import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from event_assets.config.http import DEFAULT_LIMITS
from event_assets.probe.runner import probe
from event_assets.probe.session import ProbeSession
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events, number, renamed
from event_assets_tests.support.probe_reports import build_source, find_line, marks, probe_api
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Faults, Sandbox

KEY = "s3cret&key=ü"


@pytest.fixture(autouse=True)
def api_key(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def paged(rows: list[dict[str, Any]], request: Request, cap: int = 100) -> dict[str, Any]:
    """Respond as the sandbox does."""
    offset, limit = number(request, "offset"), min(cap, number(request, "limit", cap))
    return {"data": rows[offset : offset + limit], "total": len(rows)}


def test_a_correct_configuration_is_ready_after_six_requests(api: Sandbox) -> None:
    report = probe_api(api)
    assert report.summary == "Ready: all checks passed."
    assert marks(report, "warn", "fail") == {}
    assert marks(report, "-") == {"rate limit": "-"}
    assert list(report.findings) == [
        "reachable",
        "key",
        "rate limit",
        "records",
        "id",
        "field name",
        "field start_time",
        "field end_time",
        "pages",
        "page size",
        "total",
        "order",
    ]
    assert [(r.offset, r.authorized) for r in api.requests] == [
        (0, True), (99, True), (198, True), (0, False), (0, True), (300, True),
    ]  # fmt: skip


def test_a_key_without_effect_is_a_warning(api: Sandbox) -> None:
    api.faults = Faults(ignore_key=True)
    found = find_line(probe_api(api), "key")
    assert found.mark == "warn"
    assert "the API returns the same 100 records" in found.message


@pytest.mark.parametrize(
    ("anonymous", "message"),
    [
        ({"data": events(3), "total": 3}, "the answer is another, with 3 records"),
        ({"data": events(3), "total": 250}, "the answer is another, with 3 records"),
        ({"data": renamed(events(100), {"name": "n"}), "total": 250}, "the answer is another"),
        (Response(status_code=404), "without it the API returned 404 Not Found"),
    ],
)
def test_a_key_that_changes_the_response_passes(anonymous: Any, message: str) -> None:
    def answer(request: Request) -> Any:
        return paged(events(250), request) if "api_key" in request.query_params else anonymous

    with serving(answer) as api:
        found = find_line(probe_api(api), "key")
    assert found.mark == "ok"
    assert message in found.message


def test_the_effect_of_a_key_is_unknown_when_each_response_differs() -> None:
    def answer(request: Request) -> Any:
        return paged(random.sample(events(250), 250), request)

    with serving(answer) as api:
        found = find_line(probe_api(api), "key")
    assert found.mark == "warn"
    assert "its effect is unknown" in found.message


def test_a_rejected_key_is_a_failure_with_advice(project: Project, api: Sandbox) -> None:
    project.environment.setenv("API_KEY", "wrong-key")
    report = probe_api(api)
    assert marks(report, "ok", "fail") == {"reachable": "ok", "key": "fail"}
    message = find_line(report, "key").message
    assert "answered 401 Unauthorized; set API_KEY" in message
    assert "kB" not in find_line(report, "reachable").message
    assert message.endswith("If it is right, check how `auth` in defs.yaml sends it.")
    assert len(api.requests) == 1


def test_without_auth_no_keyless_request_is_sent(api: Sandbox) -> None:
    api.faults = Faults(ignore_key=True)
    report = probe_api(api, auth=None)
    assert find_line(report, "key").mark == "-"
    assert len(api.requests) == 5


def test_a_missing_key_is_a_configuration_error(project: Project, api: Sandbox) -> None:
    project.environment.delenv("API_KEY")
    with pytest.raises(ConfigError, match="set API_KEY"):
        probe(build_source(api.url))
    assert api.requests == []


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "api_key", "name": "X-Key", "location": "header"},
        {"type": "bearer"},
        {"type": "http_basic", "username": "me", "password": KEY},
    ],
)
def test_every_auth_type_is_compared_with_a_keyless_request(project: Project, auth: Any) -> None:
    project.environment.setenv("API_KEY", "header-key")

    def answer(request: Request) -> Any:
        sent = {"x-key", "authorization"} & set(request.headers)
        return paged(events(250), request) if sent else Response(status_code=403)

    with serving(answer) as api:
        found = find_line(probe_api(api, auth=auth), "key")
    assert found.message == "accepted; without it the API returned 403 Forbidden."


def test_a_token_request_is_counted() -> None:
    def answer(request: Request) -> Any:
        if request.url.path == "/token":
            return {"access_token": "t0ken", "expires_in": 60}
        if request.headers.get("authorization") != "Bearer t0ken":
            return Response(status_code=401)
        return paged(events(250), request)

    with serving(answer) as api:
        auth = {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{api.url}/token",
            "client_id": "me",
            "client_secret": KEY,
        }
        report = probe_api(api, auth=auth)
        assert sum("/token" in url for url in api.urls) == 1
    assert find_line(report, "key").mark == "ok"
    assert report.metrics["requests"] == len(api.requests)


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (Faults(fail_every=1), "answered 503 Service Unavailable; try again later"),
        (Faults(fail_every=1, fail_status=404), "answered 404 Not Found; check `base_url`"),
        (Faults(fail_every=1, fail_status=429, retry_after=60), "Retry-After: 60."),
        (Faults(html_every=1), "sent a response that is not JSON"),
        (Faults(reset_every=1), "closed the connection in the middle of a response"),
    ],
)
def test_an_unusable_response_ends_the_probe_after_one_request(
    api: Sandbox, faults: Faults, message: str
) -> None:
    api.faults = faults
    report = probe_api(api)
    assert message in find_line(report, "reachable").message
    assert report.error
    assert report.has_failures
    assert len(api.requests) == 1


def test_a_first_page_without_content_is_an_empty_list() -> None:
    with serving(lambda _: Response(status_code=204)) as api:
        report = probe_api(api)
    assert find_line(report, "reachable").mark == "warn"
    assert not report.has_failures


def test_an_unreachable_api_is_a_failure() -> None:
    with serving(lambda _: {}) as gone:
        pass
    message = find_line(probe(build_source(gone.url)), "reachable").message
    assert message == (
        f"The API at {gone.url}/v1/events cannot be reached (connection refused); "
        "check `base_url` and the network."
    )


def test_a_silent_api_times_out() -> None:
    with Sandbox(3, faults=Faults(latency=60)) as api:
        report = probe(build_source(api.url), seconds=1)
    message = find_line(report, "reachable").message
    assert re.search(r"sent nothing for (1|0\.\d) s", message), message  # of what is left


@pytest.mark.parametrize("pause", [0.05, 60])
def test_an_endless_response_times_out(pause: float) -> None:
    def drip(_: Request) -> Response:
        async def drops() -> Any:
            while True:
                yield b" "
                await asyncio.sleep(pause)

        return StreamingResponse(drops(), media_type="application/json")

    with serving(drip) as api:
        report = probe_api(api, seconds=1)
    assert "did not send a complete response in 1 s" in find_line(report, "reachable").message


def test_no_request_is_sent_after_the_time_limit() -> None:
    with Sandbox(250, faults=Faults(latency=0.6)) as api:
        report = probe_api(api, seconds=1)
        assert len(api.requests) == 1
    assert find_line(report, "records").mark == "ok"
    assert "not requested: the limit of 1 s is reached" in find_line(report, "order").message
    assert not report.has_failures


def test_no_request_is_sent_that_the_pace_delays_behind_the_time_limit(api: Sandbox) -> None:
    limits = replace(DEFAULT_LIMITS, requests_per_second=0.8)
    request = requests.Request("GET", f"{api.url}/v1/events")
    with ProbeSession(api.url, None, 1.0, (), limits) as session:
        session.fetch(request)
        assert session.fetch(request).error == "not requested: the limit of 1 s is reached"
    assert len(api.requests) == 1


def test_no_request_is_sent_after_a_429(api: Sandbox) -> None:
    api.faults = Faults(fail_every=2, fail_status=429, retry_after=9)
    report = probe_api(api)
    assert len(api.requests) == 2
    assert marks(report, "warn") == {"key": "warn", "pages": "warn", "rate limit": "warn"}
    assert "returned 429 after 1 request: a sync" in find_line(report, "rate limit").message
    assert not report.has_failures


def test_a_compressed_response_is_read() -> None:
    with serving(lambda request: paged(events(250), request), compressed=True) as api:
        assert find_line(probe_api(api), "records").message == "`data` has 100 records."


def test_a_redirect_is_followed_and_reported() -> None:
    def answer(request: Request) -> Any:
        if not request.url.path.endswith("/"):
            return RedirectResponse(f"{request.url.path}/?{request.url.query}")
        if "api_key" not in request.query_params:
            return Response(status_code=401)
        return paged(events(250), request)

    with serving(answer) as api:
        report = probe_api(api)
        message = find_line(report, "reachable").message
        assert f"It redirects to {api.url}/v1/events/: set" in message
    assert marks(report, "warn", "fail") == {"reachable": "warn"}
    assert "sandbox" not in "".join(report.format_lines())


def test_a_redirect_to_another_host_is_followed_without_the_key() -> None:
    with serving(lambda _: Response(status_code=401)) as new:
        target = f"{new.url}/v1/events"
        with serving(lambda _: RedirectResponse(target)) as old:
            report = probe_api(old)
        assert not any("sandbox" in url for url in new.urls)
    assert (
        f"redirects to {target} (another host: sent without the key)"
        in find_line(report, "reachable").message
    )
    assert report.has_failures


@pytest.mark.parametrize(
    ("headers", "mark", "message"),
    [
        ({"X-RateLimit-Remaining": "97", "X-RateLimit-Reset": "60"}, "ok", "97 requests left for"),
        ({"RateLimit": "remaining=5, reset=9"}, "warn", "9 s; a full sync needs about 26."),
        ({"X-RateLimit-Limit": "100"}, "-", "no header says how many requests are left"),
    ],
)
def test_the_requests_that_are_left_are_compared_with_those_of_a_full_sync(
    headers: dict[str, str], mark: str, message: str
) -> None:
    with serving(lambda r: JSONResponse(paged(events(2500), r), headers=headers)) as api:
        found = find_line(probe_api(api), "rate limit")
    assert found.mark == mark
    assert message in found.message


def test_a_key_that_the_api_returns_is_masked(project: Project) -> None:
    project.environment.setenv("API_KEY", KEY)

    def answer(request: Request) -> Any:
        key = request.query_params.get("api_key", "none")
        rows = events(250, name=f"Event for {key}", end_time=str(request.url))
        return paged(rows, request) | {key: key}

    with serving(answer) as api:
        report = probe_api(api, data_selector="missing")
    message = "\n".join(report.format_lines())
    assert "Event for ***" in message
    assert "s3cret" not in message
    assert "s3cret" not in repr(report)


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_key_in_the_path_is_masked(project: Project, status: int) -> None:
    project.environment.setenv("API_KEY", "s3cret")
    with serving(lambda _: JSONResponse({"data": events(3)}, status)) as api:
        report = probe_api(api, auth=None, path="/s3cret/events")
    assert "/***/events" in report.format_lines()[0] + report.format_lines()[1]
    assert "s3cret" not in "".join([*report.format_lines(), report.error])


def test_values_are_escaped_and_shortened_for_the_terminal() -> None:
    rows = events(2, name="\x1b[2J\x9b1m\r\n\u202e" + "long " * 100)
    with Sandbox(rows) as api:
        message = find_line(probe_api(api), "field name").message
    assert r"`\x1b[2J\x9b1m\r\n\u202elong" in message
    assert message.isprintable()
    assert len(message) < 200
