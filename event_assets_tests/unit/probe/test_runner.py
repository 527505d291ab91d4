"""The probe says what an API is like, in at most five requests, with what to do about it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from event_assets.probe.runner import probe
from event_assets.sandbox import Faults, Sandbox
from event_assets.values.errors import ConfigError
from event_assets_tests.support.probe_reports import fields, line, marks, probed, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.tiny_api import TinyApi, events, number, renamed

KEY = "s3cret&key=ü"


@pytest.fixture(autouse=True)
def keyed(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def paged(rows: list[dict[str, Any]], request: Request, cap: int = 100) -> dict[str, Any]:
    """Answer as the sandbox does."""
    offset, limit = number(request, "offset"), min(cap, number(request, "limit", cap))
    return {"data": rows[offset : offset + limit], "total": len(rows)}


def test_an_api_that_is_as_expected_is_ready_after_five_requests(api: Sandbox) -> None:
    report = probed(api)
    assert report.summary == "Ready: all checks passed."
    assert marks(report, "warn", "fail") == {}
    assert marks(report, "-") == {"rate limit": "-"}
    assert [f.name for f in report.findings] == [
        *("reachable", "key", "records", "id"),
        *("field name", "field start_time", "field end_time"),
        *("page 2", "page size", "total", "rate limit", "order", "full sync"),
    ]
    assert [(r.offset, r.authorized) for r in api.requests] == [
        (0, True), (99, True), (0, False), (0, True), (249, True),
    ]  # fmt: skip


def test_a_field_is_shown_with_three_examples_and_its_share_of_nulls(api: Sandbox) -> None:
    said = line(probed(api), "field end_time").message
    assert said.startswith("20% null at `end_time`; `2025-12-23T")
    assert said.count("`") == 2 + 3 * 2


def test_a_key_that_makes_no_difference_is_noticed(api: Sandbox) -> None:
    api.faults = Faults(ignore_key=True)
    found = line(probed(api), "key")
    assert found.mark == "warn"
    assert "the API returns the same 100 records" in found.message


@pytest.mark.parametrize(
    ("anonymous", "said"),
    [
        (
            {"data": events(3), "total": 3},
            "without it the response has a total of 3 instead of 250",
        ),
        ({"data": events(3), "total": 250}, "without it the response has 3 records, 3 of them the"),
        ({"data": renamed(events(100), {"name": "n"}), "total": 250}, "records with other fields"),
        (Response(status_code=404), "no usable response: the API returned 404 Not Found"),
    ],
)
def test_a_key_that_makes_a_difference_is_accepted(anonymous: Any, said: str) -> None:
    def answer(request: Request) -> Any:
        return paged(events(250), request) if "api_key" in request.query_params else anonymous

    with TinyApi(answer) as api:
        found = line(probed(api), "key")
    assert found.mark == "ok"
    assert said in found.message


def test_a_key_cannot_be_judged_where_each_answer_is_another() -> None:
    def answer(request: Request) -> Any:
        return paged(random.sample(events(250), 250), request)

    with TinyApi(answer) as api:
        found = line(probed(api), "key")
    assert found.mark == "warn"
    assert "its effect is unknown" in found.message


def test_a_refused_key_is_answered_with_what_to_do(project: Project, api: Sandbox) -> None:
    project.environment.setenv("API_KEY", "wrong-key")
    report = probed(api)
    assert marks(report, "ok", "fail") == {"reachable": "ok", "key": "fail"}
    assert "answered 401 Unauthorized; set API_KEY" in line(report, "key").message
    assert len(api.requests) == 1


def test_without_auth_there_is_nothing_to_compare(api: Sandbox) -> None:
    api.faults = Faults(ignore_key=True)
    report = probed(api, auth=None)
    assert line(report, "key").mark == "-"
    assert len(api.requests) == 4


def test_a_missing_key_is_a_configuration_error(project: Project, api: Sandbox) -> None:
    project.environment.delenv("API_KEY")
    with pytest.raises(ConfigError, match="set API_KEY"):
        probe(source(api.url))
    assert api.requests == []


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "api_key", "name": "X-Key", "location": "header"},
        {"type": "bearer"},
        {"type": "http_basic", "username": "me", "password": KEY},
    ],
)
def test_other_ways_to_send_the_key_are_compared_too(project: Project, auth: Any) -> None:
    project.environment.setenv("API_KEY", "header-key")

    def answer(request: Request) -> Any:
        sent = {"x-key", "authorization"} & set(request.headers)
        return paged(events(250), request) if sent else Response(status_code=403)

    with TinyApi(answer) as api:
        found = line(probed(api, auth=auth), "key")
    assert found.message == "accepted; without it the API returns 403 Forbidden."


def test_a_token_is_asked_for_within_the_five_requests() -> None:
    def answer(request: Request) -> Any:
        if request.url.path == "/token":
            return {"access_token": "t0ken", "expires_in": 60}
        if request.headers.get("authorization") != "Bearer t0ken":
            return Response(status_code=401)
        return paged(events(250), request)

    with TinyApi(answer) as api:
        auth = {
            "type": "oauth2_client_credentials",
            "access_token_url": f"{api.url}/token",
            "client_id": "me",
            "client_secret": KEY,
        }
        report = probed(api, auth=auth)
        assert sum("/token" in url for url in api.requests) == 1
    assert line(report, "key").mark == "ok"
    assert "not verified: not requested: the limit is 5 requests" in line(report, "total").message


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (Faults(fail_every=1), "answered 503 Service Unavailable; try again later"),
        (Faults(fail_every=1, fail_status=404), "answered 404 Not Found; check EVENTS_API_URL"),
        (Faults(fail_every=1, fail_status=429, retry_after=60), "Retry-After: 60."),
        (Faults(html_every=1), "sent a response that is not JSON"),
        (Faults(reset_every=1), "closed the connection in the middle of a response"),
    ],
)
def test_an_api_that_does_not_answer_well_is_asked_once_and_not_waited_for(
    api: Sandbox, faults: Faults, said: str
) -> None:
    api.faults = faults
    report = probed(api)
    assert said in line(report, "reachable").message
    assert report.error
    assert report.has_failures
    assert len(api.requests) == 1


def test_an_api_that_cannot_be_reached_is_said_to_be() -> None:
    with TinyApi(lambda _: {}) as gone:
        pass
    said = line(probe(source(gone.url)), "reachable").message
    assert said == (
        f"The API at {gone.url}/v1/events cannot be reached (connection refused); "
        "check EVENTS_API_URL and the network."
    )


def test_an_api_that_sends_nothing_is_not_waited_for() -> None:
    with Sandbox(3, faults=Faults(latency=60)) as api:
        report = probe(source(api.url), seconds=1)
    assert "sent nothing for 1 s" in line(report, "reachable").message


@pytest.mark.parametrize("pause", [0.05, 60])
def test_an_api_that_never_ends_its_answer_is_not_waited_for(pause: float) -> None:
    def drip(_: Request) -> Response:
        async def drops() -> Any:
            while True:
                yield b" "
                await asyncio.sleep(pause)

        return StreamingResponse(drops(), media_type="application/json")

    with TinyApi(drip) as api:
        report = probed(api, seconds=1)
    assert "did not complete its response within 1 s" in line(report, "reachable").message


def test_what_comes_too_late_is_not_asked_any_more() -> None:
    with Sandbox(250, faults=Faults(latency=0.6)) as api:
        report = probed(api, seconds=1)
        assert len(api.requests) == 1
    assert line(report, "records").mark == "ok"
    assert "not requested: the limit of 1 s is reached" in line(report, "order").message
    assert not report.has_failures


def test_after_a_429_nothing_more_is_asked(api: Sandbox) -> None:
    api.faults = Faults(fail_every=2, fail_status=429, retry_after=9)
    report = probed(api)
    assert len(api.requests) == 2
    assert marks(report, "warn") == {"key": "warn", "page 2": "warn", "rate limit": "warn"}
    assert "returned 429 after 1 request (retry-after: 9)" in line(report, "rate limit").message
    assert not report.has_failures


def test_a_compressed_answer_is_read() -> None:
    with TinyApi(lambda request: paged(events(250), request), compressed=True) as api:
        assert line(probed(api), "records").message == "`data` has 100 records."


def test_an_api_that_sends_its_readers_on_is_followed_and_named() -> None:
    def answer(request: Request) -> Any:
        if not request.url.path.endswith("/"):
            return RedirectResponse(f"{request.url.path}/?{request.url.query}")
        if "api_key" not in request.query_params:
            return Response(status_code=401)
        return paged(events(250), request)

    with TinyApi(answer) as api:
        report = probed(api)
        said = line(report, "reachable").message
        assert f"It redirects to {api.url}/v1/events/: set" in said
    assert marks(report, "warn", "fail") == {"reachable": "warn"}
    assert "sandbox" not in "".join(report.format_lines())


def test_an_api_that_moved_to_another_host_gets_no_key_there() -> None:
    with TinyApi(lambda _: Response(status_code=401)) as new:
        target = f"{new.url}/v1/events"
        with TinyApi(lambda _: RedirectResponse(target)) as old:
            report = probed(old)
        assert not any("sandbox" in url for url in new.requests)
    assert (
        f"redirects to {target} (another host: sent without the key)"
        in line(report, "reachable").message
    )
    assert report.has_failures


def test_rate_limits_that_headers_announce_are_shown() -> None:
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "97"}
    with TinyApi(lambda r: JSONResponse(paged(events(250), r), headers=headers)) as api:
        found = line(probed(api), "rate limit")
    assert found.message == "x-ratelimit-limit: 100, x-ratelimit-remaining: 97."


def test_a_rate_limit_that_is_too_low_for_a_full_sync_is_a_warning() -> None:
    headers = {"X-RateLimit-Remaining": "5"}
    with TinyApi(lambda r: JSONResponse(paged(events(2500), r), headers=headers)) as api:
        found = line(probed(api), "rate limit")
    assert found.mark == "warn"
    assert "needs about 26 requests, 5 are left" in found.message


def test_the_key_is_never_shown_not_even_when_the_api_sends_it_back(project: Project) -> None:
    project.environment.setenv("API_KEY", KEY)

    def answer(request: Request) -> Any:
        key = request.query_params.get("api_key", "none")
        rows = events(250, name=f"Event for {key}", end_time=str(request.url))
        headers = {"X-RateLimit-Of": request.url.query}
        return JSONResponse(paged(rows, request) | {key: key}, headers=headers)

    with TinyApi(answer) as api:
        report = probed(api, data_selector="missing")
    said = "\n".join([*report.format_lines(), *map(str, report.first_record)])
    assert "Event for ***" in said
    assert "x-ratelimit-of: " in said
    assert "s3cret" not in said
    assert "s3cret" not in repr(report)


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_key_in_the_path_is_not_shown_either(project: Project, status: int) -> None:
    project.environment.setenv("API_KEY", "s3cret")
    with TinyApi(lambda _: JSONResponse({"data": events(3)}, status)) as api:
        report = probed(api, auth=None, path="/s3cret/events")
    assert "/***/events" in report.format_lines()[0] + report.format_lines()[1]
    assert "s3cret" not in "".join([*report.format_lines(), report.error])


def test_values_cannot_drive_the_terminal_and_are_cut() -> None:
    rows = events(2, name="\x1b[2J\x9b1m\r\n\u202e" + "long " * 100)
    with Sandbox(rows) as api:
        said = line(probed(api), "field name").message
    assert r"`\x1b[2J\x9b1m\r\n\u202elong" in said
    assert said.isprintable()
    assert len(said) < 200


@pytest.mark.parametrize(
    ("faults", "mark", "said"),
    [
        (Faults(null_id_every=40), "warn", "2 of 100 records have no `id`"),
        (Faults(missing_id_every=3), "fail", "33 of 100 records have no `id`; `url` is unique"),
    ],
)
def test_records_without_an_id_are_counted(
    api: Sandbox, faults: Faults, mark: str, said: str
) -> None:
    api.faults = faults
    found = line(probed(api), "id")
    assert found.mark == mark
    assert said in found.message


def test_an_id_that_is_not_unique_is_noticed_and_a_unique_one_named() -> None:
    rows = [{**row, "id": "same", "uuid": f"u{at}"} for at, row in enumerate(events(9))]
    with Sandbox(rows) as api:
        found = line(probed(api), "id")
    assert found.mark == "fail"
    assert "8 of 9 records have a duplicate `id`; `uuid` is unique" in found.message
    assert found.changes == {("primary_key",): "uuid"}


def test_an_id_that_the_contract_places_is_corrected_in_the_contract() -> None:
    contract = fields(id={"type": "text", "from": "key"})
    with Sandbox(events(9)) as api:
        assert line(probed(api, contract=contract), "id").changes == {("from", "id"): "id"}


@pytest.mark.parametrize(
    ("document", "selector"),
    [
        ({"events": events(20), "facets": [{"name": "a"}] * 90}, "events"),
        ({"_embedded": {"events": events(20)}, "page": {"size": 20}}, "_embedded.events"),
        ({"my list": events(20)}, "'my list'"),
        (events(20), "$"),
    ],
)
def test_the_selector_that_would_find_the_records_is_named(document: Any, selector: str) -> None:
    with TinyApi(lambda _: document) as api:
        found = line(probed(api, paginator="single_page"), "records")
    assert found.mark == "fail"
    assert found.changes == {("data_selector",): selector}
    assert "20 are under" in found.message
    with TinyApi(lambda _: document) as api:
        report = probed(api, paginator="single_page", data_selector=selector)
    assert line(report, "records").mark == "ok"


def test_a_selector_that_was_guessed_should_be_named(api: Sandbox) -> None:
    found = line(probed(api, data_selector=None), "records")
    assert found.mark == "warn"
    assert found.changes == {("data_selector",): "data"}


@pytest.mark.parametrize("selector", [None, "missing.path", "tags[*]"])
def test_a_selector_that_finds_no_records_is_corrected_also_when_guessed(
    selector: str | None,
) -> None:
    def answer(request: Request) -> Any:
        return {"tags": [], "items of": ["a"], **paged(events(250), request)}

    with TinyApi(answer) as api:
        found = line(probed(api, data_selector=selector, auth=None), "records")
    assert found.changes == {("data_selector",): "data"}


def test_an_answer_without_records_anywhere_is_a_failure() -> None:
    with TinyApi(lambda _: {"error": "no such thing", "code": [1, 2]}) as api:
        report = probed(api)
    assert "the response has no `data`, and no other list" in line(report, "records").message
    assert report.has_failures


def test_an_empty_list_is_a_warning(api: Sandbox) -> None:
    api.replace([])
    assert marks(probed(api), "warn", "fail") == {"records": "warn"}


def test_records_that_are_no_objects_are_a_failure() -> None:
    with TinyApi(lambda _: {"data": ["a", "b"]}) as api:
        found = line(probed(api), "records")
    assert (found.mark, found.message[:26]) == ("fail", "2 of 2 under `data` are no")


@pytest.mark.parametrize(
    ("changed", "field", "changes"),
    [
        ({"name": {"title": "T"}}, "name", {("from", "name"): "title"}),
        ({"name": {"name": {"en": "A", "de": "B"}}}, "name", {("from", "name"): "name.en"}),
        (
            {"start_time": {"dates": {"start": {"dateTime": "2026-01-01T00:00:00Z"}}}},
            "start_time",
            {("from", "start_time"): "dates.start.dateTime"},
        ),
        (
            {"start_time": {"start_time": 1767225600}},
            "start_time",
            {("from", "start_time"): "start_time", ("format", "start_time"): "epoch_s"},
        ),
        (
            {"end_time": {"endsAt": 1767225600000}},
            "end_time",
            {("from", "end_time"): "endsAt", ("format", "end_time"): "epoch_ms"},
        ),
    ],
)
def test_a_field_that_is_elsewhere_is_found(
    changed: dict[str, dict[str, Any]], field: str, changes: dict[Any, Any]
) -> None:
    rows = events(9)
    for name, instead in changed.items():
        rows = [{k: v for k, v in row.items() if k != name} | instead for row in rows]
    with Sandbox(rows) as api:
        found = line(probed(api), f"field {field}")
    assert found.mark == "fail"
    assert found.changes == changes


def test_a_name_in_several_languages_is_taken_from_the_first_that_is_there() -> None:
    rows = [{**row, "name": {"en" if at % 2 else "fr": "x"}} for at, row in enumerate(events(9))]
    with Sandbox(rows) as api:
        found = line(probed(api), "field name")
    assert found.changes[("from", "name")][1:] == ["name.*"]


def test_a_field_that_is_nowhere_is_a_warning_if_it_may_be_missing() -> None:
    rows = renamed(events(9), {"end_time": "x"})
    with Sandbox(rows) as api:
        assert marks(probed(api), "warn", "fail") == {"field end_time": "warn"}
        contract = fields(end_time={"type": "timestamp", "nullable": False})
        assert marks(probe(source(api.url, contract=contract)), "warn", "fail") == {
            "field end_time": "fail"
        }


def test_values_that_break_the_contract_are_counted(api: Sandbox) -> None:
    api.faults = Faults(bad_start_every=30)
    found = line(probed(api), "field start_time")
    assert found.mark == "warn"
    assert "3 of 100 would be rejected, because the value is" in found.message
    api.requests.clear()
    api.faults = Faults(bad_start_every=3)
    found = line(probed(api), "field start_time")
    assert found.mark == "fail"
    assert "`soon` at `start_time` is not a timestamp (33 of 100 records)" in found.message
