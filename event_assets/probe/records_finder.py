"""Find the list of events in a JSON document: under any path, wrapped, grouped, or by id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from event_assets.probe import field_words as words
from event_assets.probe.authentication import needs_key
from event_assets.probe.discovery import Discovery
from event_assets.probe.field_finder import likeness
from event_assets.probe.page import Page
from event_assets.probe.samples import Sample
from event_assets.probe.time_finder import find_start
from event_assets.values.errors import ApiError
from event_assets.values.urls import redact_url
from event_assets.values.wording import counted

DIFFERENT = 2  # in likeness: one list has a start or a name, another has none
MAX_DEPTH = 5  # levels of nested objects that are searched
MAX_PAIR = 3  # members of a list that may be the records beside what is said of them
LOOKED_AT = 20  # members of a list
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
EVENT_PATHS = ("events", "v1/events", "api/events", "api/v1/events", "v2/events")
OWN_IDS = {"id", "_id", "uid", "uuid"}  # of a record that has its fields in an object
LAST_NAME = re.compile(r"(\w+)'?(\[\*\]|(\.\*)+)?$")  # of a list, or of records by id
NUMBER = re.compile(r"\d[\d/.:-]*")  # also a day, or a month
NO_LIST = (200, 404)  # statuses at an address without a path, beside which a list may be
NO_RECORDS = re.compile(r"included|links?|errors?|facets|aggregations|filters|warnings|meta")


def find_list(discovery: Discovery, page: Page) -> Page:
    """Find the list of events in page 1, or else at the usual paths; return its page.

    Raises:
        ApiError: there is none, or it is empty.
    """
    client = discovery.client
    if selector := discovery.options.get("data_selector"):
        client.selector = selector
    elif not _select(discovery, page):
        # some servers fail to send the list now and then
        page = search_paths(discovery, client.ask(again=True))
        if not _select(discovery, page):
            help_ = (
                "give the URL of the list, with its path, and if it is empty now, with what asks "
                "for past events, such as `?start_date=2000-01-01`."
            )
            if re.search(r"\[\s*\[", page.text):
                help_ = "its rows have no names of fields, as in jCal or a sheet: ask for objects."
            where = redact_url(client.given.url)
            raise ApiError(
                f"The answer of {where} has no list of events to learn from: {help_}{page.said}"
            )
    page = client.read(page)
    records = sum(isinstance(row, dict) for row in page.rows)
    where = "the whole answer" if client.selector == "$" else f"`{client.selector}`"
    if not records:
        problem = f"the response {page.problem}" if page.problem else "ask for some that exist"
        raise ApiError(f"There are no events in {where} to learn from: {problem}.")
    discovery.add("records", where, f"{counted(records)} that look like events")
    _ask_about_others(discovery, page)
    return page


def _select(discovery: Discovery, page: Page) -> bool:
    if found := find_records(page.document) if page.is_ok else None:
        discovery.client.selector = found
    return bool(found)


def _ask_about_others(discovery: Discovery, page: Page) -> None:
    """Ask which events are meant, where another list beside the records is like them."""
    selector = discovery.client.selector
    parent, _, name = selector.rpartition(".")
    lists = {path: groups[0] for path, groups in _find_lists([page.document]) if "*" not in path}
    known = [repr(row) for row in lists.pop(selector, ())]
    start = find_start(Sample(page.rows))
    like = [
        path.rpartition(".")[2]
        for path, rows in lists.items()
        if path.rpartition(".")[0] == parent and known and repr(rows[0]) not in known
        if start and (other := find_start(Sample(rows))) and other.sources[:1] == start.sources[:1]
    ]
    if like:
        names = "','".join((name, *like))
        discovery.question(
            "data_selector",
            f"Which events are meant? Beside `{name}`, there are records like them in "
            f"`{'`, `'.join(like)}`.",
            {
                "all": {"data_selector": f"{parent or '$'}['{names}'][*]"},
                f"only `{name}`": {"data_selector": selector},
            },
        )


def search_paths(discovery: Discovery, page: Page) -> Page:
    """Try the usual paths of events where the address has none; return the page to go on with.

    Without a key, a path that wants one is taken for that of the list.
    """
    client, given = discovery.client, discovery.given
    if given.has_path or _select(discovery, page) or page.status not in NO_LIST:
        return page
    for path in EVENT_PATHS:
        client.given = replace(given, url=f"{given.url.rstrip('/')}/{path}")
        tried = client.ask()
        is_guarded = not client.session.has_auth and needs_key(tried)
        if is_guarded or _select(discovery, tried):
            discovery.add("URL", client.given.url, "there is a list of events")
            return tried
    client.given = given
    return page


def find_records(document: Any) -> str | None:
    """Return the selector of the list whose members look most like events, or None."""
    ranked = []
    for number, (selector, groups) in enumerate(_find_lists([document])):
        records = [record for group in groups for record in group]
        likely = [likeness(group) for group in groups if group]
        first = [repr(record) for record in records[:LOOKED_AT] if isinstance(record, dict)]
        if not first or 2 * len({*first}) < len(first):  # what events have in common
            continue
        if max(likely) - min(likely) < DIFFERENT:  # else these are lists of different things
            # one member may be what all events are of, such as their tournament
            rank = likeness(records) + _likeness_of_name(selector) + min(len(records), 10) / 20
            ranked.append((rank, len(records), -len(selector), -number, selector))
    return max(ranked)[-1] if ranked else None


def _likeness_of_name(selector: str) -> int:
    """Return how much more a list named `matches` is like events than one of `leagues`."""
    found = LAST_NAME.search(selector)
    own = words.split_name(found[1]) if found else ()
    said = {word.removesuffix(end) for word in own for end in ("", "s", "es")}
    return 2 * (bool(said & words.OF_TIME) - bool(said & words.OTHER_OBJECTS))


def join_path(names: Sequence[str]) -> str:
    """Return names as a JSON path: those that are no plain words in quotes."""
    quoted = [name if PLAIN_NAME.fullmatch(name) else f"'{name}'" for name in names]
    return ".".join(quoted) or "$"


def _find_lists(
    nodes: Sequence[Any], path: str = "", depth: int = 0
) -> Iterator[tuple[str, Sequence[Sequence[Any]]]]:
    """Yield the selectors of what may be the records, with the lists that they find.

    Args:
        nodes: what is at the path, of one kind; several where it has a wildcard.
    """
    is_many = "*" in path
    if isinstance(nodes[0], list):
        rows = [row for node in nodes for row in node]
        if rows and all(isinstance(row, dict) for row in rows[:LOOKED_AT]):
            rows = [row for row in rows if isinstance(row, dict)]
            lists = [[row for row in node if isinstance(row, dict)] for node in nodes]
            # of an object's members, which may be lists of different things
            groups = lists if path.partition(".*")[1] else [rows]
            yield f"{path}[*]" if is_many else path or "$", groups
            is_record = bool({*rows[0]} & OWN_IDS)
            yield from _find_in_members(rows, f"{path or '$'}[*]", depth, is_record=is_record)
        elif not is_many and len(rows) <= MAX_PAIR:
            for at, row in enumerate(rows):
                yield from _find_lists([row], f"{path or '$'}[{at}]", depth + 1)
    elif isinstance(nodes[0], dict):
        if is_many:
            yield path, [nodes]  # each is wrapped: `edges[].node`
        members = [member for node in nodes for member in node.values()]
        is_numbered = all(NUMBER.fullmatch(str(name)) for node in nodes for name in node)
        filled = [member for member in members if member]
        if is_numbered and len({*map(type, filled)}) == 1:  # by their numbers, days or months
            yield from _find_lists(filled, f"{path or '$'}.*", depth + 1)
            return
        if len(members) > 1 and _are_alike(members):  # by their ids
            yield from _find_lists(members, f"{path or '$'}.*", depth + 1)
        lists = [member for member in members if isinstance(member, list)]
        is_named = any(NO_RECORDS.fullmatch(str(name)) for node in nodes for name in node)
        rows = [] if is_named else [row for each in lists for row in each]
        if 1 < len(members) == len(lists) and _are_alike(rows):
            yield f"{path or '$'}.*[*]", lists  # by their days or rooms
        yield from _find_in_members(nodes, path, depth)


def _find_in_members(
    rows: Sequence[Any], path: str, depth: int, *, is_record: bool = False
) -> Iterator[tuple[str, Sequence[Sequence[Any]]]]:
    """Look in the members of objects; an object in a record, which has an id, is a part of it."""
    for name in rows[0] if depth < MAX_DEPTH else ():
        kind = type(rows[0][name])
        is_left_out = NO_RECORDS.fullmatch(name.lower()) or {*"'{}*"} & {*name}
        is_everywhere = all(isinstance(row.get(name), kind) for row in rows[:LOOKED_AT])
        if not is_left_out and is_everywhere and kind in ((list,) if is_record else (list, dict)):
            nodes = [row[name] for row in rows if isinstance(row.get(name), kind)]
            yield from _find_lists(nodes, f"{path}.{join_path([name])}".lstrip("."), depth + 1)


def _are_alike(members: Sequence[Any]) -> bool:
    """Return whether all are objects, and half of the first one's members are in each."""
    if not members or not all(isinstance(member, dict) and member for member in members):
        return False
    first = {*members[0]}
    return all(2 * len(first & {*member}) >= max(len(first), len(member)) for member in members)
