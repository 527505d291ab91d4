"""Ask what a list may not show: records behind its end, and events of other times."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from event_assets.probe.discovery import Discovery
from event_assets.probe.end_finder import End, is_doubted
from event_assets.probe.page import Page
from event_assets.probe.paging import Paging
from event_assets.probe.paging_candidates import find_pointers
from event_assets.probe.parameter_search import is_fixed_query
from event_assets.values.timestamps import parse_timestamps

ROUND = 1_000  # records, of which an API may send no more of one list
RANGES = {  # of `windows`; without one, what the API shows by itself may be taken for all
    "all, in many requests": {"since": "2000-01-01", "until": "+3650d"},
    "a year back and a year ahead": {"since": "-365d", "until": "+365d"},
}
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
MANY = 10  # events, of which an API that lists all has some of other times
SHORT = timedelta(days=31)  # a range that may be the API's own: a day, a week, a month
DAY = timedelta(days=1)


def ask_about_end(discovery: Discovery, paging: Paging, end: End, page: Page) -> None:
    """Ask what the pages leave open: whether that is all, or how the list goes on."""
    said = (end.problem or end.doubt).rstrip(".")
    choices: dict[str, dict[str, Any]] = {}
    is_short = end.is_short and bool(end.problem)
    if end.is_cut_off or is_short or (end.count and end.count % ROUND == 0):
        said = said or f"Exactly {end.count:,} records came, a number at which APIs cut lists off"
        if is_short and not end.is_cut_off:
            choices["these are all, the total is wrong"] = {"paginator.total_path": None}
        elif end.is_reached or not end.is_cut_off:
            choices["these are all"] = {"windows": None}
        discovery.question(
            "windows",
            f"{said}. If the API has more and can be asked for a range of time, name its "
            "parameters: --set windows.param_from=... --set windows.param_to=... --set "
            f"windows.cap={len(end.rows) or ROUND}.",
            choices,
        )
    elif end.ending:
        choices["it ends there"] = {"response_actions": [{**end.ending, "action": "ignore"}]}
        discovery.question("response_actions", f"{said}. Does the list end there?", choices)
    elif end.problem and (windows := _find_windows(page)):
        one_page = {"type": "single_page", "has_more_path": None}
        for phrase, days in RANGES.items():
            choices[phrase] = {"paginator": one_page, "windows": {**windows, **days}}
        text = f"Which days are read? {said}, from one range of days to the next."
        discovery.question("windows", text, choices)
    elif end.problem or (end.doubt and paging.paginator == "single_page"):
        _ask_for_pages(discovery, paging, end, said)


def _find_windows(page: Page) -> dict[str, Any]:
    """Return the `windows` that read what the link of a page leads to by two days; else empty."""
    for pointer in find_pointers(page):
        query = parse_qsl(urlsplit(str(pointer.value)).query)
        days = sorted((value, name) for name, value in query if ISO_DAY.fullmatch(value))
        if len(days) == 2:
            names = {"param_from": days[0][1], "param_to": days[1][1]}
            return {**names, "cap": ROUND, "format": "%Y-%m-%d"}
    return {}


def _ask_for_pages(discovery: Discovery, paging: Paging, end: End, said: str) -> None:
    """Ask how a list goes on of which nothing but page 1 was found."""
    # only the length of a page is in doubt, which is not usual
    is_open = not end.is_reached or end.problem or is_doubted(len(end.rows))
    is_likely_all = paging.is_stable and not is_open
    budget = discovery.client.session.budget
    if budget.sent >= budget.requests and paging.paginator == "single_page":
        said += f". {budget.requests} requests were too few to try all"
        said += ": name the key's place, too" if discovery.attempt else ""
    called = "what the API's documentation calls its pages, such as "
    called += "--set paginator.type=page_number --set paginator.page_param=page."
    text = f"How does the list go on? {said}. Say {called}"
    if not paging.is_stable:
        text = (
            "The same request brings other records each time, so that no page can follow another. "
            "Which parameter sorts the list? Set it, such as --set params.sort=id."
        )
    elif is_fixed_query(discovery.given.body):
        text = (
            f"How does the list go on? {said}. The query has no variable for it: declare one, such "
            "as by `query($after: String) { events(first: 50, after: $after) ...`, and give the "
            "command with it."
        )
    elif is_likely_all:
        paging.paginator = "auto"
        text = f"Is that the whole list? {said}. If it is: --set paginator=single_page; until "
        text += f"then, `complete` warns. If it is not: say {called}"
    choices = {} if end.problem else {"that is the whole list": {"paginator": "single_page"}}
    discovery.question("paginator", text, choices, is_open=not is_likely_all)


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
