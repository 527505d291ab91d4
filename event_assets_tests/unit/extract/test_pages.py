"""The loop: which requests are sent, how many times, and in which order records come."""

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.extract.stream import open_stream
from event_assets.http.journal import open_journal
from event_assets.values.errors import ApiError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.streams import read_all, reading

PARENTS = [{"id": f"p{n}"} for n in range(12)]
PAGES = 3


def config(url: str, paginator: Any, path: str) -> dict[str, Any]:
    endpoint = {"path": path, "data_selector": "data", "paginator": paginator}
    return {
        "client": {"base_url": url},
        "resources": [
            {"name": "event_data", "endpoint": "v1/events"},
            {"name": "parents", "endpoint": "v1/parents"},
            {"name": "listed", "primary_key": "id", "endpoint": endpoint},
        ],
    }


def list_of_parent(request: Request) -> Any:
    """Pages of one row, by a cursor that only the page before tells."""
    at = len(request.query_params.get("cursor") or "")
    row = {"id": f"{request.path_params['parent']}-{at}"}
    return {"data": [row], "next": "x" * (at + 1) if at + 1 < PAGES else None}


def test_lists_and_their_pages_are_read_in_order_and_requested_once() -> None:
    cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    with serving({"/v1/{parent}/lists": list_of_parent}) as api:
        rest_api = config(api.url, cursor, "v1/{resources.parents.id}/lists")
        with reading(rest_api, "listed", parents=PARENTS, concurrency=4) as stream:
            found = [record["id"] for record in read_all(stream)]
            assert stream.result.complete
    assert found == [f"{parent['id']}-{page}" for parent in PARENTS for page in range(PAGES)]
    assert len(api.requests) == len(PARENTS) * PAGES


@pytest.mark.parametrize("concurrency", [1, 4])
def test_pages_of_many_lists_are_the_same_with_and_without_read_ahead(concurrency: int) -> None:
    def numbered(request: Request) -> Any:
        at = int(request.query_params["page"])
        rows = events(5, first=5 * at) if at < PAGES else []
        return {"data": [{"id": f"{request.path_params['parent']}-{r['id']}"} for r in rows]}

    paginator = {"type": "page_number", "base_page": 0, "total_path": None}
    with serving({"/v1/{parent}/lists": numbered}) as api:
        rest_api = config(api.url, paginator, "v1/{resources.parents.id}/lists")
        with reading(rest_api, "listed", parents=PARENTS, concurrency=concurrency) as stream:
            assert len(read_all(stream)) == len(PARENTS) * PAGES * 5


def count_requests(rows: int, concurrency: int) -> int:
    """Read a list of `rows` rows for each parent, by pages of three; return how many were asked."""

    def of_offset(request: Request) -> Any:
        at = int(request.query_params["offset"])
        return {"data": events(3, first=at)[: max(0, rows - at)]}

    paginator = {"type": "offset", "limit": 3, "total_path": None}
    with serving({"/v1/{parent}/lists": of_offset}) as api:
        rest_api = config(api.url, paginator, "v1/{resources.parents.id}/lists")
        with reading(rest_api, "listed", parents=PARENTS, concurrency=concurrency) as stream:
            assert len(read_all(stream)) == rows * len(PARENTS)
        return len(api.requests)


@pytest.mark.parametrize("rows", [3, 9, 40])
def test_many_lists_cost_few_requests_for_pages_that_are_not_there(rows: int) -> None:
    of_the_last_list = 8
    requests = count_requests(rows, concurrency=1)
    assert count_requests(rows, concurrency=8) <= 1.25 * requests + of_the_last_list


@pytest.mark.parametrize(
    "paginator", [{"type": "offset", "limit": 100}, {"type": "page_number", "base_page": 0}]
)
@pytest.mark.parametrize("rows", [5, 100])
def test_a_list_of_one_page_costs_two_requests_if_its_total_is_told(
    paginator: Any, rows: int
) -> None:
    def answer(request: Request) -> Any:
        query = request.query_params
        first = int(query["offset"]) if "offset" in query else 100 * int(query["page"])
        return {"data": events(max(0, rows - first), first), "total": rows}

    with serving({"/v1/events": answer}) as api:
        rest_api = source(api.url, endpoint={"paginator": paginator})["attributes"]["rest_api"]
        with reading(rest_api, concurrency=8) as stream:
            assert len(read_all(stream)) == rows
            assert stream.result.complete
    assert len(api.requests) == 2


def test_an_ignored_response_ends_its_list_only() -> None:
    def missing_for_p3(request: Request) -> Any:
        is_missing = request.path_params["parent"] == "p3"
        row = {"id": request.path_params["parent"]}
        return JSONResponse({}, 404) if is_missing else {"data": [row], "has_more": False}

    with serving({"/v1/{parent}/lists": missing_for_p3}) as api:
        rest_api = config(api.url, "single_page", "v1/{resources.parents.id}/lists")
        rest_api["resources"][2]["endpoint"]["response_actions"] = [
            {"status_code": 404, "action": "ignore"}
        ]
        with reading(rest_api, "listed", parents=PARENTS) as stream:
            assert len(read_all(stream)) == len(PARENTS) - 1
            assert stream.result.complete


def test_an_incremental_list_without_a_start_is_requested_without_its_placeholder() -> None:
    with serving({"/v1/all": lambda _: {"data": [{"id": "1", "at": "2026-01-01"}]}}) as api:
        rest_api = config(api.url, "single_page", "v1/all")
        rest_api["resources"][2]["endpoint"] |= {
            "params": {"since": "{incremental.start_value}", "all": "yes"},
            "incremental": {"cursor_path": "at", "end_param": "until", "end_value": "2027"},
        }
        for cursor_value in (None, "2026-01-01"):
            with reading(rest_api, "listed", cursor_value=cursor_value) as stream:
                read_all(stream)
    first, second = (dict(request.query_params) for request in api.requests)
    assert first == {"all": "yes", "until": "2027"}
    assert second == {"all": "yes", "since": "2026-01-01", "until": "2027"}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "if the key may not read some, set"),
        (404, "if one may have none, set"),
        (410, "if one may be deleted, set"),
    ],
)
def test_a_parent_without_a_list_is_explained(status: int, reason: str) -> None:
    def answer(request: Request) -> Any:
        is_third = request.path_params["parent"] == "p2"
        return JSONResponse({}, status) if is_third else list_of_parent(request)

    cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    with serving({"/v1/{parent}/lists": answer}) as api:
        rest_api = config(api.url, cursor, "v1/{resources.parents.id}/lists")
        with (
            reading(rest_api, "listed", parents=PARENTS) as stream,
            pytest.raises(ApiError) as failed,
        ):
            read_all(stream)
    assert reason in str(failed.value)
    assert f"{{ status_code: {status}, action: ignore }}" in str(failed.value)


@pytest.mark.parametrize(
    "nothing",
    [
        Response(status_code=204),
        JSONResponse({"message": "No events found"}, 404),
        {"message": "No matching records found"},
    ],
)
def test_a_list_of_a_parent_that_the_api_says_is_empty_is_complete(nothing: Any) -> None:
    def answer(request: Request) -> Any:
        return nothing if request.path_params["parent"] == "p2" else list_of_parent(request)

    cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    with serving({"/v1/{parent}/lists": answer}) as api:
        rest_api = config(api.url, cursor, "v1/{resources.parents.id}/lists")
        with reading(rest_api, "listed", parents=PARENTS) as stream:
            assert len(read_all(stream)) == (len(PARENTS) - 1) * PAGES
            assert stream.result.complete, stream.result.reason
    assert len(api.requests) == (len(PARENTS) - 1) * PAGES + 1


@pytest.mark.usefixtures("waits")
def test_words_that_a_path_is_not_found_are_no_empty_list_of_a_parent() -> None:
    def answer(request: Request) -> Any:
        is_third = request.path_params["parent"] == "p2"
        return {"message": "Resource not found"} if is_third else list_of_parent(request)

    cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    with serving({"/v1/{parent}/lists": answer}) as api:
        rest_api = config(api.url, cursor, "v1/{resources.parents.id}/lists")
        with reading(rest_api, "listed", parents=PARENTS) as stream, pytest.raises(ApiError):
            read_all(stream)


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_refused_behind_recorded_ones_is_no_reason_to_request_these_again(
    tmp_path: Path, status: int
) -> None:
    def refused_for_p3(request: Request) -> Any:
        is_refused = request.path_params["parent"] == "p3"
        return JSONResponse({}, status) if is_refused else list_of_parent(request)

    fields = {"id": FieldConfig(type="text")}
    cursor = {"type": "cursor", "cursor_path": "next", "cursor_param": "cursor"}
    with serving({"/v1/{parent}/lists": refused_for_p3}) as api:
        rest_api = config(api.url, cursor, "v1/{resources.parents.id}/lists")
        source_config = SourceConfig(name="events", rest_api=rest_api, fields=fields, concurrency=1)
        for requests in (3 * PAGES + 1, 2):  # the second run compares a recorded page
            api.requests.clear()
            with (
                pytest.raises(ApiError, match="has the lists of other records"),
                open_journal(tmp_path / "journal", "", 6) as journal,
                open_stream(source_config.resources["listed"], journal, None, PARENTS) as stream,
            ):
                read_all(stream)
            assert len(api.requests) == requests
