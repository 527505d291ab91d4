"""Each fault of the sandbox changes its responses in one way."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from event_assets_tests.support.sandbox import KEY, Faults, Sandbox
from event_assets_tests.support.sandbox_client import get_page, page_ids


@contextmanager
def faulty(**faults: Any) -> Generator[Sandbox, None, None]:
    with Sandbox(30, faults=Faults(**faults)) as api:
        yield api


def statuses(api: Sandbox, count: int) -> list[int]:
    return [get_page(api.url).status_code for _ in range(count)]


def test_latency_delays_a_response_but_not_the_end_of_the_sandbox() -> None:
    with (
        faulty(latency=3600) as api,
        pytest.raises(requests.exceptions.ReadTimeout),
        requests.get(f"{api.url}/v1/events", timeout=0.3),
    ):
        pass


def test_requests_are_counted_from_the_last_change_of_the_faults() -> None:
    with faulty(fail_every=3, fail_status=500) as api:
        assert statuses(api, 6) == [200, 200, 500, 200, 200, 500]
        api.faults.fail_first = 1
        assert statuses(api, 3) == [500, 200, 500]
        api.faults = Faults(fail_every=2)
        assert statuses(api, 2) == [200, 503]


@pytest.mark.parametrize(
    ("value", "header"),
    [(None, None), (2, "2"), (0.5, "0.5"), *[("Wed, 21 Oct 2026 07:28:00 GMT",) * 2]],
)
def test_a_failure_has_a_retry_after_header(value: float | str | None, header: str | None) -> None:
    with faulty(fail_first=1, retry_after=value) as api:
        assert get_page(api.url).headers.get("Retry-After") == header
        assert "Retry-After" not in get_page(api.url).headers


def test_requests_above_the_rate_limit_return_429_and_the_wait() -> None:
    with faulty(rate_limit=0.001) as api:
        assert get_page(api.url).status_code == 200
        limited = get_page(api.url)
    assert limited.status_code == 429
    assert 900 < int(limited.headers["Retry-After"]) <= 1000


def test_page_cap_limits_the_page_size() -> None:
    with faulty(page_cap=7) as api:
        assert page_ids(get_page(api.url, offset=2, limit=20)) == api.ids()[2:9]
        assert page_ids(get_page(api.url, offset=2, limit=3)) == api.ids()[2:5]


@pytest.mark.parametrize(
    ("total", "reported"),
    [
        ("rows", {"total": 30}),
        ("none", {}),
        ("page", {"total": 10}),
        ("nested", {"pagination": {"total": 30}}),
        (-5, {"total": 25}),
    ],
)
def test_the_total_can_be_absent_nested_or_wrong(
    total: str | int, reported: dict[str, object]
) -> None:
    with faulty(total=total) as api:
        page = get_page(api.url, limit=10).json()
    assert len(page.pop("data")) == 10
    assert page == reported


def test_a_deletion_before_the_offset_shifts_a_row_out_of_all_pages() -> None:
    with faulty(delete_every=2) as api:
        first = api.ids()
        pages = [page_ids(get_page(api.url, offset=offset, limit=10)) for offset in (0, 10, 20)]
        assert len(api.deleted) == 1
        assert api.deleted[0] in pages[0]
        assert [*pages[0], first[10], *pages[1], *pages[2]] == first  # first[10] is on no page


def test_an_insertion_before_the_offset_repeats_a_row() -> None:
    with faulty(insert_every=2) as api:
        first = api.ids()
        pages = [get_page(api.url, offset=offset, limit=10) for offset in (0, 10)]
        assert page_ids(pages[1]) == first[9:19]
        assert len(api.inserted) == 1
        assert api.inserted[0] in api.ids()[:10]
        inserted = get_page(api.url).json()["data"][api.ids().index(api.inserted[0])]
        assert inserted.keys() == pages[0].json()["data"][0].keys()


def test_deletions_and_insertions_repeat_with_the_seed() -> None:
    def ids_after_changes(seed: int) -> list[str]:
        faults = Faults(delete_every=1, insert_every=1)
        events = [{"id": f"e{number}"} for number in range(200)]
        with Sandbox(events, seed=seed, faults=faults) as api:
            for offset in range(0, 100, 10):
                get_page(api.url, offset=offset, limit=10)
            return api.ids()

    assert ids_after_changes(1) == ids_after_changes(1) != ids_after_changes(2)


def test_the_rows_present_throughout_a_phase_are_known() -> None:
    with faulty(delete_every=1, insert_every=1) as api:
        first = api.ids()
        get_page(api.url)
        assert api.present_throughout() == set(first) - set(api.deleted)
        api.begin_phase()
        assert (api.deleted, api.inserted) == ([], [])
        assert api.present_throughout() == set(api.ids())
        get_page(api.url, offset=10)
        assert api.present_throughout() == set(api.ids()) - set(api.inserted)


@pytest.mark.parametrize(
    ("fault", "field", "value"),
    [
        ("null_id_every", "id", None),
        ("missing_id_every", "id", "absent"),
        ("bad_start_every", "start_time", "soon"),
    ],
)
def test_every_nth_row_breaks_the_contract(fault: str, field: str, value: str | None) -> None:
    with faulty(**{fault: 3}) as api:
        rows = get_page(api.url, offset=1, limit=6).json()["data"]
    broken = [row.get(field, "absent") == value for row in rows]
    assert broken == [False, True, False, False, True, False]


@pytest.mark.parametrize(
    ("fault", "media_type", "body"),
    [
        ("broken_json_every", "application/json", None),
        ("html_every", "text/html", None),
        ("null_data_every", "application/json", {"data": None, "total": 30}),
        ("missing_data_every", "application/json", {"total": 30}),
    ],
)
def test_every_nth_response_has_status_200_and_no_records(
    fault: str, media_type: str, body: dict[str, object] | None
) -> None:
    with faulty(**{fault: 2}) as api:
        good, bad, good_again = (get_page(api.url) for _ in range(3))
    assert len(page_ids(good)) == len(page_ids(good_again)) == 30
    assert bad.status_code == 200
    assert bad.headers["Content-Type"].startswith(media_type)
    if body is not None:
        assert bad.json() == body
    else:
        with pytest.raises(requests.exceptions.JSONDecodeError):
            bad.json()


def test_every_nth_response_is_truncated() -> None:
    with faulty(reset_every=2) as api:
        assert get_page(api.url).ok
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            get_page(api.url)
        assert get_page(api.url).ok


def test_the_offset_can_be_ignored() -> None:
    with faulty(ignore_offset=True) as api:
        assert page_ids(get_page(api.url, offset=20, limit=5)) == api.ids()[:5]


def test_a_page_can_be_empty_once_though_more_rows_follow() -> None:
    with faulty(empty_page_at=10) as api:
        pages = [get_page(api.url, offset=offset, limit=10) for offset in (0, 10, 10, 20)]
    assert [len(page_ids(page)) for page in pages] == [10, 0, 10, 10]
    assert pages[1].json()["total"] == 30


def test_the_key_can_be_ignored() -> None:
    with faulty(ignore_key=True) as api:
        assert get_page(api.url, api_key="anything").status_code == 200
        assert requests.get(f"{api.url}/v1/events", timeout=30).status_code == 200


@pytest.mark.parametrize("key", [KEY, "wrong kéy"])
def test_the_key_can_be_returned_in_body_and_header(key: str) -> None:
    with faulty(echo_key=True) as api:
        response = get_page(api.url, api_key=key)
    assert response.json()["api_key"] == key
    assert response.headers["X-Api-Key"] == key.replace(" ", "%20").replace("é", "%C3%A9")
