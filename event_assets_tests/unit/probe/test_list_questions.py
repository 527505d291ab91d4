"""Where a list covers a range of time, a person is told, who may want more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from event_assets.probe.discovery import Discovery
from event_assets_tests.support.discoveries import connect, endpoint, whole
from event_assets_tests.support.event_records import events

TODAY = datetime.now(UTC).replace(hour=12)


def dated(first: datetime, days: int, count: int = 24) -> list[dict[str, Any]]:
    """Make events whose starts are spread over some days."""
    rows = events(count)
    for at, row in enumerate(rows):
        start = (first + at * timedelta(days=days) / (count - 1)).replace(microsecond=0)
        row["start_time"] = start.isoformat()
        row["end_time"] = (start + timedelta(hours=2)).isoformat()
    return rows


def told(found: Discovery) -> list[str]:
    """Return what is told of parameters."""
    return [one.text for one in found.questions if one.setting.startswith("params")]


@pytest.mark.parametrize(
    ("first", "days", "said"),
    [
        (TODAY + timedelta(days=2), 90, "All events are still to come: if the API has past ones"),
        (datetime(2026, 5, 1, tzinfo=UTC), 30, "All events start from 2026-05-01 to 2026-05-31: "),
    ],
)
def test_a_list_that_may_be_of_a_range_only_is_told(first: datetime, days: int, said: str) -> None:
    (text,) = told(connect(whole(dated(first, days))))
    assert text.startswith(said)
    assert text.endswith(" by its parameters, such as --set params.start_date=2000-01-01.")


@pytest.mark.parametrize(
    ("first", "days", "count"), [(TODAY - timedelta(days=60), 120, 24), (TODAY, 3, 9)]
)
def test_a_list_of_all_times_or_of_a_few_events_is_not(
    first: datetime, days: int, count: int
) -> None:
    assert not told(connect(whole(dated(first, days, count))))


def test_a_parameter_after_which_no_event_is_requested_is_told() -> None:
    rows = dated(TODAY - timedelta(days=60), 120)
    end = f"{TODAY + timedelta(days=300):%Y-%m-%d}"
    (text,) = told(connect(whole(rows), f"/v1/events?from=2026-01-01&to={end}&sort=2027"))
    assert text.startswith(f"`to={end}` stays as it is, so that events after it are never")
    windows = {"windows.param_from": "from", "windows.param_to": "to", "windows.cap": 1000}
    moving = connect(whole(rows), f"/v1/events?from=2026-01-01&to={end}", settings=windows)
    assert endpoint(moving).get("params") is None
    answered = connect(whole(rows), f"/v1/events?to={end}", settings={"params.to": None})
    assert not told(answered)
