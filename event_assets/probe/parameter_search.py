"""Search for the parameters of an API: one counts only when it changes what comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import plain_name
from event_assets.probe.explorer import BODY, Explorer, Settings
from event_assets.probe.facts import Fact
from event_assets.probe.page import Page
from event_assets.probe.paging import Paging, compare
from event_assets.probe.paging_candidates import ORDERS, find_hints

NONSENSE = "zzz_unknown"  # a parameter that no API has
MAX_SINGLE = 6  # names that are tried one by one, where unknown names are refused
MAX_ORDERS = 6
IN_BODY = 6  # of the usual names, those that are tried in the body of a POST
IsEffect = Callable[[Page], bool]


class ParameterSearch:
    """The experiments on one list, whose first page is known.

    Attributes:
        first: page 1, as it comes by itself.
        base: the page that others are compared with: page 1 with what was found so far.
    """

    def __init__(self, explorer: Explorer, first: Page) -> None:
        self.explorer = explorer
        self.first = self.base = first
        self.paging = Paging()
        self.hints = find_hints(first)

    def ask(self, settings: Settings) -> Page:
        """Send the request with what was found so far, and further settings."""
        return self.explorer.ask({**self.paging.settings, **settings})

    def check_control(self) -> Page:
        """Send a parameter that means nothing: is the answer the same, or is it refused?"""
        paging, first = self.paging, self.first
        in_body = self.explorer.given.method != "GET"  # where candidates go, too
        control = self.explorer.ask({f"{BODY}{NONSENSE}" if in_body else NONSENSE: "1"})
        paging.is_strict = not control.is_ok
        again = self.explorer.ask(again=True) if paging.is_strict else control
        difference = compare(first.ids, again.ids)
        paging.is_stable = difference in ("same", "fewer", "more") or difference.startswith("shift")
        ignored = "refused" if paging.is_strict else "ignored"
        paging.facts.append(
            Fact("unknown parameters", ignored, "a parameter that means nothing was sent")
        )
        if not paging.is_stable:
            evidence = "the same request brought other records, or others first"
            paging.facts.append(Fact("order", "not stable", evidence))
        return again

    def find_order(self) -> None:
        """Look for a parameter that makes the order stable: twice the same page."""
        for name in ORDERS[:MAX_ORDERS]:
            pages = [self.explorer.ask({name: "id"}, again=True) for _ in range(2)]
            if pages[0].is_ok and pages[0].ids and pages[0].ids == pages[1].ids:
                self.paging.settings[name] = "id"
                self.paging.is_stable = True
                self.base = pages[0]
                evidence = "with it, the same page came twice in the same order"
                self.paging.facts.append(Fact("order", f"{name}=id", evidence))
                return

    def shown(self, usual: Sequence[str]) -> list[str]:
        """Return the parameters that the response shows, of those with a usual name."""
        return [place for place, name in self.hints.items() if name in usual]

    def places(self, usual: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return where a parameter may be: what was given or shown, and the other usual names."""
        given = self.explorer.given
        paths = [f"{BODY}{path}" for path in (*_paths_of(given.body), *_variables(given.body))]
        known = [
            name
            for name, value in given.params.items()
            if name in usual and parse_count(value) is not None
        ]
        known += [path for path in paths if plain_name(path) in map(plain_name, usual)]
        known += [name for name in given.known_params if name in usual]
        known += [name for name in self.shown(usual) if name not in given.params]
        rest = [name for name in usual if name not in {*known, *given.params}]
        if given.method != "GET":
            rest = [
                f"{BODY}{prefix}{name}"
                for name in usual[:IN_BODY]
                for prefix in _prefixes(given.body)
            ]
        return [*dict.fromkeys(known)], rest

    def search(
        self, names: tuple[Sequence[str], Sequence[str]], value: Any, is_effect: IsEffect
    ) -> str | None:
        """Return the first name of a parameter that has an effect.

        What was given or shown is tried by itself; the usual names all at once and then by halves,
        where the API ignores unknown names, or else one by one.
        """
        known, usual = names
        for name in known:
            if is_effect(self.ask({name: value})):
                return name
        if self.paging.is_strict:
            tried = sorted(usual, key=lambda name: name.count("."))[:MAX_SINGLE]
            return next((name for name in tried if is_effect(self.ask({name: value}))), None)
        group = list(usual)
        if not group or not is_effect(self.ask(dict.fromkeys(group, value))):
            return None
        while len(group) > 1:
            cut = _halfway(len(group))
            half = group[:cut]
            group = half if is_effect(self.ask(dict.fromkeys(half, value))) else group[cut:]
        return group[0] if is_effect(self.ask({group[0]: value})) else None


def _halfway(count: int) -> int:
    """Return where to cut names that are sorted by how usual they are: nearly equal chances."""
    weights = [1 / (rank + 1) for rank in range(count)]
    total, half = 0.0, sum(weights) / 2
    for at, weight in enumerate(weights[:-1], 1):
        total += weight
        if total >= half:
            return at
    return max(1, count - 1)


def _paths_of(body: Any, path: str = "") -> list[str]:
    """Return the paths of the scalars in a JSON body."""
    if isinstance(body, Mapping):
        return [
            found
            for name, member in body.items()
            if "." not in name
            for found in _paths_of(member, f"{path}.{name}" if path else name)
        ]
    return [path] if path and not isinstance(body, list) else []


def _prefixes(body: Any) -> list[str]:
    """Return the objects of a JSON body in which parameters of pages may be; none of GraphQL's."""
    members = body if isinstance(body, Mapping) else {}
    if isinstance(members.get("query"), str):
        return []
    inside = [f"{name}." for name, member in members.items() if isinstance(member, Mapping)]
    parents = ["", *inside]
    return [
        *parents,
        *(f"{parent}{name}." for parent in parents for name in ("paging", "pagination")),
    ]


def _variables(body: Any) -> list[str]:
    """Return the paths of the variables that a GraphQL query declares."""
    query = body.get("query") if isinstance(body, Mapping) else None
    declared = re.findall(r"\$(\w+)\s*:", query) if isinstance(query, str) else []
    return [f"variables.{name}" for name in declared]
