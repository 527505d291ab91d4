"""The pace of requests, by a clock of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from event_assets.http.pace import Pace, Quota, read_quota
from event_assets.http.throttle import Throttle
from event_assets.values.errors import ApiError
from event_assets_tests.support.rate_limits import (
    FixedWindow,
    RateLimit,
    SimulatedSync,
    SlidingWindow,
    TokenBucket,
)

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "30"}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": f"{NOW + 30:.0f}"}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": f"{NOW + 30:.0f}000"}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "2027-01-15T08:00:30Z"}, Quota(4, 30)),
        (
            {"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "Fri, 15 Jan 2027 08:00:30 GMT"},
            Quota(4, 30),
        ),
        ({"RateLimit-Remaining": "4", "RateLimit-Reset": "30"}, Quota(4, 30)),
        ({"RateLimit": "limit=100, remaining=4, reset=30"}, Quota(4, 30)),
        ({"RateLimit": '"default";r=4;t=30'}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4"}, None),
        ({"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "30"}, None),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "Thu, 26 Nov"}, None),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "Fri, 31 Dec 99999 23:59:59"}, None),
        ({}, None),
    ],
)
def test_the_usual_headers_of_a_rate_limit_are_read(
    headers: dict[str, str], quota: Quota | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    assert read_quota(headers) == quota


def starts(pace: Pace, now: float, count: int) -> Iterator[float]:
    """Yield the times at which requests start that are all wanted at once."""
    while count:
        wait = pace.reserve(now)
        if wait:
            now += wait
        else:
            count -= 1
            yield round(now, 6)


def test_without_a_limit_nothing_waits() -> None:
    assert list(starts(Pace(), 100.0, 3)) == [100.0, 100.0, 100.0]


def test_a_configured_limit_is_kept_from_the_first_request_on() -> None:
    assert list(starts(Pace(4.0), 100.0, 3)) == [100.0, 100.25, 100.5]


def test_what_is_left_of_a_quota_is_spread_over_the_time_left() -> None:
    pace = Pace()
    pace.accept(100.0, Quota(4, 2.0), in_flight=0)
    assert list(starts(pace, 100.0, 3)) == [100.0, 100.5, 101.0]


def test_requests_in_flight_count_against_a_quota() -> None:
    pace = Pace()
    pace.accept(100.0, Quota(4, 2.0), in_flight=4)
    assert next(starts(pace, 100.0, 1)) == 102.0


def test_a_large_quota_slows_nothing() -> None:
    pace = Pace()
    pace.accept(100.0, Quota(4_000, 3_600.0), in_flight=8)
    assert list(starts(pace, 100.0, 3)) == [100.0, 100.0, 100.0]


@pytest.mark.parametrize("remaining", [0, 1, 60])
def test_the_quota_of_a_day_is_not_spread_over_it(remaining: int) -> None:
    pace = Pace()
    pace.accept(100.0, Quota(remaining, 86_400.0), in_flight=8)
    assert list(starts(pace, 100.0, 3)) == [100.0, 100.0, 100.0]


def test_after_a_refusal_requests_keep_to_the_rate_that_went_through() -> None:
    pace = Pace()
    for number in range(20):  # ten in the second before the refusal
        pace.accept(98.01 + number / 10, None, in_flight=0)
    pace.refuse(100.0, wait=2.0, asked=0.0)
    first, second = starts(pace, 100.0, 2)
    assert first == 102.0
    assert second - first == pytest.approx(1 / 9, abs=0.001)


def test_the_pause_that_was_asked_for_is_the_time_for_which_the_limit_counts() -> None:
    pace = Pace()
    for number in range(40):
        pace.accept(98.01 + number / 20, None, in_flight=0)
    pace.refuse(100.0, wait=10.0, asked=10.0)
    first, second = starts(pace, 100.0, 2)
    assert first == 110.0
    assert second - first == pytest.approx(10 / 36)


def test_a_learned_rate_is_kept_for_a_minute_and_then_doubles_each_minute() -> None:
    pace = Pace()
    pace.refuse(100.0, wait=2.0, asked=0.0)
    gaps = [last - first for first, last in (starts(pace, 102.0 + 60 * at, 2) for at in range(4))]
    assert gaps == pytest.approx([gaps[0], gaps[0], gaps[0] / 2, gaps[0] / 4], rel=0.02)


def test_responses_to_requests_sent_before_a_refusal_count_for_the_rate() -> None:
    pace = Pace()
    for at in (99.7, 99.8):
        pace.accept(at, None, in_flight=0)
    pace.refuse(100.0, wait=2.0, asked=0.0)
    for _ in range(8):
        pace.accept(100.0, None, in_flight=0)
    first, second = starts(pace, 100.0, 2)
    assert second - first == pytest.approx(1 / 9, abs=0.001)


@pytest.mark.parametrize("limit", [TokenBucket, FixedWindow, SlidingWindow])
@pytest.mark.parametrize("tells", ["Retry-After", "RateLimit", ""])
@pytest.mark.parametrize("latency", [0.002, 0.05, 0.2])
@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_few_requests_are_refused_under_a_limit_of_five_a_second(
    limit: Callable[[float], RateLimit], tells: str, latency: float, jitter: float
) -> None:
    sync = SimulatedSync(limit(5.0), 51, latency, tells, jitter)
    sync.run()
    assert sync.refused <= sync.sent / 10
    assert sync.seconds < 2.5 * 51 / 5


def test_a_limit_that_is_tried_again_each_minute_refuses_few_requests() -> None:
    sync = SimulatedSync(TokenBucket(5.0), 2_000, 0.05)
    sync.run()
    assert sync.refused < 2_000 / 50
    assert sync.seconds < 1.2 * 2_000 / 5


def test_a_slow_api_without_a_limit_is_soon_asked_for_many_pages_at_once() -> None:
    sync = SimulatedSync(TokenBucket(1e9), 202, 0.2)
    sync.run()
    assert sync.seconds < 1.6 * 202 * 0.2 / 32


def test_a_long_wait_is_told_once_for_all_requests(caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle()
    throttle.refuse(300.0, 300.0)
    with caplog.at_level("INFO", "dagster"), ThreadPoolExecutor(4) as threads:
        waits = [threads.submit(throttle.wait) for _ in range(4)]
        while not caplog.messages:
            assert not any(wait.done() for wait in waits)
        throttle.shutdown()
    assert all(isinstance(wait.exception(), ApiError) for wait in waits)
    assert caplog.messages == ["The API limits requests: the next one is sent in 300 s."]
