"""Find the paginator of a list by experiments: nothing is believed that its pages do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import plain_name
from event_assets.probe import paging_candidates as candidates
from event_assets.probe.client import BODY
from event_assets.probe.page import Page
from event_assets.probe.paging import PAGES_TO_BELIEVE, Paging, find_shift, is_believed, read_pages
from event_assets.probe.parameter_search import MIN_ROWS, ParameterSearch, find_size
from event_assets.probe.report import describe_settings
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import build_getter

FIRST_CURSOR = "*"  # with which some APIs are asked for a cursor
MAX_CURSORS = 8
OWN_NAMES = 4  # of a cursor, by its path
AS_SAID = "as it was said"
LINKS = ("header_link", "json_link")
WITHOUT_NAMES = ("single_page", "auto")
PROBED = 2  # the number of a page or row that is asked for


def find_paging(search: ParameterSearch, said: Any = None) -> Paging:
    """Return how a list is paged.

    What was said of the paginator, perhaps not all of it, outranks what is found.

    Raises:
        ConfigError: the API disproves what was said.
    """
    paging = search.paging
    config = {"type": said} if isinstance(said, str) else dict(said or {})
    ends = {"_param": "", "_body_path": BODY}  # of the settings that name a parameter
    for name, value in config.items():
        for end, place in ends.items():
            if name.endswith(end) and value is not None:
                config[name] = str(value)  # such as `2`
                search.said.append(f"{place}{value}")
    search.check_control()
    if not paging.is_stable:
        search.find_order()
    find_size(search)
    kind = config.get("type")
    if kind == "offset":
        config = _offset_config(search, config.get("offset_param", "offset"), 0) | config
    is_whole = kind and (kind != "page_number" or "base_page" in config)
    if (is_whole and _try(search, config, AS_SAID)) or kind in WITHOUT_NAMES:
        return paging
    find_paginator(search)
    found = {"type": paging.kind} if isinstance(paging.paginator, str) else paging.paginator
    if found and kind in (None, found["type"]):
        paging.paginator = found | config
    elif found:
        raise ConfigError(f"The paginator is no `{kind}`: {paging.evidence}.")
    elif kind:
        walk = read_pages(search.client, config, paging.settings, PAGES_TO_BELIEVE)
        if paging.size_param and walk.is_done and len(walk.ids) < len(search.first.ids):
            raise ConfigError(
                f"The paginator `{describe_settings(config)}` ends after {len(walk.ids)} of "
                f"{len(search.first.ids)} records, on pages of {paging.size}: correct its paths "
                "and parameters."
            )
        paging.keep(config, AS_SAID)
    return paging


def find_paginator(search: ParameterSearch) -> None:
    """Look for the paginator: links and cursors, numbers, the last id, a first cursor."""
    paging, pointers = search.paging, candidates.find_pointers(search.base)
    ways = [_try_pointers, _try_numbers, _try_last_id, _try_first_cursor]
    rows = len(search.base.rows)
    if any("offset" in one.path.lower() and parse_count(one.value) == rows for one in pointers):
        ways[:2] = _try_numbers, _try_pointers  # an offset needs no pointer, which may never end
    if not pointers and candidates.shows_null_cursor(search.base):
        ways.insert(1, ways.pop())  # it may be told to those who send one
    for find in ways:
        if paging.paginator is None and (paging.is_stable or pointers):
            find(search)
    for pointer in pointers:
        if paging.paginator is None and pointer.kind in LINKS:
            _try_link_behind_all(search, pointer)


def _try(search: ParameterSearch, config: Any, evidence: str) -> bool:
    """Keep a paginator if its pages 2 and 3 bring other records."""
    tried = replace(search.paging)
    tried.keep(config, evidence)
    if is_believed(read_pages(search.client, config, tried.settings, PAGES_TO_BELIEVE)):
        search.paging.keep(config, evidence)
    return search.paging.paginator is not None


def _try_pointers(search: ParameterSearch) -> None:
    for pointer in candidates.find_pointers(search.base):
        if search.paging.paginator is None:
            _try_pointer(search, pointer)


def _try_link_behind_all(search: ParameterSearch, pointer: candidates.Pointer) -> None:
    """Keep a link that leads to no more records, as that of a list of one page may."""
    config, where = _follow_link(pointer)
    walk = read_pages(search.client, config, search.paging.settings, PAGES_TO_BELIEVE)
    is_end = walk.is_done or walk.pages[1:]
    if is_end and not (walk.error or any(walk.pages[1:])):
        search.paging.keep(config, f"{where} leads to no more records")


def _follow_link(pointer: candidates.Pointer) -> tuple[Any, str]:
    """Return the paginator that follows a link, and what to call the link."""
    if pointer.kind == "header_link":
        return "header_link", "the header `Link`"
    return {"type": "json_link", "next_url_path": pointer.path}, f"the link at `{pointer.path}`"


def _try_pointer(search: ParameterSearch, pointer: candidates.Pointer) -> None:
    where, leads_on = f"`{pointer.path}`", "leads to page 2 and to page 3"
    if pointer.kind in LINKS:
        config, where = _follow_link(pointer)
        _try(search, config, f"{where} {leads_on}")
    elif name := _find_cursor_param(search, pointer):
        config = {"type": "cursor", "cursor_path": pointer.path, **_place("cursor", name)}
        if pointer.kind == "header_cursor":
            config = {"type": "header_cursor", "cursor_key": pointer.path, "cursor_param": name}
        _try(search, config, f"{where}, sent as `{name.removeprefix(BODY)}`, {leads_on}")


def _find_cursor_param(search: ParameterSearch, pointer: candidates.Pointer) -> str | None:
    given, names = search.client.given, pointer.names or candidates.cursor_names(pointer.path)
    if isinstance(pointer.value, int) and not pointer.names:  # more likely a number of a page
        names = [*dict.fromkeys([*names[:OWN_NAMES], *candidates.PAGES, *candidates.OFFSETS])]
    if isinstance(pointer.value, list):
        names = [f"{name}[]" for name in names]
    known, rest = search.places(names)
    sent = [name for name in given.params if plain_name(name) in map(plain_name, names)]
    own = names[:2] if given.method == "GET" and not pointer.names else []
    tried = [*dict.fromkeys([*sent, *known, *own])]

    def leads_on(page: Page) -> bool:
        if page.is_ok and not page.ids:  # an empty page in mid-list leads on, too
            return any(one.value != pointer.value for one in candidates.find_pointers(page))
        shift = find_shift(search.base.ids, page.ids) or 0 if page.is_ok else 0
        return shift > 0 and shift >= len(search.base.ids) - 1  # perhaps with the last again

    rest = [name for name in rest if name not in tried]
    return search.search((tried, rest), pointer.value, leads_on)


def _place(what: str, name: str) -> dict[str, str]:
    """Return the setting of a paginator that says where a parameter is sent."""
    if name.startswith(BODY):
        return {f"{what}_body_path": name.removeprefix(BODY)}
    return {f"{what}_param": name}


def _try_numbers(search: ParameterSearch) -> None:
    """Try page numbers and offsets: what does the number 2 change?"""

    def counts(page: Page) -> bool:
        is_empty = not (page.ids or page.problem or search.is_emptied)
        return page.is_ok and (is_empty or bool(find_shift(search.base.ids, page.ids)))

    known_pages, pages = search.places(candidates.PAGES)
    known_offsets, offsets = search.places(candidates.OFFSETS)
    sizes = (search.paging.size_param, *search.client.given.params)
    partners = [candidates.PARTNERS[name] for name in sizes if name in candidates.PARTNERS]
    known_cursors, _ = search.places((candidates.CURSORS[0],))  # which some count rows by
    known = [*dict.fromkeys([*partners, *known_pages, *known_offsets, *known_cursors])]
    nothing: list[str] = []
    for names in ((known, nothing), (nothing, pages), (nothing, offsets)):
        name = search.search(names, PROBED, counts)
        if name and _try_number(search, name, search.ask({name: PROBED})):
            return


def _try_number(search: ParameterSearch, name: str, page: Page) -> bool:
    """Try a parameter that page 2, requested by it, showed to count pages or rows."""
    paging, shown, ids = search.paging, name.removeprefix(BODY), search.base.ids
    # of pages of one row, the number of a page is that of a row
    whole = {str(paging.size_param): len(search.first.ids)} if paging.size == 1 else {}
    second = search.ask({name: 1, **whole}).ids
    is_first = second == (search.first.ids if whole else ids)
    shift = find_shift(ids, page.ids)
    if page.ids and shift and shift < len(ids):
        config = _offset_config(search, name, int(is_first and shift == 1))
        return _try(search, config, f"`{shown}` counts rows: the last of page 1 comes again")
    config = {"type": "page_number", "base_page": int(is_first), **_place("page", name)}
    is_unknown = len(ids) == 1 and not whole
    is_told = second or is_unknown  # that it counts rows, or it is not known
    if is_told and len(ids) <= PROBED and candidates.is_named(shown, candidates.OFFSETS):
        config = _offset_config(search, name, int(is_first))
    if not page.ids:  # the list has one page
        paging.keep(config, f"behind page 1, `{shown}` brings no records")
        return True
    evidence = f"`{shown}` counts pages from {int(is_first)}: pages 2 and 3 have other records"
    return _try(search, config, evidence)


def _offset_config(search: ParameterSearch, name: str, base: int) -> dict[str, Any]:
    paging, given, count = search.paging, search.client.given.params, len(search.base.rows)
    is_short = count < MIN_ROWS  # where it is unknown whether a size that was given has an effect
    named = (one for one in given if is_short and candidates.is_named(one, candidates.SIZES))
    size = paging.size_param or next(named, None)
    limit = paging.size or parse_count(given.get(size or "")) or max(2, count)
    config: dict[str, Any] = {"type": "offset", "limit": limit, **_place("offset", name)}
    if size:
        config |= _place("limit", size)
    elif name.startswith(BODY):
        config["limit_body_path"] = f"{name.removeprefix(BODY)}_limit"
    return config | ({"offset": base} if base else {})


def _try_last_id(search: ParameterSearch) -> None:
    client, rows = search.client, search.base.rows
    last = build_getter(client.id_path or "id")(rows[-1:])[0] if rows else None
    if last is not None and ".*" not in client.selector:
        many = "[*]" in client.selector
        at = client.selector.replace("[*]", "[-1]") if many else f"{client.selector}[-1]"
        path = f"{at}.{client.id_path}"
        for names in (candidates.LAST_IDS, candidates.OLDER_IDS):
            if search.paging.paginator is None:
                _try_pointer(search, candidates.Pointer("cursor", path, last, names))


def _try_first_cursor(search: ParameterSearch) -> None:
    """Send `*`, with which some APIs are asked for a cursor, and see whether one comes."""
    if candidates.find_pointers(search.base):
        return

    def shows_pointer(page: Page) -> bool:
        return page.is_ok and page.ids == search.base.ids and bool(candidates.find_pointers(page))

    names = search.places(candidates.CURSORS[:MAX_CURSORS])
    if name := search.search(names, FIRST_CURSOR, shows_pointer):
        search.paging.settings[name] = FIRST_CURSOR
        search.base = search.ask({})
        _try_pointers(search)
