"""The client of a sync: read-ahead, and the journal of an interrupted sync."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from requests import Request, Response
from starlette.responses import Response as Answer

from event_assets.http.client import ApiClient
from event_assets.http.journal import open_journal
from event_assets.http.session import ApiSession
from event_assets.http.window import CAUTIOUS
from event_assets.values.errors import ApiError, ExpiredJournalError
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH, session_for
from event_assets_tests.support.polling import until
from event_assets_tests.support.sandbox import Faults, Sandbox

LIMIT = 10


def raise_for_status(response: Response, *_: Any) -> None:
    response.raise_for_status()


def first_ids(response: Response) -> tuple[Any, ...]:
    return tuple(row["id"] for row in response.json()["data"])


class Reader:
    """Reads pages by offset, and expects the pages behind each one."""

    def __init__(self, api: Sandbox, client: ApiClient) -> None:
        self.client = client
        self._url = api.url + PATH

    def request(self, offset: int) -> Request:
        page = {"offset": offset, "limit": LIMIT}
        return Request("GET", self._url, params=page, hooks={"response": raise_for_status})

    def read(self, offset: int, following: Callable[[int], int] | None = None) -> list[Any]:
        def requests(start: int, stop: int) -> Iterator[Request]:
            number = following or (lambda count: offset + LIMIT * (count + 1))
            return (self.request(number(count)) for count in range(start, stop))

        expected = {"lists" if following else "pages": requests}
        data: list[Any] = self.client.fetch(self.request(offset), **expected).json()["data"]
        return data

    def read_to(self, end: int) -> list[Any]:
        return [row for offset in range(0, end, LIMIT) for row in self.read(offset)]


@contextmanager
def reading(
    api: Sandbox, folder: Path, concurrency: int = 8, hours: float = 0.0
) -> Iterator[Reader]:
    with (
        open_journal(folder / "journal", "identity", hours) as journal,
        session_for(api) as session,
        ApiClient(session, concurrency, journal, first_ids) as client,
    ):
        yield Reader(api, client)


class Killed(BaseException):
    """Ends a run as a kill does: what it recorded stays."""


def offsets(api: Sandbox) -> list[int]:
    return sorted(request.offset or 0 for request in api.requests)


def test_pages_are_fetched_before_they_are_requested(api: Sandbox, tmp_path: Path) -> None:
    with reading(api, tmp_path) as reader:
        assert reader.read(0)
        until(lambda: len(api.requests) == 1 + CAUTIOUS)
        assert offsets(api) == [LIMIT * page for page in range(1 + CAUTIOUS)]


def test_a_link_to_the_next_page_is_sent_with_what_a_url_cannot_hold_escaped(
    tmp_path: Path,
) -> None:
    links = ["?after=a%20b&limit=2", "?after=é|1", "", "?after=1"]
    with (
        serving(lambda _: {"data": []}) as api,
        open_journal(tmp_path / "journal", "identity", 0) as journal,
        ApiSession(api.url) as session,
        ApiClient(session, 1, journal, first_ids) as client,
    ):
        urls = [client.fetch(Request("GET", f"{api.url}{PATH}{link}")).url for link in links]
        sent = [url.removeprefix(api.url + PATH) for url in api.urls]
    assert urls == [f"{api.url}{PATH}{link}" for link in links]
    assert sent == ["?after=a%20b&limit=2", "?after=%C3%A9%7C1", "", "?after=1"]


def test_no_more_pages_are_fetched_ahead_than_concurrency_allows(
    api: Sandbox, tmp_path: Path
) -> None:
    with reading(api, tmp_path, concurrency=3) as reader:
        for page in range(5):
            reader.read(10 * page)
            until(lambda: len(api.requests) == page + 1 + 3)  # noqa: B023


def test_read_ahead_returns_the_same_pages_as_sequential_requests(
    api: Sandbox, tmp_path: Path
) -> None:
    with reading(api, tmp_path) as ahead, reading(api, tmp_path, concurrency=1) as plain:
        for offset in range(0, 250, 10):
            assert ahead.read(offset) == plain.read(offset)


def test_what_is_no_longer_expected_is_dropped(api: Sandbox, tmp_path: Path) -> None:
    with reading(api, tmp_path) as reader:
        reader.read(0)
        until(lambda: len(api.requests) == 1 + CAUTIOUS)
        reader.read(100)
        api.replace([{"id": "new"}] * 250)
        assert reader.read(10) == [{"id": "new"}] * 10


def test_what_is_still_expected_is_kept_after_another_request(api: Sandbox, tmp_path: Path) -> None:
    """A page that could not be foreseen comes before lists that were: they are asked once."""
    with reading(api, tmp_path, concurrency=4) as reader:
        reader.read(0, following=lambda count: 100 + count)
        until(lambda: len(api.requests) == 5)
        reader.read(10, following=lambda count: 100 + count)
        reader.read(100, following=lambda count: 101 + count)
        until(lambda: len(api.requests) == 7)
        assert offsets(api) == [0, 10, 100, 101, 102, 103, 104]


def test_one_page_is_fetched_ahead_where_another_came_than_was_expected(
    api: Sandbox, tmp_path: Path
) -> None:
    with reading(api, tmp_path, concurrency=2) as reader:
        reader.read(0)
        until(lambda: len(api.requests) == 3)
        reader.read(100)
        until(lambda: len(api.requests) == 5)
        assert offsets(api) == [0, 10, 20, 100, 110]


def test_no_extra_request_without_concurrency(api: Sandbox, tmp_path: Path) -> None:
    with reading(api, tmp_path, concurrency=1) as reader:
        for offset in (0, 10, 20):
            reader.read(offset)
    assert [request.offset for request in api.requests] == [0, 10, 20]


def test_a_failed_read_ahead_is_raised_only_when_its_page_is_requested(
    api: Sandbox, tmp_path: Path
) -> None:
    with reading(api, tmp_path, concurrency=2) as reader:
        reader.read(0)
        until(lambda: len(api.requests) == 3)
        api.faults = Faults(fail_every=1, fail_status=404)
        assert len(reader.read(10)) == 10
        assert len(reader.read(20)) == 10
        with pytest.raises(requests.HTTPError):
            reader.read(30)


def interrupt(api: Sandbox, folder: Path, pages: int, first: int = 0) -> None:
    """Read some pages, and end as a kill does."""
    with suppress(Killed), reading(api, folder, concurrency=1, hours=6) as reader:
        for page in range(first, pages):
            reader.read(LIMIT * page)
        raise Killed
    api.requests.clear()


def test_an_interrupted_sync_requests_again_only_its_last_page(
    api: Sandbox, tmp_path: Path
) -> None:
    interrupt(api, tmp_path, pages=5)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        assert [row["id"] for row in reader.read_to(80)] == api.ids()[:80]
        assert not reader.client.list_changed
    assert offsets(api) == [40, 50, 60, 70]


@pytest.mark.parametrize(("first", "end"), [(0, 60), (2, 30)], ids=["behind", "before"])
def test_a_list_that_changed_between_two_runs_is_noticed(
    api: Sandbox, tmp_path: Path, first: int, end: int
) -> None:
    """The page behind the recorded ones, or the first of them behind others, shows it."""
    interrupt(api, tmp_path, first=first, pages=5)
    api.replace([{"id": key} for key in api.ids()[1:]])
    with reading(api, tmp_path, hours=6) as reader:
        reader.read_to(end)
        assert reader.client.list_changed


def test_the_first_recorded_page_behind_others_is_requested_again(
    api: Sandbox, tmp_path: Path
) -> None:
    interrupt(api, tmp_path, first=2, pages=5)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        assert [row["id"] for row in reader.read_to(60)] == api.ids()[:60]
        assert not reader.client.list_changed
    assert offsets(api) == [0, 10, 20, 40, 50]


def test_the_first_recorded_page_behind_a_refused_one_is_requested_again(
    api: Sandbox, tmp_path: Path
) -> None:
    interrupt(api, tmp_path, first=2, pages=3)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        with pytest.raises(requests.HTTPError):
            reader.client.fetch(Request("GET", f"{api.url}/v1/none", hooks=reader.request(0).hooks))
        reader.read(20)
    assert offsets(api).count(20) == 1


def test_a_recorded_page_is_replayed_in_each_later_run(api: Sandbox, tmp_path: Path) -> None:
    interrupt(api, tmp_path, pages=3)
    interrupt(api, tmp_path, pages=5)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.read_to(60)
    assert offsets(api) == [40, 50]


def test_a_refusal_after_recorded_responses_may_mean_that_a_cursor_has_expired(
    api: Sandbox, tmp_path: Path
) -> None:
    with reading(api, tmp_path, hours=6) as reader:
        assert not reader.client.has_expired(410)
    interrupt(api, tmp_path, pages=3)
    with reading(api, tmp_path, hours=6) as reader:
        assert reader.client.has_expired(410)
        assert not reader.client.has_expired(500)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_first_request_behind_recorded_pages_that_are_still_sent_is_one_too(
    api: Sandbox, tmp_path: Path, status: int
) -> None:
    interrupt(api, tmp_path, pages=3)
    none = Request("GET", f"{api.url}/v1/none", hooks={"response": raise_for_status})
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.read_to(30)
        assert not reader.client.has_expired(status)
        for is_first in (True, False):
            with pytest.raises(requests.HTTPError):
                reader.client.fetch(none)
            assert reader.client.has_expired(status) == is_first


def test_a_refusal_of_all_requests_is_no_reason_to_forget_the_recorded_pages(
    api: Sandbox, tmp_path: Path
) -> None:
    interrupt(api, tmp_path, pages=3)
    api.faults = Faults(fail_every=1, fail_status=403)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.read_to(30)
        with pytest.raises(requests.HTTPError):
            reader.read(30)
        assert not reader.client.has_expired(403)


@pytest.mark.parametrize(("is_down", "error"), [(False, ExpiredJournalError), (True, ApiError)])
def test_a_recorded_link_to_no_host_is_a_bad_one_while_the_api_sends_the_page_that_has_it(
    api: Sandbox, tmp_path: Path, is_down: bool, error: type[Exception]
) -> None:
    interrupt(api, tmp_path, pages=3)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.read_to(30)
        api.faults = Faults(fail_every=int(is_down), fail_status=404)
        with pytest.raises(error):
            reader.client.fetch(Request("GET", api.url.replace("http:", "https:")))
    assert offsets(api) == [20]


def test_a_link_to_no_host_behind_pages_of_this_run_is_an_error(
    api: Sandbox, tmp_path: Path
) -> None:
    interrupt(api, tmp_path, pages=3)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.read_to(40)
        with pytest.raises(ApiError):
            reader.client.fetch(Request("GET", api.url.replace("http:", "https:")))


@pytest.mark.parametrize("end", [30, 40])
def test_what_was_recorded_to_the_end_is_not_all_that_a_sync_reads(
    api: Sandbox, tmp_path: Path, end: int
) -> None:
    interrupt(api, tmp_path, pages=3)
    with reading(api, tmp_path, concurrency=1, hours=6) as reader:
        reader.client.end_reading()  # a list of no parent
        reader.read_to(end)
        with pytest.raises(ExpiredJournalError) if end == 30 else nullcontext():
            reader.client.end_reading()


def test_an_error_is_not_recorded(api: Sandbox, tmp_path: Path) -> None:
    api.faults = Faults(fail_every=1, fail_status=404)
    with pytest.raises(requests.HTTPError), reading(api, tmp_path, hours=6) as reader:
        reader.read(0)
    api.faults = Faults()
    with reading(api, tmp_path, hours=6) as reader:
        assert len(reader.read(0)) == LIMIT


def test_what_a_hook_raises_has_no_secret_of_the_path(tmp_path: Path) -> None:
    KNOWN.add(secret := "q8ZrT1vXb4LmN0pK")
    with (
        serving(lambda _: Answer(status_code=404)) as api,
        open_journal(tmp_path / "journal", "identity", 0) as journal,
        ApiSession(api.url) as session,
        ApiClient(session, 1, journal, first_ids) as client,
    ):
        url = f"{api.url}/bot{secret}/events"
        request = Request("GET", url, hooks={"response": raise_for_status})
        with pytest.raises(requests.HTTPError, match=r"404.*/bot\*\*\*/events") as raised:
            client.fetch(request)
    assert raised.value.__context__ is None
    assert raised.value.response is not None
