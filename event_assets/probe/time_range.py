"""Ask whether the API has events outside the range of time that the list covers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from event_assets.probe.discovery import Discovery
from event_assets.values.timestamps import parse_timestamps

MANY = 10  # events, of which an API that lists all has some of other times
SHORT = timedelta(days=31)  # a range that may be the API's own: a day, a week, a month
DAY = timedelta(days=1)


def ask_about_range(discovery: Discovery, starts: Collection[datetime]) -> None:
    """Ask about events before and after those of the list, whose starts are given."""
    _ask_about_fixed_end(discovery, max(starts))
    if len(starts) < MANY:
        return
    first, last = min(starts), max(starts)
    if first >= datetime.now(UTC) - DAY:
        said, others = "are still to come", "past ones"
    elif last - first <= SHORT:
        said, others = f"start from {first:%Y-%m-%d} to {last:%Y-%m-%d}", "others"
    else:
        return
    discovery.question(
        "params",
        f"All events {said}: if the API has {others}, too, ask for them by its parameters, such as "
        "--set params.start_date=2000-01-01.",
        is_open=False,
    )


def _ask_about_fixed_end(discovery: Discovery, last: datetime) -> None:
    """Tell of a time to come in the request that no event starts after."""
    given = {name: one for name, one in discovery.given.params.items() if isinstance(one, str)}
    ends = parse_timestamps([*given.values()], None, None).to_pylist()
    for (name, value), end in zip(given.items(), ends, strict=True):
        if end and end + DAY > max(last, datetime.now(UTC)):
            setting = f"params.{name}"
            discovery.question(
                setting,
                f"`{name}={value}` stays as it is, so that events after it are never requested: "
                f"leave it out by --set {setting}=null, or name the parameters of a range that "
                "moves with the days, by --set windows.param_from=... --set windows.param_to=... "
                "--set windows.cap=1000.",
                is_open=False,
            )
