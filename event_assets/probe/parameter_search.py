"""Search for the parameters of an API: one counts only when it changes what comes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from event_assets.pagination.counters import find_left_out
from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import SIZE, plain_name
from event_assets.probe.client import BODY, Client, Settings
from event_assets.probe.discovery import Fact
from event_assets.probe.page import Page
from event_assets.probe.paging import Paging, find_shift, read_pages
from event_assets.probe.paging_candidates import (
    OFFSETS,
    ORDERS,
    PAGES,
    SIZES,
    find_hints,
    find_pointers,
    is_named,
)
from event_assets.probe.samples import walk_scalars

NONSENSE = "zzz_unknown"  # a parameter that no API has
MAX_SINGLE = 6  # names that are tried one by one, in a body, or as a description has them
IsEffect = Callable[[Page], bool]


class ParameterSearch:
    """The experiments on one list, whose first page is known."""

    def __init__(self, client: Client, first: Page) -> None:
        self.client = client
        self.first = first  # page 1, as it comes by itself
        self.base = first  # with what was found so far: the page that others are compared with
        self.paging = Paging()
        self.said: list[str] = []  # names that are tried first, whatever they are for
        self.is_emptied = False  # a parameter that means nothing brings an empty list
        self.hints = find_hints(first)

    def ask(self, settings: Settings) -> Page:
        """Send the request with what was found so far, and further settings."""
        return self.client.ask({**self.paging.settings, **settings})

    def check_control(self) -> Page:
        """Send a parameter that means nothing: is the answer the same, or is it refused?"""
        paging, first = self.paging, self.first
        in_body = self.client.given.method != "GET"  # where candidates go, too
        control = self.client.ask({f"{BODY}{NONSENSE}" if in_body else NONSENSE: "1"})
        self.is_emptied = control.is_ok and bool(first.ids) and not control.ids
        paging.is_strict = control.response is not None and (self.is_emptied or not control.is_ok)
        again = self.client.ask(again=True) if paging.is_strict else control
        shift = find_shift(first.ids, again.ids)
        is_other = shift in (None, len(first.ids)) or not again.ids
        paging.is_stable = not (first.ids and is_other and again.response is not None)
        if paging.is_strict:
            self.client.refusals.add(control.text)  # perhaps with 500, and each time
            said = "sends no records" if self.is_emptied else f"answers {control.status}"
            paging.facts.append(Fact("unknown parameters", "refused", f"with one, the API {said}"))
        if not paging.is_stable:
            evidence = "the same request brought other records, or others first"
            paging.facts.append(Fact("order", "not stable", evidence))
        return again

    def find_order(self) -> None:
        """Look for a parameter that makes the order stable: twice the same page."""
        for name in ORDERS:
            pages = [self.client.ask({name: "id"}, again=True) for _ in range(2)]
            if pages[0].is_ok and pages[0].ids and pages[0].ids == pages[1].ids:
                self.paging.settings[name] = "id"
                self.paging.is_stable = True
                self.base = pages[0]
                evidence = "with it, the same page came twice in the same order"
                self.paging.facts.append(Fact("order", f"{name}=id", evidence))
                return

    def places(self, usual: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return where a parameter may be: what was given or shown, and the other usual names."""
        given = self.client.given
        inside = [path for path, _ in walk_scalars(given.body) if not {*"[]"} & {*path}]
        paths = [f"{BODY}{path}" for path in (*inside, *_variables(given.body))]
        counts = [name for name, value in given.params.items() if parse_count(value) is not None]
        known = [*self.said, *(name for name in counts if is_named(name, usual))]
        if usual == SIZES:
            rows = len(self.first.rows)
            known += [name for name in counts if parse_count(given.params[name]) == rows]
        known += [path for path in paths if plain_name(path) in map(plain_name, usual)]
        known += [name for name in given.known_params if is_named(name, usual)]
        if usual in (SIZES, PAGES, OFFSETS):
            numbers = [name for name, is_number in given.known_params.items() if is_number]
            known += [name for name in numbers if name not in given.params][:MAX_SINGLE]
        shown = [place for place, name in self.hints.items() if name in usual]
        known += [place for place in shown if place not in given.params]
        # `$cursorNext` beside `$limit`, `_skip` beside `_limit`
        prefix = re.findall(r"^[$_]?", self.paging.size_param or "")[0]
        rest = [f"{prefix}{name.removeprefix(prefix)}" for name in usual]
        rest = [*dict.fromkeys([*rest, *usual])]  # `$top` may be beside `continuationToken`
        rest = [name for name in rest if name not in {*known, *given.params}]
        if given.method != "GET":
            parents = _prefixes(given.body)
            rest = [f"{BODY}{parent}{name}" for name in usual[:MAX_SINGLE] for parent in parents]
        return [*dict.fromkeys(known)], rest

    def search(
        self, names: tuple[Sequence[str], Sequence[str]], value: Any, is_effect: IsEffect
    ) -> str | None:
        """Return the first name of a parameter that has an effect.

        What was given or shown is tried by itself; the usual names all at once and then in parts,
        where the API ignores unknown names, or else one by one.
        """
        known, usual = names
        for name in known:
            if is_effect(self.ask({name: value})):
                return name
        if self.paging.is_strict:
            named = self._named(usual, value)
            is_refused = 2 * len(named) > len(usual)  # else the few that it names may be allowed
            tried = sorted(usual, key=lambda one: ((one in named) == is_refused, one.count(".")))
            tried = tried[:MAX_SINGLE]
            return next((name for name in tried if is_effect(self.ask({name: value}))), None)
        if not usual or not is_effect(self.ask(dict.fromkeys(usual, value))):
            return None
        most_usual, *group = usual
        if is_effect(self.ask({most_usual: value})):
            return most_usual
        while len(group) > 1:
            # they are sorted by how usual they are; behind the first part, all are rare
            cut = math.isqrt(len(group)) if group[0] == usual[1] else len(group) // 2
            part = group[:cut]
            group = part if is_effect(self.ask(dict.fromkeys(part, value))) else group[cut:]
        return next((name for name in group if is_effect(self.ask({name: value}))), None)

    def _named(self, names: Sequence[str], value: Any) -> set[str]:
        """Return which of these names an API names in its refusal of all."""
        text = self.ask(dict.fromkeys(names, value)).text if names else ""
        said = {*re.findall(r"[\w$\[\]-]+", text)}
        return {name for name in names if name.removeprefix(BODY) in said}


def _prefixes(body: Any) -> list[str]:
    """Return the objects of a JSON body in which parameters of pages may be; none of GraphQL's."""
    members = body if isinstance(body, Mapping) else {}
    if _graphql(body):
        return []
    inside = (name for name, member in members.items() if isinstance(member, Mapping))
    parents = ["", *(f"{name}." for name in inside)]
    return [
        *parents,
        *(f"{parent}{name}." for parent in parents for name in ("paging", "pagination")),
    ]


def is_fixed_query(body: Any) -> bool:
    """Return whether a body is a GraphQL query without variables."""
    return "{" in _graphql(body) and not _variables(body)


def _variables(body: Any) -> list[str]:
    return [f"variables.{name}" for name in re.findall(r"\$(\w+)\s*:", _graphql(body))]


def _graphql(body: Any) -> str:
    query = body.get("query") if isinstance(body, Mapping) else None
    return query if isinstance(query, str) else ""


LARGE_SIZES = (1000, 500, 200, 100)
SMALL, MIN_SMALL = 10, 3  # rows of the pages of experiments
MIN_ROWS = 4  # of a page that smaller ones can be told from
SHORT_LIST = 100  # rows; one with fewer is one page, shorter than it was asked for


def find_size(search: ParameterSearch) -> None:
    """Look for the parameter of the page size: with it, fewer records come, and as much leads on.

    Small pages make several of a short list, whose next pages can be looked for.
    """
    count = len(search.base.rows)
    small = SMALL if count > 3 * SMALL else max(MIN_SMALL, count // 3)
    small -= small == count
    has_next, names = bool(find_pointers(search.base)), search.places(SIZES)
    tried = [(small, names)]
    if count < MIN_ROWS:  # perhaps as many as an example asks for: larger ones first
        tried = [(SMALL, (names[0], [])), *([(1, names)] if count > 1 else [])]

    def is_effect(size: int, page: Page) -> bool:
        is_end = has_next and not find_pointers(page)  # of the list, such as by OData's `$top`
        is_as_asked = len(page.rows) == size or size > len(page.rows) > count
        return page.is_ok and is_as_asked and not is_end

    paging = search.paging
    for small, names in tried:
        if name := search.search(names, small, partial(is_effect, small)):
            paging.size_param, paging.size = name, small
            paging.settings[name] = small
            search.base = search.ask({})
            return


def find_largest_size(search: ParameterSearch) -> None:
    """Ask for larger pages, and keep the largest that the API really sends."""
    paging, name = search.paging, search.paging.size_param
    if not name:
        return
    links = find_pointers(search.base) if paging.kind in ("json_link", "header_link") else ()
    if any(find_left_out(str(link.value), {name: 1}) for link in links):
        paging.size_param = None  # page 1 alone would be of another size
        del paging.settings[name]
        return
    asked, page = _find_largest_page(search, name)
    got, is_cut = len(page.rows), page is search.first or _is_cut(search, page)
    # a list that came whole is read in two pages, if it is long enough, so that the last is a short
    # one; one that is not is a page with fewer rows than are asked for
    is_known = paging.is_numbered or SIZE.fullmatch(plain_name(name))
    smaller = () if is_known and got != SHORT_LIST else (50, 20)
    parts = (size for size in (500, 200, SHORT_LIST, *smaller) if size < got)
    paging.size = got if is_cut else min(asked, next(parts, SHORT_LIST))
    if paging.kind == "offset":
        paging.paginator["limit"] = paging.size
    else:
        paging.settings[name] = paging.size
    evidence = f"{asked} requested, {got} received"
    evidence += "" if is_cut else ", the whole list: several pages show that it ends there"
    paging.facts.append(Fact("page size", f"{name}={paging.size}", evidence))


def _find_largest_page(search: ParameterSearch, name: str) -> tuple[int, Page]:
    """Return the first size for which more records come than without one, and its page."""
    usual = len(search.first.rows)
    sizes = [size for size in LARGE_SIZES if size > usual] or [LARGE_SIZES[0]]
    while sizes:
        asked = sizes.pop(0)
        page = search.ask({name: asked})
        is_list = page.is_ok and not page.problem
        if is_list and page.rows and (len(page.rows) > usual or not sizes):
            return asked, page
        if page.status == HTTPStatus.FORBIDDEN:  # a second time would end it all
            sizes = []
        named = () if is_list else map(int, re.findall(r"\d+", page.said))  # in a refusal
        sizes[:0] = [size for size in named if MIN_SMALL < size < asked]
    return usual, search.first


def _is_cut(search: ParameterSearch, page: Page) -> bool:
    """Return whether a list goes on behind a page, the first, for which many rows were asked.

    Two smaller pages show it, not a pointer: some are there always, some behind full pages only.
    """
    paging, count = search.paging, len(page.rows)
    is_echo = search.base.total == paging.size  # the rows that a small page was to have
    if (page.total or 0) > count and not is_echo:
        return True
    half, config, settings = (count + 3) // 2, paging.paginator, paging.settings
    if paging.kind == "offset":
        config = {**config, "limit": half}
    else:
        settings = {**settings, paging.size_param or "": half}
    return len(read_pages(search.client, config, settings, 2).ids) != count
