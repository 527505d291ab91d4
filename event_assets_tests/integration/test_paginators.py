"""Every paginator of dlt reads a list completely, and `complete` passes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from dagster import AssetCheckSeverity
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from event_assets.values.errors import PaginationError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source
from event_assets_tests.support.platforms import events, source
from event_assets_tests.support.project import Project
from event_assets_tests.support.streams import read_list

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
ROWS = events(95)
SIZE = 20


def cut(at: int) -> list[dict[str, Any]]:
    return ROWS[at : at + SIZE]


def following(at: int) -> int | None:
    return at + SIZE if at + SIZE < len(ROWS) else None


def at_param(name: str) -> Callable[[Request], int]:
    return lambda request: int(request.query_params.get(name) or 0)


def by_page(request: Request) -> Any:
    return {"data": cut(SIZE * at_param("page")(request)), "total": len(ROWS)}


def by_page_without_what_has_ended(request: Request) -> Any:
    """Serve a list that is filtered after paging: the events of the first three pages are over."""
    page = at_param("page")(request)
    return {"data": cut(SIZE * page) if page > 2 else []}


def by_page_until_404(request: Request) -> Any:
    page = at_param("page")(request)
    if page * SIZE >= len(ROWS):
        return JSONResponse({"detail": "Invalid page."}, status_code=404)
    return {"data": cut(SIZE * page), "count": len(ROWS)}


def by_cursor(request: Request) -> Any:
    at = at_param("after")(request)
    return {"data": cut(at), "meta": {"next": following(at)}}


def by_cursor_with_has_more(request: Request) -> Any:
    at = at_param("after")(request)
    return {"data": cut(at), "meta": {"next": at + SIZE, "more": following(at) is not None}}


def by_link(request: Request) -> Any:
    at = at_param("at")(request)
    link = following(at) and str(request.url.include_query_params(at=following(at)))
    return {"data": cut(at), "next": link}


def by_relative_link(request: Request) -> Any:
    at = at_param("at")(request)
    return {"data": cut(at), "next": following(at) and f"{PATH}?at={following(at)}"}


def by_header_link(request: Request) -> Response:
    at = at_param("at")(request)
    url = request.url.include_query_params(at=following(at))
    headers = {"Link": f'<{url}>; rel="next"'} if following(at) else {}
    return JSONResponse({"data": cut(at)}, headers=headers)


def by_header_cursor(request: Request) -> Response:
    at = at_param("after")(request)
    headers = {"X-Next": str(following(at))} if following(at) else {}
    return JSONResponse({"data": cut(at)}, headers=headers)


def all_at_once(_: Request) -> Any:
    return {"data": ROWS}


def fifty_at_once(_: Request) -> Any:
    return {"data": ROWS[:50]}


async def by_body(request: Request) -> Any:
    asked = await request.json()
    return {"data": ROWS[asked["from"] : asked["from"] + asked["size"]], "total": len(ROWS)}


NUMBERED = {"type": "page_number", "base_page": 0}
CURSOR = {"type": "cursor", "cursor_path": "meta.next", "cursor_param": "after"}
IGNORE_404 = {"response_actions": [{"status_code": 404, "action": "ignore"}]}


@pytest.mark.parametrize(
    ("answer", "endpoint"),
    [
        (by_page, {"paginator": NUMBERED}),
        (by_page_until_404, {"paginator": NUMBERED, **IGNORE_404}),
        (by_cursor, {"paginator": CURSOR}),
        (by_cursor_with_has_more, {"paginator": {**CURSOR, "has_more_path": "meta.more"}}),
        (by_link, {"paginator": {"type": "json_link", "next_url_path": "next"}}),
        (by_link, {"paginator": "auto"}),
        (by_relative_link, {"paginator": {"type": "json_link", "next_url_path": "next"}}),
        (by_header_link, {"paginator": "header_link"}),
        (by_header_cursor, {"paginator": {"type": "header_cursor", "cursor_key": "X-Next",
                                          "cursor_param": "after"}}),
        (all_at_once, {"paginator": "single_page"}),
        (by_body, {"method": "POST", "json": {},
                   "paginator": {"type": "offset", "limit": 20, "offset_body_path": "from",
                                 "limit_body_path": "size"}}),
    ],
    ids=["page", "page until 404", "cursor", "cursor with has_more", "link", "auto",
         "relative link", "header link", "header cursor", "all at once", "offset in the body"],
)  # fmt: skip
def test_every_event_is_read_and_it_is_complete(answer: Any, endpoint: dict[str, Any]) -> None:
    records, result = read_list(answer, **endpoint)
    assert {record["id"] for record in records} == {row["id"] for row in ROWS}
    assert result.complete is True, result.reason


def test_a_list_whose_first_pages_are_filtered_out_is_read_to_its_end() -> None:
    records, result = read_list(by_page_without_what_has_ended, paginator=NUMBERED)
    assert [record["id"] for record in records] == [row["id"] for row in ROWS[3 * SIZE :]]
    assert result.complete is True, result.reason


LETTERS = "abcdefghij"


def by_token(at: int, next_token: int | None) -> dict[str, Any]:
    """Serve a page, with a token of letters for the next one."""
    token = "".join(LETTERS[int(digit)] for digit in str(next_token or ""))
    return {"data": cut(at), "meta": {"next": f"k{token}"} if token else {}}


def token_of(request: Request) -> int:
    token = request.query_params.get("after") or "ka"
    return int("".join(str(LETTERS.index(letter)) for letter in token[1:]))


def test_a_page_that_is_empty_by_accident_is_asked_for_again() -> None:
    """As of a search whose time is out: no rows, and no token."""
    accidents = [40]

    def answer(request: Request) -> Any:
        if (at := token_of(request)) in accidents:
            accidents.remove(at)
            return {"data": [], "meta": {}}
        return by_token(at, following(at))

    records, result = read_list(answer, paginator=CURSOR)
    assert {record["id"] for record in records} == {row["id"] for row in ROWS}
    assert result.complete is True, result.reason


def test_an_empty_last_page_is_the_end_where_a_token_is_valid_once() -> None:
    used = set[int]()

    def answer(request: Request) -> Any:
        if (at := token_of(request)) in used:
            return JSONResponse({"detail": "The token has been used."}, status_code=400)
        used.add(at)
        return by_token(at, at + SIZE if at < len(ROWS) else None)

    records, result = read_list(answer, paginator=CURSOR)
    assert len(records) == len(ROWS)
    assert result.complete is True, result.reason


def test_a_page_of_a_usual_length_is_loaded_with_a_warning(project: Project) -> None:
    with serving({PATH: fifty_at_once}) as api:
        made = source_of(source(api.url, endpoint={"paginator": "single_page"}))
        sync_source(made)
    assert len(project.ids()) == 50
    check = complete(made)
    assert (check.passed, check.severity) == (False, AssetCheckSeverity.WARN)


@pytest.mark.parametrize(
    ("paginator", "said"),
    [
        ({**CURSOR, "has_more_path": "more"}, "has_more_path `more` was not found"),
        ({**CURSOR, "has_more_path": "meta"}, "has_more_path `meta` is neither true nor"),
        ({**NUMBERED, "total_path": "pages"}, "total_path `pages` was not found"),
        ({**NUMBERED, "total_path": "meta"}, "total_path `meta` is not a number"),
    ],
)
def test_a_path_that_is_not_found_is_reported_without_the_response(
    paginator: dict[str, Any], said: str
) -> None:
    with pytest.raises(PaginationError) as error:
        read_list(by_cursor, paginator=paginator)
    assert said in str(error.value)
    assert "Event 1" not in str(error.value)


@pytest.mark.usefixtures("project")
def test_page_numbers_are_read_ahead() -> None:
    third = asyncio.Event()

    async def second_waits_for_third(request: Request) -> Any:
        page = at_param("page")(request)
        if page == 3:
            third.set()
        if page == 2:
            await asyncio.wait_for(third.wait(), 30)
        return by_page(request)

    with serving({PATH: second_waits_for_third}) as api:
        sync_source(source_of(source(api.url, endpoint={"paginator": NUMBERED})))
        pages = [query["page"] for query in api.asked_for(PATH)]
    # each once: what was read ahead was used; and those before the last once more
    assert (sorted(pages[:5]), sorted(pages[5:])) == (list("01234"), list("0123"))
