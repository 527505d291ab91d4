"""Times as APIs write them."""

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from event_assets.values.timestamps import parse_days, parse_timestamps, parse_zone, windows_zones

EXPECTED = datetime(2026, 5, 1, 18, 30, tzinfo=UTC)
WRITTEN = [
    "2026-05-01T18:30:00Z",
    "2026-05-01T18:30:00z",
    "2026-05-01T20:30:00+02:00",
    "2026-05-01T20:30:00+0200",
    "2026-05-01T20:30:00 +02:00",
    "2026-05-01T20:30:00+02",
    "2026-05-01T13:00:00-05:30",
    "2026-05-01T18:30Z",
    "2026-05-01 18:30:00",
    "2026-05-01T18:30:00",
    "2026-05-01T18:30",
    "2026-05-01T18:30:00.000Z",
    "2026-05-01T18:30:00.000000000Z",
    "2026-05-01T18:30:00,000Z",
    "20260501T183000Z",
    "Fri, 01 May 2026 18:30:00 GMT",
    "Fri, 1 May 2026 20:30:00 +0200",
    "1 May 2026 18:30:00 +0000",
    "1 May 2026 14:30 EDT",
    "1 May 2026 18:30 -0000",
    "2026-05-01 18:30:00 UTC",
    "2026-05-01 18:30:00 GMT",
    " 2026-05-01T18:30:00Z ",
    "2026-05-01T20:30:00+02:00[Europe/Berlin]",
    "2026-05-01T20:30+02:00[Europe/Berlin][u-ca=gregory]",
    "2026-05-01T20:30:00[Europe/Berlin]",
    "2026-05-01T20:30[!Europe/Berlin][u-ca=gregory]",
    "2026-05-01T20:30:00 [+02:00]",
    "2026-05-01T18:30:00[u-ca=gregory]",
    "2026-05-01T20:30:00+02:00[Mars/Base]",
    "/Date(1777660200000)/",
    "/Date(1777660200000+0200)/",
]


def read(values: list[Any], form: str | None = None, zones: Any = None) -> list[Any]:
    made: list[Any] = parse_timestamps(values, form, zones).to_pylist()
    return made


@pytest.mark.parametrize("text", WRITTEN)
def test_a_time_is_an_instant_in_utc(text: str) -> None:
    assert read([text, None]) == [EXPECTED, None]


def test_notations_may_stand_in_one_column_with_what_is_no_time() -> None:
    assert read([*WRITTEN, "soon", None]) == [*[EXPECTED] * len(WRITTEN), None, None]


def test_fractions_are_kept_to_the_microsecond() -> None:
    expected = EXPECTED.replace(microsecond=123456)
    assert read(["2026-05-01T18:30:00.123456789Z"]) == [expected]
    assert read(["2026-05-01T18:30:00.123456Z", "x"]) == [expected, None]


def test_a_date_without_a_time_is_its_midnight() -> None:
    assert read(["2026-05-01"]) == [datetime(2026, 5, 1, tzinfo=UTC)]
    assert read(["2026-05-01"], zones="Europe/Berlin") == [datetime(2026, 4, 30, 22, tzinfo=UTC)]


def test_a_day_is_what_has_no_time_of_day() -> None:
    day = date(2026, 5, 1)
    assert parse_days(
        ["2026-05-01", "20260501", "2026-05-01T00:00", None, 5], None
    ).to_pylist() == [*[day] * 2, *[None] * 3]
    assert parse_days(["01.05.2026", 5], "%d.%m.%Y").to_pylist() == [day, None]
    assert parse_days(["01.05.2026 10:00"], "%d.%m.%Y %H:%M").to_pylist() == [None]
    assert parse_days([1_777_000_000], "epoch_s").to_pylist() == [None]


@pytest.mark.parametrize(
    "nonsense",
    [
        "soon",
        "",
        "2026-13-01T00:00:00Z",
        "2026-02-30",
        "12:30",
        "2026",
        "1 2 3",
        "x 2026-05-01",
        "Fri, 01 May 2026 18:30:00 CEST",
        "01 May 2026 06:30:00 PM",
        "01 May 2026 18:30:00 foo",
        "2026-05-01T18:30:00[Mars/Base]",
        "2026-05-01T18:30:00[]",
        "[Europe/Berlin]",
    ],
)
def test_what_is_no_time_is_null(nonsense: str) -> None:
    assert read([nonsense, "2026-05-01T18:30:00Z"]) == [None, EXPECTED]


@pytest.mark.parametrize("value", [1777660200, True, 1.5, [], {}])
def test_what_is_no_text_is_no_time_unless_the_contract_says_so(value: Any) -> None:
    assert read([value]) == [None]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("epoch_s", 1777660200),
        ("epoch_s", 1777660200.0),
        ("epoch_s", "1777660200"),
        ("epoch_s", "2026-05-01T18:30:00Z"),
        ("epoch_ms", 1777660200000),
        ("%d.%m.%Y %H:%M", "01.05.2026 18:30"),
        ("%B %d, %Y %I:%M %p", "May 1, 2026 6:30 p.m."),
        ("%B %d, %Y %I:%M%p", "May 1, 2026 6:30P.M."),
    ],
)
def test_the_contract_may_say_how_a_time_is_written(form: str, value: Any) -> None:
    assert read([value, None], form) == [EXPECTED, None]


@pytest.mark.parametrize("value", ["May 1, 2026 6 PM", "May 1, 2026 6pm", "May 1, 2026 6 p.m."])
def test_a_full_hour_may_be_written_without_its_minutes(value: str) -> None:
    form = "%B %d, %Y %I:%M%p" if value.endswith("6pm") else "%B %d, %Y %I:%M %p"
    assert read([value], form) == [EXPECTED.replace(minute=0)]


@pytest.mark.parametrize("value", [True, "soon", [], 10**30, float("inf"), -(10**15)])
def test_what_is_no_epoch_is_null(value: Any) -> None:
    assert read([value, 1777660200], "epoch_s") == [None, EXPECTED]


def test_times_before_1970_are_times() -> None:
    assert read([-1], "epoch_s") == [datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)]


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        "+02:00",
        "+0200",
        "UTC+2",
        "(UTC+02:00)",
        "W. Europe Standard Time",  # as Windows says it, in summer too
    ],
)
def test_a_local_time_is_made_utc_by_its_zone(zone: str) -> None:
    assert read(["2026-05-01T20:30:00"], zones=parse_zone(zone)) == [EXPECTED]
    assert read(["2026-05-01T20:30:00", "2026-05-01T18:30:00"], zones=[zone, None]) == [
        EXPECTED,
        EXPECTED,
    ]


def test_a_time_that_says_its_zone_needs_no_other() -> None:
    assert read(["2026-05-01T18:30:00Z"], zones=["America/New_York"]) == [EXPECTED]
    assert read(["2026-05-01T18:30:00Z", "2026-05-01T14:30:00"], zones="America/New_York") == [
        EXPECTED,
        EXPECTED,
    ]


def test_the_zone_that_a_time_names_comes_before_another() -> None:
    times = ["2026-05-01T20:30:00[Europe/Berlin]", "2026-05-01T14:30:00", "2026-05-01T18:30:00Z"]
    assert read(times, zones="America/New_York") == [EXPECTED] * 3
    assert read(times, zones=[None, "America/New_York", None]) == [EXPECTED] * 3


def test_every_windows_zone_is_an_iana_zone() -> None:
    zones = windows_zones()
    assert len(zones) >= 139
    assert [zone for zone in zones.values() if parse_zone(zone) != zone] == []
    assert [name for name in zones if parse_zone(name) is None] == []


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "soon", "+25:00:00", "+25:00", "+02:99", 10**8, True, {}]
)
def test_a_zone_that_is_none_leaves_its_time_out(zone: Any) -> None:
    times = read(["2026-05-01T18:30:00", "2026-05-01T18:30:00"], zones=[zone, "UTC"])
    assert times == [None, EXPECTED]


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        *((2, "+02:00"), (5.5, "+05:30"), (-210, "-03:30"), (840, "+14:00"), (0, "+00:00")),
        *((7_200, "+02:00"), (-14_400, "-04:00"), (7_200_000, "+02:00"), (-12_600_000, "-03:30")),
    ],
)
def test_a_number_is_an_offset_in_hours_minutes_seconds_or_milliseconds(
    zone: float, name: str
) -> None:
    assert parse_zone(zone) == name


def test_a_time_that_the_clock_shows_twice_or_never_is_still_one() -> None:
    twice, never = read(["2026-10-25T02:30:00", "2026-03-29T02:30:00"], zones="Europe/Berlin")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert never == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_day_may_end_at_24_hours() -> None:
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    times = ["2026-12-31T24:00:00Z", "2026-12-31T24:00+00:00", "2027-01-01T01:00:00+01:00"]
    assert read(times) == [midnight] * 3
    assert read(["2026-12-31T24:01:00Z", "2026-12-31T25:00:00Z"]) == [None, None]


def test_a_leap_second_is_the_first_of_the_next_minute() -> None:
    assert (
        read(["2016-12-31T23:59:60Z", "2017-01-01T01:59:60+02:00"])
        == [datetime(2017, 1, 1, tzinfo=UTC)] * 2
    )
    assert read(["2016-12-31T23:59:61Z", "2016-12-31T23:60:00Z"]) == [None, None]


def test_what_no_reader_could_represent_is_no_time() -> None:
    times = ["0000-01-01T00:00:00Z", "2017-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", None]
    assert read(times) == [None, datetime(2017, 1, 1, tzinfo=UTC), None, None]
    assert read(times[:2]) == [None, datetime(2017, 1, 1, tzinfo=UTC)]
    assert read(times[1:3]) == [datetime(2017, 1, 1, tzinfo=UTC), None]


@pytest.fixture
def without_zones(tmp_path: Path) -> list[str]:
    """What hides the time zones of the system from a program; nothing where that is not allowed."""
    hide = f"mount --bind {tmp_path} /usr/share/zoneinfo"
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'{hide} && exec "$@"', "sh"]
    is_allowed = (
        shutil.which("unshare") is not None
        and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    )
    return command if is_allowed else []


def test_zones_and_days_are_read_where_the_system_has_no_time_zones(
    without_zones: list[str],
) -> None:
    program = (
        "from event_assets.values.timestamps import parse_days, parse_timestamps\n"
        "print(parse_timestamps(['2026-07-01T10:00:00'], None, ['Europe/Berlin']).to_pylist()[0])\n"
        "print(parse_days(['2026-07-01'], None).to_pylist()[0])"
    )
    done = subprocess.run(
        [*without_zones, sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["2026-07-01 08:00:00+00:00", "2026-07-01"], done.stderr
