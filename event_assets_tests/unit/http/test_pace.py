"""The pace of requests, by a clock of its own."""

import heapq
import math
from collections.abc import Iterator

import pytest

from event_assets.http.pace import Pace, Quota, read_quota

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "30"}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": f"{NOW + 30:.0f}"}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": f"{NOW + 30:.0f}000"}, Quota(4, 30)),
        ({"RateLimit-Remaining": "4", "RateLimit-Reset": "30"}, Quota(4, 30)),
        ({"RateLimit": "limit=100, remaining=4, reset=30"}, Quota(4, 30)),
        ({"RateLimit": '"default";r=4;t=30'}, Quota(4, 30)),
        ({"X-RateLimit-Remaining": "4"}, None),
        ({"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "30"}, None),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "Thu, 26 Nov"}, None),
        ({}, None),
    ],
)
def test_the_usual_headers_of_a_rate_limit_are_read(
    headers: dict[str, str], quota: Quota | None
) -> None:
    assert read_quota(headers, now=NOW) == quota


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


def test_a_learned_rate_doubles_each_minute() -> None:
    pace = Pace()
    pace.refuse(100.0, wait=2.0, asked=0.0)
    first, second = starts(pace, 102.0, 2)
    later, last = starts(pace, 222.0, 2)
    assert last - later == pytest.approx((second - first) / 4, rel=0.02)


@pytest.mark.parametrize("latency", [0.002, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("sends_headers", [False, True])
def test_few_requests_are_refused_under_a_limit_of_five_a_second(
    latency: float, sends_headers: bool
) -> None:
    refused, seconds = simulate(93, 5.0, latency, sends_headers)
    assert refused <= 93 / 10
    assert seconds < 2 * 93 / 5


def simulate(count: int, rate: float, latency: float, sends_headers: bool) -> tuple[int, float]:
    """Send requests, up to 8 at a time, to an API that refuses those above a rate.

    Returns:
        The refused requests, and the seconds that it took.
    """
    pace, now, refused, tokens, filled = Pace(), 0.0, 0, rate, 0.0
    waiting, in_flight = [0.0] * count, list[float]()  # times: may start; response arrives
    while waiting or in_flight:
        wake = [in_flight[0]] if in_flight else []
        if waiting and len(in_flight) < 8:
            wait = max(waiting[0] - now, 0.0) or pace.reserve(now)
            if not wait:
                heapq.heappop(waiting)
                heapq.heappush(in_flight, now + latency)
                continue
            wake.append(now + wait)
        now = min(wake)
        if not in_flight or now < in_flight[0]:
            continue
        heapq.heappop(in_flight)
        tokens, filled = min(rate, tokens + (now - filled) * rate), now
        if tokens < 1:
            refused += 1
            asked = float(math.ceil((1 - tokens) / rate))
            pace.refuse(now, max(2.0, asked), asked)
            heapq.heappush(waiting, now + max(2.0, asked))
        else:
            tokens -= 1
            quota = Quota(int(tokens), 1.0) if sends_headers else None
            pace.accept(now, quota, len(in_flight))
    return refused, now
