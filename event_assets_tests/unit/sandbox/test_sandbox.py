"""What the embedded sandbox API does, right and wrong."""

import argparse
import dataclasses
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import requests

from event_assets.sandbox import (
    KEY,
    Event,
    EventSimulation,
    Faults,
    Sandbox,
    SandboxError,
    run_sandbox,
)
from event_assets.sandbox.__main__ import main
from event_assets.sandbox.fault_flags import add_fault_flags, build_flags, parse_faults

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
FIELDS = [
    "id",
    "name",
    "status",
    "start_time",
    "end_time",
    "description",
    "url",
    "category",
    "tags",
    "venue",
    "price",
    "is_online",
    "attendee_count",
    "created_at",
    "updated_at",
]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def get(url: str, **query: object) -> requests.Response:
    parameters = {"api_key": KEY, **{name: str(value) for name, value in query.items()}}
    return requests.get(f"{url}/v1/events", params=parameters, timeout=30)


def ids_of(response: requests.Response) -> list[str]:
    return [event["id"] for event in response.json()["data"]]


def records(count: int) -> list[Event]:
    return [{"id": f"e{number}", "name": f"Ünïcode 東京 {number}"} for number in range(count)]


def by_id(events: list[Event]) -> dict[str, Event]:
    return {event["id"]: event for event in events}


def refuses(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((str(address.hostname), int(address.port or 0)), 5).close()
    except OSError:
        return True
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "waited for nothing"


# The API


def test_a_page_has_limit_records_from_offset_and_the_total() -> None:
    with Sandbox(records(10)) as api:
        answer = get(api.url, offset=3, limit=4)
    assert answer.json() == {"data": records(10)[3:7], "total": 10}
    assert answer.headers["Content-Type"] == "application/json"


def test_a_page_has_the_first_100_records_by_default() -> None:
    with Sandbox(150) as api:
        assert ids_of(get(api.url)) == api.ids()[:100]


def test_a_page_beyond_the_end_is_empty() -> None:
    with Sandbox(5) as api:
        assert get(api.url, offset=5).json() == {"data": [], "total": 5}


def test_a_wrong_key_is_refused() -> None:
    with Sandbox(5, key="right") as api:
        refused = get(api.url, api_key="wrong")
        assert get(api.url, api_key="right").status_code == 200
    assert refused.status_code == 401
    assert list(refused.json()) == ["error"]


def test_a_missing_key_is_refused() -> None:
    with Sandbox(5) as api:
        assert requests.get(f"{api.url}/v1/events", timeout=30).status_code == 401


@pytest.mark.parametrize(
    "query", [{"offset": "-1"}, {"offset": "x"}, {"offset": "²"}, {"limit": "0"}, {"limit": "1.5"}]
)
def test_an_offset_or_limit_that_is_no_count_is_a_bad_request(query: dict[str, str]) -> None:
    with Sandbox(5) as api:
        answer = get(api.url, **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["error"]


def test_an_unknown_path_is_not_found() -> None:
    with Sandbox(5) as api:
        answer = requests.get(f"{api.url}/v2/events", timeout=30)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_another_method_is_not_allowed() -> None:
    with Sandbox(5) as api:
        assert requests.post(f"{api.url}/v1/events", timeout=30).status_code == 405


# The sandbox as an object


def test_requests_are_recorded_without_the_key() -> None:
    before = time.monotonic()
    with Sandbox(5, key="s3cret") as api:
        get(api.url, api_key="s3cret", offset=2, limit=3)
        get(api.url, api_key="other")
        requests.get(f"{api.url}/nowhere", timeout=30)
    first, second, third = api.requests
    assert before <= first.at <= time.monotonic()
    assert dataclasses.astuple(dataclasses.replace(first, at=0)) == (
        "GET", "/v1/events", 2, 3, 200, 0, True,
    )  # fmt: skip
    assert (second.status, second.authorized, second.offset, second.limit) == (
        401,
        False,
        None,
        None,
    )
    assert (third.path, third.status) == ("/nowhere", 404)
    assert "s3cret" not in repr(api.requests)


def test_other_events_can_be_served_while_it_runs() -> None:
    with Sandbox(records(3)) as api:
        api.replace(records(5)[1:])
        assert ids_of(get(api.url)) == ["e1", "e2", "e3", "e4"]
        assert api.present_throughout() == {"e1", "e2"}


def test_it_listens_on_the_loopback_address_only() -> None:
    with Sandbox(1) as api:
        assert refuses(api.url.replace("127.0.0.1", "127.0.0.2"))
        assert not refuses(api.url)


def test_two_of_them_have_ports_of_their_own() -> None:
    with Sandbox(1) as one, Sandbox(2) as two:
        assert [get(api.url).json()["total"] for api in (one, two)] == [1, 2]


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port or 0
        with pytest.raises(SandboxError, match=f"Port {port} .* is in use"), Sandbox(1, port=port):
            pass


def test_it_has_no_url_outside_of_its_block() -> None:
    with pytest.raises(RuntimeError, match="inside its with block"):
        _ = Sandbox(1).url


def test_nothing_of_it_is_left_after_its_block() -> None:
    threads = threading.active_count()
    with requests.Session() as client:
        with Sandbox(1) as api:
            url = api.url
            client.get(url, timeout=30)  # a connection that the client keeps open
        assert refuses(url)
    assert threading.active_count() == threads


def test_it_can_be_started_again() -> None:
    api = Sandbox(3)
    for _ in range(2):
        with api:
            assert get(api.url).json()["total"] == 3


def test_it_warns_of_nothing_and_writes_nothing() -> None:
    script = """
import requests
from event_assets.sandbox import Faults, Sandbox
for faults in (Faults(), Faults(reset_every=1), Faults(latency=3600)):
    with requests.Session() as client, Sandbox(3, faults=faults) as api:
        try:
            client.get(api.url + "/v1/events?api_key=sandbox", timeout=0.2)
        except requests.RequestException:
            pass
"""
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_importing_it_does_not_import_the_web_server() -> None:
    script = "import sys, event_assets.sandbox; print({'uvicorn', 'starlette'} & set(sys.modules))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"


# The world


def test_equal_seeds_make_equal_worlds() -> None:
    assert EventSimulation(300, seed=7).events(NOON) == EventSimulation(300, seed=7).events(NOON)
    assert EventSimulation(300, seed=7).events(NOON) != EventSimulation(300, seed=8).events(NOON)


@pytest.mark.parametrize("size", [0, 1, 250])
def test_a_frozen_world_has_exactly_its_size_and_never_changes(size: int) -> None:
    world = EventSimulation(size, frozen=True)
    events = world.events(NOON)
    assert len(by_id(events)) == size
    assert world.events(NOON + timedelta(days=3650)) == events


@pytest.mark.parametrize("year", [1970, 2024, 2035])
def test_a_live_world_has_about_its_size_at_any_date(year: int) -> None:
    events = EventSimulation(5000).events(datetime(year, 2, 28, 23, 59, tzinfo=timezone.utc))
    assert 4750 < len(events) < 5250
    assert len(by_id(events)) == len(events)


def test_events_are_of_the_instant_they_are_asked_for() -> None:
    for event in EventSimulation(500).events(NOON):
        assert abs(datetime.fromisoformat(start_of(event)) - NOON) < timedelta(days=50)
        assert moment(event["created_at"]) <= moment(event["updated_at"]) <= NOON


def start_of(event: Event) -> str:
    return str(event["start_time"]).replace("Z", "+00:00")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_every_record_has_every_field_in_its_type() -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            return {name: shape(member) for name, member in members.items()}
        return type(value)

    venue = {"id": str, "name": str, "city": str, "country": str, "capacity": int}
    texts = dict.fromkeys(FIELDS, str)
    for event in EventSimulation(1000).events(NOON):
        assert list(event) == FIELDS
        assert all(isinstance(tag, str) for tag in event["tags"])
        assert shape({**event, "end_time": event["end_time"] or ""}) == {
            **texts,
            "tags": list,
            "venue": {**venue, "location": {"lat": float, "lon": float}},
            "price": {"currency": str, "min": int, "max": int},
            "is_online": bool,
            "attendee_count": int,
        }


def test_events_end_after_their_start_and_one_in_five_has_no_end() -> None:
    events = EventSimulation(5000).events(NOON)
    ended = [event for event in events if event["end_time"] is not None]
    assert 0.75 < len(ended) / len(events) < 0.85
    assert all(moment(event["end_time"]) > moment(event["start_time"]) for event in ended)


def test_times_are_in_utc_or_have_an_offset() -> None:
    endings = {event["start_time"][19:] for event in EventSimulation(1000).events(NOON)}
    assert {"Z", "+09:00", "-05:00"} <= endings


@pytest.mark.parametrize("character", ["ü", "é", "音", "م", "🎉"])
def test_names_are_of_many_scripts(character: str) -> None:
    assert any(character in event["name"] for event in EventSimulation(1000).events(NOON))


def later(days: float) -> tuple[dict[str, Event], dict[str, Event]]:
    world = EventSimulation(3000)
    return by_id(world.events(NOON)), by_id(world.events(NOON + timedelta(days=days)))


def test_new_events_are_appended() -> None:
    before, after = later(days=1)
    new = [ident for ident in after if ident not in before]
    assert len(new) > 50
    assert list(after) == [ident for ident in before if ident in after] + new


def test_events_are_rescheduled() -> None:
    before, after = later(days=5)
    moved = [i for i in before.keys() & after.keys() if became(before[i], after[i], "rescheduled")]
    assert len(moved) > 20
    assert all(before[i]["start_time"] != after[i]["start_time"] for i in moved)


def became(before: Event, after: Event, status: str) -> bool:
    return str(before["status"]) != status == str(after["status"])


def test_events_are_cancelled() -> None:
    before, after = later(days=5)
    common = before.keys() & after.keys()
    assert sum(became(before[i], after[i], "cancelled") for i in common) > 10


def test_events_are_removed_before_they_start() -> None:
    before, after = later(days=5)
    then = NOON + timedelta(days=5)
    gone = [before[ident] for ident in before.keys() - after.keys()]
    assert sum(moment(event["start_time"]) > then for event in gone) > 5


def test_events_leave_the_list_a_day_after_their_end() -> None:
    ends = [moment(e["end_time"]) for e in EventSimulation(3000).events(NOON) if e["end_time"]]
    assert NOON - timedelta(days=1) < min(ends) < NOON - timedelta(hours=22)


def test_updated_at_moves_exactly_when_an_event_changes() -> None:
    before, after = later(days=2)
    for ident in before.keys() & after.keys():
        moved = moment(after[ident]["updated_at"]) > moment(before[ident]["updated_at"])
        assert moved == (before[ident] != after[ident])


def test_about_one_event_changes_a_minute() -> None:
    world, changes = EventSimulation(), 0
    before = by_id(world.events(NOON))
    for quarter in range(1, 5):
        after = by_id(world.events(NOON + timedelta(hours=6 * quarter)))
        changes += len(before.keys() ^ after.keys())
        changes += sum(before[i] != after[i] for i in before.keys() & after.keys())
        before = after
    assert 0.6 < changes / 1440 < 1.5


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        EventSimulation(1).events(datetime(2026, 1, 1))


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        EventSimulation(-1)


def test_a_live_sandbox_follows_its_clock() -> None:
    world, clock = EventSimulation(200), Clock(NOON)
    with Sandbox(world, clock=clock) as api:
        for hours in (0, 0.1, 1, 7, 24, 24 * 20, 24 * 900, 24 * 3):  # the last one is back in time
            clock.now = NOON + timedelta(hours=hours)
            answer = get(api.url, limit=1000).json()
            assert answer["data"] == world.events(clock.now)
            assert answer["total"] == len(answer["data"])


def test_a_row_that_leaves_a_live_world_was_not_present_throughout() -> None:
    world, clock = EventSimulation(200), Clock(NOON)
    api = Sandbox(world, clock=clock)
    first = set(api.ids())
    clock.now += timedelta(days=2)
    assert api.present_throughout() == first & set(api.ids())
    assert api.present_throughout() < first


# The faults


@contextmanager
def faulty(events: int = 30, **faults: Any) -> Generator[Sandbox, None, None]:
    with Sandbox(events, faults=Faults(**faults)) as api:
        yield api


def statuses(api: Sandbox, count: int) -> list[int]:
    return [get(api.url).status_code for _ in range(count)]


def test_latency_keeps_an_answer_back_and_does_not_delay_the_end() -> None:
    with (
        faulty(latency=3600) as api,
        pytest.raises(requests.exceptions.ReadTimeout),
        requests.get(f"{api.url}/v1/events", timeout=0.3),
    ):
        pass


def test_every_nth_request_fails() -> None:
    with faulty(fail_every=3, fail_status=500) as api:
        assert statuses(api, 6) == [200, 200, 500, 200, 200, 500]


def test_the_first_requests_fail() -> None:
    with faulty(fail_first=2) as api:
        assert statuses(api, 4) == [503, 503, 200, 200]


def test_requests_are_counted_from_the_last_change_of_the_faults() -> None:
    with faulty() as api:
        statuses(api, 3)
        api.faults.fail_first = 1
        assert statuses(api, 2) == [503, 200]
        api.faults = Faults(fail_every=2)
        assert statuses(api, 2) == [200, 503]


@pytest.mark.parametrize(
    ("value", "header"),
    [
        (None, None),
        (2, "2"),
        (0.5, "0.5"),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ],
)
def test_a_failure_tells_when_to_retry(value: float | str | None, header: str | None) -> None:
    with faulty(fail_first=1, retry_after=value) as api:
        assert get(api.url).headers.get("Retry-After") == header
        assert "Retry-After" not in get(api.url).headers


def test_requests_beyond_the_rate_limit_are_told_to_wait() -> None:
    with faulty(rate_limit=0.001) as api:
        assert get(api.url).status_code == 200
        refused = get(api.url)
    assert refused.status_code == 429
    assert 900 < int(refused.headers["Retry-After"]) <= 1000


def test_the_wait_for_the_rate_limit_can_be_told_wrong() -> None:
    with faulty(rate_limit=0.001, retry_after=0) as api:
        get(api.url)
        assert get(api.url).headers["Retry-After"] == "0"


def test_a_page_can_be_capped() -> None:
    with faulty(page_cap=7) as api:
        assert ids_of(get(api.url, offset=2, limit=20)) == api.ids()[2:9]
        assert ids_of(get(api.url, offset=2, limit=3)) == api.ids()[2:5]


@pytest.mark.parametrize(
    ("total", "told"),
    [
        ("rows", {"total": 30}),
        ("none", {}),
        ("page", {"total": 10}),
        ("nested", {"pagination": {"total": 30}}),
        (5, {"total": 35}),
        (-5, {"total": 25}),
    ],
)
def test_the_total_is_told_in_another_way(total: str | int, told: dict[str, object]) -> None:
    with faulty(total=total) as api:
        answer = get(api.url, limit=10).json()
    assert len(answer.pop("data")) == 10
    assert answer == told


def test_a_row_paged_over_is_deleted_so_that_another_one_is_skipped() -> None:
    with faulty(delete_every=2) as api:
        first = api.ids()
        pages = [ids_of(get(api.url, offset=offset, limit=10)) for offset in (0, 10, 20)]
        assert len(api.deleted) == 1
        assert api.deleted[0] in pages[0]
        assert [*pages[0], first[10], *pages[1], *pages[2]] == first  # first[10] is in no page
        assert get(api.url, limit=1).json()["total"] == 28  # which is the fourth request


def test_a_row_is_inserted_among_those_paged_over_so_that_another_one_comes_twice() -> None:
    with faulty(insert_every=2) as api:
        first = api.ids()
        pages = [ids_of(get(api.url, offset=offset, limit=10)) for offset in (0, 10)]
        assert pages[1] == first[9:19]
        assert len(api.inserted) == 1
        assert api.inserted[0] in api.ids()[:10]
        assert get(api.url).json()["total"] == 31


def test_deletions_and_insertions_repeat_with_the_seed() -> None:
    def changed(seed: int) -> list[str]:
        faults = Faults(delete_every=1, insert_every=1)
        with Sandbox(records(200), seed=seed, faults=faults) as api:
            for offset in range(0, 100, 10):
                get(api.url, offset=offset, limit=10)
            return api.ids()

    assert changed(1) == changed(1)
    assert changed(1) != changed(2)


def test_an_inserted_row_is_like_the_others() -> None:
    with faulty(insert_every=1) as api:
        events = by_id(get(api.url).json()["data"])
        assert list(events[api.inserted[0]]) == FIELDS


def test_it_knows_which_rows_were_present_throughout_a_phase() -> None:
    with faulty(delete_every=1, insert_every=1) as api:
        first = api.ids()
        get(api.url)
        assert api.present_throughout() == set(first) - set(api.deleted)
        earlier = [*api.deleted, *api.inserted]
        api.begin_phase()
        assert (api.deleted, api.inserted) == ([], [])
        assert api.present_throughout() == set(api.ids())
        get(api.url, offset=10)
        assert not {*api.deleted, *api.inserted} & set(earlier[:1])
        assert api.present_throughout() == set(api.ids()) - set(api.inserted)


def test_an_empty_list_has_nothing_to_delete() -> None:
    with faulty(0, delete_every=1) as api:
        assert get(api.url).json() == {"data": [], "total": 0}


def test_every_nth_row_has_a_null_id() -> None:
    with faulty(null_id_every=3) as api:
        data = get(api.url, offset=1, limit=6).json()["data"]
        expected = api.ids()[1:7]
    assert [row["id"] for row in data] == [expected[0], None, *expected[2:4], None, expected[5]]


def test_every_nth_row_has_no_id() -> None:
    with faulty(missing_id_every=2) as api:
        assert ["id" in row for row in get(api.url, limit=4).json()["data"]] == [True, False] * 2


def test_every_nth_row_starts_soon() -> None:
    with faulty(bad_start_every=2) as api:
        starts = [row["start_time"] for row in get(api.url, limit=4).json()["data"]]
    assert [start == "soon" for start in starts] == [False, True] * 2


def second_of_three(api: Sandbox) -> requests.Response:
    """Return the second of three answers; the others are to be good."""
    answers = [get(api.url) for _ in range(3)]
    assert [len(answers[good].json()["data"]) for good in (0, 2)] == [30, 30]
    assert answers[1].status_code == 200
    return answers[1]


def test_every_nth_answer_is_broken_json() -> None:
    with faulty(broken_json_every=2) as api:
        answer = second_of_three(api)
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_every_nth_answer_is_html() -> None:
    with faulty(html_every=2) as api:
        answer = second_of_three(api)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<html>")


def test_every_nth_answer_has_null_as_data() -> None:
    with faulty(null_data_every=2) as api:
        assert second_of_three(api).json() == {"data": None, "total": 30}


def test_every_nth_answer_has_no_data() -> None:
    with faulty(missing_data_every=2) as api:
        assert second_of_three(api).json() == {"total": 30}


def test_every_nth_answer_breaks_off() -> None:
    with faulty(reset_every=2) as api:
        assert get(api.url).ok
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            get(api.url)
        assert get(api.url).ok


def test_faults_of_one_answer_go_together() -> None:
    with faulty(null_data_every=1, missing_data_every=1, html_every=1) as api:
        assert get(api.url).text.startswith("<html>")


def test_the_offset_can_be_ignored() -> None:
    with faulty(ignore_offset=True) as api:
        assert ids_of(get(api.url, offset=20, limit=5)) == api.ids()[:5]


def test_a_page_is_empty_once_though_more_follow() -> None:
    with faulty(empty_page_at=10) as api:
        pages = [get(api.url, offset=offset, limit=10) for offset in (0, 10, 10, 20)]
        api.faults.empty_page_at = 20
        assert ids_of(get(api.url, offset=20, limit=10)) == []
    assert [len(ids_of(page)) for page in pages] == [10, 0, 10, 10]
    assert pages[1].json()["total"] == 30


def test_the_key_can_be_ignored() -> None:
    with faulty(ignore_key=True) as api:
        assert get(api.url, api_key="anything").status_code == 200
        assert requests.get(f"{api.url}/v1/events", timeout=30).status_code == 200


@pytest.mark.parametrize("key", [KEY, "wrong kéy"])
def test_the_key_can_be_shown_in_answers(key: str) -> None:
    with faulty(echo_key=True) as api:
        answer = get(api.url, api_key=key)
    assert answer.json()["api_key"] == key
    assert answer.headers["X-Api-Key"] == key.replace(" ", "%20").replace("é", "%C3%A9")


# The process and the command line


def test_a_process_serves_a_live_world_until_the_end_of_its_block() -> None:
    with run_sandbox(200, seed=3) as url:
        answer = get(url, limit=1000).json()
        now = datetime.now(timezone.utc)
    world = {event["id"] for event in EventSimulation(200, seed=3).events(now)}
    assert len({event["id"] for event in answer["data"]} & world) > 150
    assert refuses(url)


def test_a_process_takes_nothing_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uvicorn.py").write_text("raise SystemExit('the wrong uvicorn')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with run_sandbox(5, frozen=True) as url:
        assert get(url).json()["total"] == 5


def test_a_process_has_faults() -> None:
    with run_sandbox(5, frozen=True, faults=Faults(total="none", ignore_key=True)) as url:
        assert list(get(url, api_key="any").json()) == ["data"]


def test_a_process_that_does_not_come_up_says_why() -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port or 0
        with pytest.raises(SandboxError, match=f"did not start: Port {port} .* is in use"):
            start_and_stop(port=port)


def start_and_stop(**options: Any) -> None:
    with run_sandbox(1, frozen=True, **options):
        pass


def test_a_process_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(SandboxError, match=r"not respond within 0\.001 s"):
        start_and_stop(timeout=0.001)


def test_a_process_ends_when_its_parent_is_killed() -> None:
    script = """
from event_assets.sandbox import run_sandbox
with run_sandbox(1, frozen=True) as url:
    print(url, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert get(url).ok
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: refuses(url))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_tells_how_to_call_it_and_ends_cleanly(number: signal.Signals) -> None:
    options = ["--events=7", "--frozen", "--key=a b&c", "--with-parent"]
    with subprocess.Popen(
        [sys.executable, "-m", "event_assets.sandbox", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # stays open, so that the signal is what ends it
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        words = shlex.split(server.stdout.readline())
        answer = requests.get(words[words.index("curl") + 1], timeout=30)
        server.send_signal(number)
        server.wait(timeout=30)
        rest, errors = server.communicate()
    assert answer.json()["total"] == 7
    assert (server.returncode, rest, errors) == (0, "", "")


def test_the_command_line_tells_that_a_port_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port
        with own_signals():
            assert main([f"--port={port}", "--events=1"]) == 1
    assert capsys.readouterr() == ("", f"Port {port} of 127.0.0.1 is in use; choose another.\n")


@contextmanager
def own_signals() -> Generator[None, None, None]:
    """Give the signals their handlers back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("flag", ["--port=70000", "--events=-1", "--total=many", "--latency=soon"])
def test_the_command_line_refuses_what_makes_no_sense(flag: str) -> None:
    with own_signals(), pytest.raises(SystemExit) as ended:
        main([flag])
    assert ended.value.code == 2


def parsed(flags: list[str]) -> Faults:
    parser = argparse.ArgumentParser()
    add_fault_flags(parser)
    return parse_faults(parser.parse_args(flags))


def test_no_fault_needs_no_flag() -> None:
    assert build_flags(Faults()) == []
    assert parsed([]) == Faults()


@pytest.mark.parametrize("fault", dataclasses.fields(Faults), ids=lambda fault: str(fault.name))
def test_each_fault_has_a_flag_with_a_note(
    fault: "dataclasses.Field[Any]", capsys: pytest.CaptureFixture[str]
) -> None:
    value: Any = {"total": -3, "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}.get(
        fault.name, True if isinstance(fault.default, bool) else 7
    )
    faults = Faults(**{fault.name: value})
    assert len(build_flags(faults)) == 1
    assert parsed(build_flags(faults)) == faults
    with own_signals(), pytest.raises(SystemExit):
        main(["--help"])
    assert f"--{fault.name.replace('_', '-')} " in capsys.readouterr().out
