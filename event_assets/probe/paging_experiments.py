"""Find out by experiments how a list is paged: nothing is believed that its pages do not show."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from event_assets.http.error_text import error_text
from event_assets.pagination.facts import USUAL_SIZES
from event_assets.pagination.totals import parse_count
from event_assets.probe.explorer import BODY, Explorer, Page, Settings, Walk
from event_assets.probe.findings import Fact
from event_assets.probe.paging_candidates import (
    CURSORS,
    LAST_IDS,
    OFFSETS,
    ORDERS,
    PAGES,
    SIZES,
    Pointer,
    cursor_names,
    find_hints,
    find_pointers,
    members_outside_records,
)

NONSENSE = "zzz_unknown"  # a parameter that no API has
MAX_POINTERS = 4
LARGE_SIZES = (1000, 500, 200, 100)
PAGES_TO_BELIEVE = 3
MAX_SINGLE = 6  # names that are tried one by one where unknown names are refused


@dataclass
class Paging:
    """How a list is paged, as far as it was found out.

    Attributes:
        paginator: dlt's configuration; None: nothing was believed.
        settings: parameters of each request, such as the page size.
        evidence: what showed it.
        is_stable: whether the same request brings the same records in the same order.
        is_strict: whether the API refuses unknown parameters.
    """

    paginator: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    evidence: str = ""
    size_param: str | None = None
    size: int | None = None
    is_stable: bool = True
    is_strict: bool = False
    facts: list[Fact] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The type of the paginator."""
        config = self.paginator
        return str(config.get("type")) if isinstance(config, Mapping) else str(config or "")

    @property
    def written_params(self) -> list[str]:
        """The parameters that the paginator itself writes."""
        if self.kind != "offset":
            return []
        names = (self.paginator.get(name, "") for name in ("offset_param", "limit_param"))
        return [*names, self.size_param or ""]

    @property
    def sent_settings(self) -> dict[str, Any]:
        """The parameters that are sent beside those of the paginator."""
        written = self.written_params
        return {name: value for name, value in self.settings.items() if name not in written}


def compare(before: Sequence[Hashable], after: Sequence[Hashable]) -> str:
    """Return how a page differs from another: `same`, `fewer`, `more`, `shifted N`, `fresh`, ...

    The first of these that fits; `empty`, `shuffled` and `mixed` are the others.
    """
    old, new = list(before), list(after)
    if old == new:
        return "same"
    if not new:
        return "empty"
    if old[: len(new)] == new:
        return "fewer"
    if new[: len(old)] == old:
        return "more"
    if not {*old} & {*new}:
        return "fresh"
    for shift in range(1, len(old)):
        kept = old[shift:]
        if new[: len(kept)] == kept[: len(new)] and not {*new[len(kept) :]} & {*old}:
            return f"shifted {shift}"
    return "shuffled" if {*old} == {*new} else "mixed"


def is_believed(walk: Walk) -> bool:
    """Return whether each page of a walk brought fresh records, and none of the pages before.

    One record that two neighbours share is the overlap by which a sync reads a list of offsets.
    """
    pages = [page for page in walk.pages if page]
    if walk.error or len(pages) < 2 or (len(pages) < PAGES_TO_BELIEVE and not walk.is_done):
        return False
    seen: set[Hashable] = set()
    last: Hashable = object()
    for page in pages:
        again = seen & {*page}
        if not {*page} - seen or not again <= {last} or len({*page}) < len(page):
            return False
        seen |= {*page}
        last = page[-1]
    return True


class PagingExperiments:
    """The experiments on one list, whose first page is known."""

    def __init__(self, explorer: Explorer, first: Page) -> None:
        self._explorer = explorer
        self._first = first
        self._paging = Paging()
        document = first.response.document
        response = first.response.response
        urls = [link["url"] for link in response.links.values()] if response is not None else []
        self._hints = find_hints(document, urls, len(first.rows))
        self._base: Page = first  # the page that others are compared with

    def run(self, configured: Any = None) -> Paging:
        """Return how the list is paged; `configured` is a paginator to check in place of others."""
        self._check_control()
        if not self._paging.is_stable:
            self._find_order()
        self._find_size()
        if configured is not None:
            self._try(configured, "as you said")
        else:
            for find in (
                *(self._try_pointers, self._try_numbers, self._try_last_id),
                *(self._try_first_cursor,),
            ):
                if self._paging.paginator is None and self._can_page:
                    find()
        return self._paging

    @property
    def _can_page(self) -> bool:
        return self._paging.is_stable or bool(self._pointers(self._base))

    def _check_control(self) -> None:
        """Send a parameter that means nothing: is the answer the same, or is it refused?"""
        paging, first = self._paging, self._first
        control = self._explorer.ask({NONSENSE: "1"})
        paging.is_strict = not control.is_ok
        again = self._explorer.ask(again=True) if paging.is_strict else control
        difference = compare(first.ids, again.ids)
        paging.is_stable = difference in ("same", "fewer", "more") or difference.startswith("shift")
        ignored = "refused" if paging.is_strict else "ignored"
        paging.facts.append(
            Fact("unknown parameters", ignored, "a parameter that means nothing was sent")
        )
        if not paging.is_stable:
            evidence = "the same request brought other records, or others first"
            paging.facts.append(Fact("order", "not stable", evidence, "sure"))

    def _find_order(self) -> None:
        """Look for a parameter that makes the order stable: twice the same page."""
        for name in ORDERS[: 2 if self._paging.is_strict else 6]:
            pages = [self._explorer.ask({name: "id"}, again=True) for _ in range(2)]
            if pages[0].is_ok and pages[0].ids and pages[0].ids == pages[1].ids:
                self._paging.settings[name] = "id"
                self._paging.is_stable = True
                self._base = pages[0]
                self._paging.facts.append(
                    Fact("order", f"{name}=id", "the same page twice, in the same order")
                )
                return

    def _ask(self, settings: Settings) -> Page:
        return self._explorer.ask({**self._paging.settings, **settings})

    def _find_size(self) -> None:
        """Look for the parameter of the page size: with it, fewer records come."""
        count = len(self._base.rows)
        if count < 4:
            return
        small = 10 if count > 30 else max(3, count // 3)
        if small == count:
            small -= 1

        def is_smaller(page: Page) -> bool:
            return page.is_ok and len(page.rows) == small

        names = self._places(SIZES, self._hints.sizes)
        name = self._search(names, lambda _: small, is_smaller)
        if name:
            self._paging.size_param = name
            self._paging.size = small
            self._paging.settings[name] = small
            self._base = self._ask({})

    def _places(self, usual: Sequence[str], hinted: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return where a parameter may be: what was given or shown, and the usual names."""
        given = self._explorer.given
        known = [
            n for n, value in given.params.items() if n in usual and parse_count(value) is not None
        ]
        paths = [f"{BODY}{path}" for path in (*_paths_of(given.body), *_variables(given.body))]
        known += [path for path in paths if _plain(path) in map(_plain, usual)]
        hinted = [*dict.fromkeys([*hinted, *(n for n in given.known_params if n in usual)])]
        rest = [name for name in usual if name not in {*hinted, *given.params}]
        return [*known, *(name for name in hinted if name not in given.params)], rest

    def _search(
        self,
        names: tuple[Sequence[str], Sequence[str]],
        value: Callable[[str], Any],
        is_effect: Callable[[Page], bool],
    ) -> str | None:
        """Return the first name of a parameter that has an effect.

        What was given or shown is tried by itself; the usual names all at once and then by halves,
        where the API ignores unknown names, or else one by one.
        """
        known, usual = names
        for name in known:
            if is_effect(self._ask({name: value(name)})):
                return name
        if self._paging.is_strict or self._explorer.given.method != "GET":
            tried = usual[:MAX_SINGLE] if self._explorer.given.method == "GET" else ()
            return next((n for n in tried if is_effect(self._ask({n: value(n)}))), None)
        group = list(usual)
        if not is_effect(self._ask({name: value(name) for name in group})):
            return None
        while len(group) > 1:
            cut = _halfway(len(group))
            half = group[:cut]
            group = half if is_effect(self._ask({n: value(n) for n in half})) else group[cut:]
        return group[0] if is_effect(self._ask({group[0]: value(group[0])})) else None

    def _pointers(self, page: Page) -> list[Pointer]:
        response = page.response.response
        if response is None or not page.is_ok:
            return []
        return find_pointers(response, page.response.document)[:MAX_POINTERS]

    def _try_pointers(self) -> None:
        for pointer in self._pointers(self._base):
            where = f"`{pointer.path}`"
            if pointer.kind == "header_link":
                self._try("header_link", "the header `Link` leads to page 2 and to page 3")
            elif pointer.kind == "json_link":
                config = {"type": "json_link", "next_url_path": pointer.path}
                self._try(config, f"the link at {where} leads to page 2 and to page 3")
            elif name := self._find_cursor_param(pointer):
                self._try(
                    self._cursor_config(pointer, name), f"{where}, sent as `{name}`, leads on"
                )
            if self._paging.paginator is not None:
                return

    def _try_first_cursor(self) -> None:
        """Send `*`, with which some APIs are asked for a cursor, and see whether one comes."""
        names = self._places(CURSORS[:8], [name for name in CURSORS if name in self._hints.cursors])

        def shows_pointer(page: Page) -> bool:
            return page.is_ok and page.ids == self._base.ids and bool(self._pointers(page))

        if self._pointers(self._base) or not (
            name := self._search(names, lambda _: "*", shows_pointer)
        ):
            return
        self._paging.settings[name] = "*"
        self._base = self._ask({})
        self._try_pointers()

    def _find_cursor_param(self, pointer: Pointer) -> str | None:
        names = cursor_names(pointer.path)
        given = self._explorer.given
        paths = [f"{BODY}{path}" for path in (*_paths_of(given.body), *_variables(given.body))]
        known = [name for name in (*given.params, *paths) if _plain(name) in map(_plain, names)]
        known += [
            n
            for n in (*self._hints.pages, *self._hints.offsets)
            if pointer.kind == "cursor" and isinstance(pointer.value, int)
        ]
        known += names[:2] if given.method == "GET" else []
        rest = [name for name in names if name not in known]

        def leads_on(page: Page) -> bool:
            if page.is_ok and not page.ids:  # an empty page in mid-list leads on, too
                return any(one.value != pointer.value for one in self._pointers(page))
            return page.is_ok and compare(self._base.ids, page.ids) == "fresh"

        return self._search(([*dict.fromkeys(known)], rest), lambda _: pointer.value, leads_on)

    def _cursor_config(self, pointer: Pointer, name: str) -> dict[str, Any]:
        if pointer.kind == "header_cursor":
            return {"type": "header_cursor", "cursor_key": pointer.path, "cursor_param": name}
        place = {"cursor_param": name}
        if name.startswith(BODY):
            place = {"cursor_body_path": name.removeprefix(BODY)}
        more = _find_has_more(self._base.response.document)
        return {"type": "cursor", "cursor_path": pointer.path, **place} | (
            {"has_more_path": more} if more else {}
        )

    def _try_numbers(self) -> None:
        """Try page numbers and offsets: what does the number 2 change?"""
        base = self._base.ids

        def effect(page: Page) -> str:
            return compare(base, page.ids) if page.is_ok else "refused"

        def counts(page: Page) -> bool:
            return effect(page) in ("fresh", "empty") or effect(page).startswith("shifted")

        known_pages, pages = self._places(PAGES, self._hints.pages)
        known_offsets, offsets = self._places(OFFSETS, self._hints.offsets)
        for names in ((known_pages + known_offsets, ()), ((), pages), ((), offsets)):
            name = self._search(names, lambda _: 2, counts)
            if name and self._try_number(name, effect(self._ask({name: 2}))):
                return

    def _try_number(self, name: str, effect: str) -> bool:
        """Try a parameter that the number 2 showed to count pages or rows."""
        if effect.startswith("shifted"):
            is_first = effect == "shifted 1" and compare(self._base.ids, self._ask({name: 1}).ids)
            base = 1 if is_first == "same" else 0
            config = self._offset_config(name, base)
            return self._try(config, f"`{name}` counts rows: the last of page 1 comes again")
        one = self._ask({name: 1})
        base = 1 if compare(self._base.ids, one.ids) == "same" else 0
        place = {"page_param": name}
        if name.startswith(BODY):
            place = {"page_body_path": name.removeprefix(BODY)}
        config = {"type": "page_number", "base_page": base, **place}
        evidence = f"`{name}` counts pages from {base}: pages 2 and 3 have other records"
        if effect == "empty":  # the list has one page
            self._paging.paginator, self._paging.evidence = (
                config,
                f"behind page 1, `{name}` is empty",
            )
            return True
        return self._try(config, evidence)

    def _offset_config(self, name: str, base: int) -> dict[str, Any]:
        paging = self._paging
        size = paging.size_param
        limit = paging.size or len(self._base.rows)
        config: dict[str, Any] = {"type": "offset", "limit": limit}
        if name.startswith(BODY):
            limit_path = size.removeprefix(BODY) if size else f"{name.removeprefix(BODY)}_limit"
            config |= {"offset_body_path": name.removeprefix(BODY), "limit_body_path": limit_path}
        else:
            config |= {"offset_param": name} | ({"limit_param": size} if size else {})
        return config | ({"offset": base} if base else {})

    def _try_last_id(self) -> None:
        """Try the id of the last record as the cursor."""
        base, explorer = self._base, self._explorer
        last = explorer.last_id(base)
        if last is None or not explorer.id_path:
            return

        def leads_on(page: Page) -> bool:
            return page.is_ok and compare(base.ids, page.ids) == "fresh"

        names = self._places(LAST_IDS, ())
        name = self._search(names, lambda _: last, leads_on)
        if name and ".*" not in explorer.selector:
            rows = explorer.selector.replace("[*]", "[-1]")
            rows = (
                rows
                if explorer.selector.endswith("[*]") or rows != explorer.selector
                else f"{rows}[-1]"
            )
            path = f"{rows}.{explorer.id_path}"
            config = {"type": "cursor", "cursor_path": path, "cursor_param": name}
            more = _find_has_more(base.response.document)
            config |= {"has_more_path": more} if more else {}
            self._try(config, f"the last record's id, sent as `{name}`, leads on")

    def _try(self, config: Any, evidence: str) -> bool:
        tried = replace(self._paging, paginator=config)
        if not is_believed(self._explorer.walk(config, tried.sent_settings, PAGES_TO_BELIEVE)):
            return False
        self._paging.paginator, self._paging.evidence = config, evidence
        return True

    def find_largest_size(self) -> None:
        """Ask for larger pages, and keep the largest that the API really sends."""
        paging = self._paging
        name = paging.size_param
        if not name:
            return
        best, asked_best = len(self._first.rows), None
        tried: set[int] = set()
        sizes = [*LARGE_SIZES]
        while sizes:
            asked = sizes.pop(0)
            if asked in tried:
                continue
            tried.add(asked)
            page = self._ask({name: asked})
            if not page.is_ok:
                said = (
                    re.findall(r"\d+", error_text(page.response.response))
                    if page.response.response is not None
                    else []
                )
                sizes = [*(int(n) for n in said if 10 <= int(n) < asked), *sizes]
                continue
            got = len(page.rows)
            if got > best or asked_best is None:
                is_cut = bool(self._pointers(page)) or (page.total or 0) > got or got in USUAL_SIZES
                best, asked_best = got, got if is_cut and got else _size_for(got)
            if got > len(self._first.rows) or got >= asked:
                break
        if asked_best:
            paging.size = asked_best
            paging.settings[name] = asked_best
            evidence = f"asked for more, {best} came" if best < asked_best else f"{best} came"
            paging.facts.append(Fact("page size", f"{name}={asked_best}", evidence))
        if paging.kind == "offset":
            paging.paginator["limit"] = paging.size


def _size_for(count: int) -> int:
    """Return the page size of a list that came whole: it has two pages, if it is long enough."""
    return next((size for size in (500, 200, 100) if size < count), 100)


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


def _variables(body: Any) -> list[str]:
    """Return the paths of the variables that a GraphQL query declares."""
    query = body.get("query") if isinstance(body, Mapping) else None
    declared = re.findall(r"\$(\w+)\s*:", query) if isinstance(query, str) else []
    return [f"variables.{name}" for name in declared]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.rpartition(".")[2].lower())


def _find_has_more(document: Any) -> str | None:
    """Return the path of the flag that says whether more pages follow."""
    for names, value in members_outside_records(document):
        if value is True and re.search(r"more|has_?next", names[-1], re.IGNORECASE):
            return ".".join(names)
    return None
