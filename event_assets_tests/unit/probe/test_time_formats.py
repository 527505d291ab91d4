"""The notation of times is told by what they look like."""

from __future__ import annotations

from typing import Any

import pytest

from event_assets.probe.time_formats import find_format


@pytest.mark.parametrize(
    ("values", "pattern", "rivals"),
    [
        (["20.10.2026 19:30"], "%d.%m.%Y %H:%M", ()),
        (["20-Oct-2026 19:30"], "%d-%b-%Y %H:%M", ()),
        (["10/25/2026 7:30 PM"], "%m/%d/%Y %I:%M %p", ()),
        (["05/06/2026 19:30"], "%d/%m/%Y %H:%M", ("%m/%d/%Y %H:%M",)),
        (["05/06/2026 19:30", "25/06/2026 19:30"], "%d/%m/%Y %H:%M", ()),
        (["October 5, 2026"], "%B %d, %Y", ()),
        (["May 5, 2026", "June 5, 2026"], "%B %d, %Y", ()),
        (["May 5, 2026", "Jun 5, 2026"], "%b %d, %Y", ()),
        (["5. Oct 2026"], "%d. %b %Y", ()),
        (["05.06.2026"], "%d.%m.%Y", ()),
        (["05/06/26"], "%d/%m/%y", ("%m/%d/%y",)),
        (["Thursday, 5 November 2026, 19:30"], "%A, %d %B %Y, %H:%M", ()),
        (["Monday, October 5, 2026 at 7:30 PM"], "%A, %B %d, %Y at %I:%M %p", ()),
        (["October 5, 2026 at 7:30 p.m."], "%B %d, %Y at %I:%M %p", ()),
        (["October 5, 2026, 7 p.m.", "October 6, 2026, 7:30 p.m."], "%B %d, %Y, %I:%M %p", ()),
        (["10/25/2026 7PM"], "%m/%d/%Y %I:%M%p", ()),
        (["10/25/2026 7:30P.M.", "10/25/2026 7:30am"], "%m/%d/%Y %I:%M%p", ()),
        ([1_790_000_000], "epoch_s", ()),
        (["1790000000000"], "epoch_ms", ()),
        (["1790000000.000200"], "epoch_s", ()),
        ([*range(1_790_000_000, 1_790_000_040), -62_135_433_000], "epoch_s", ()),
        (["10/11/2026T19h30"], "%d/%m/%YT%Hh%M", ("%m/%d/%YT%Hh%M",)),
        (["20261101183000"], "%Y%m%d%H%M%S", ()),
        (["202611011830"], "%Y%m%d%H%M", ()),
        (["20.10.2026 19:30 Uhr"], "%d.%m.%Y %H:%M Uhr", ()),
        (["20.10.2026, um 19.30 Uhr"], "%d.%m.%Y, um %H.%M Uhr", ()),
        (["20/10/2026 à 19h30"], "%d/%m/%Y à %Hh%M", ()),
        (["20.10.26"], "%d.%m.%y", ()),
        (["Tue Oct  6 19:30:00 2026"], "%a %b %d %H:%M:%S %Y", ()),
        (["Tue Oct 06 19:30:00 +0000 2026"], "%a %b %d %H:%M:%S %z %Y", ()),
        (["October 5, 2026 19:30 UTC"], "%B %d, %Y %H:%M UTC", ()),
        (["5 Oct 2026, 7:30 pm GMT"], "%d %b %Y, %I:%M %p GMT", ()),
        (["Tuesday, 06-Oct-26 19:30:00 GMT"], "%A, %d-%b-%y %H:%M:%S GMT", ()),
    ],
)
def test_the_notation_of_times_is_told(values: Any, pattern: str, rivals: Any) -> None:
    found = find_format(values)
    assert found is not None
    assert (found.pattern, found.rivals) == (pattern, rivals)


def test_what_reads_all_times_is_preferred_to_what_reads_most() -> None:
    found = find_format([f"09/{day:02}/2026 7:30 PM" for day in range(1, 20)], 0.5)
    assert found is not None
    assert (found.pattern, found.rivals) == ("%m/%d/%Y %I:%M %p", ())


@pytest.mark.parametrize(
    ("text", "has_zone"),
    [
        ("2026-11-26T19:30:00Z", True),
        ("2026-11-26 19:30+0200", True),
        ("Thu, 26 Nov 2026 19:30:00 EST", True),
        ("November 26, 2026 19:30 UTC", True),
        ("Thu, 26 Nov 2026 19:30:00", False),
        ("2026-11-26T19:30:00", False),
        ("2026-11-26", False),
    ],
)
def test_a_time_zone_in_the_text_is_told(text: str, has_zone: bool) -> None:
    found = find_format([text])
    assert found is not None
    assert found.has_zone == has_zone


def test_days_beside_times_with_a_zone_are_no_local_times() -> None:
    found = find_format(["2026-11-26", "2026-11-26T19:30:00Z"])
    assert found is not None
    assert (found.has_zone, found.has_days) == (True, True)


@pytest.mark.parametrize(
    "values",
    [
        ["e1234567"],
        ["12345"],
        ["19.30.00"],
        ["1 2 3 4 5 6 7"],
        ["Hall 5, 2026"],
        [7],
        [True],
        [{}],
        [None],
        ["soon"],
        [20261401183000],
    ],
)
def test_what_is_no_time_has_no_notation(values: Any) -> None:
    assert find_format(values) is None
