"""What a response says of further pages: links, cursors, and the names of parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from event_assets.pagination.totals import parse_count
from event_assets.pagination.vocabulary import leads_on, names_next, names_pointer, plain_name
from event_assets.probe.field_words import listed
from event_assets.probe.page import Page
from event_assets.probe.records_finder import join_path

# Names of parameters in their usual order, by what they say.
SIZES = listed(
    "limit per_page pageSize page_size size perPage count pagesize maxResults max_results "
    "page[size] page[limit] rows $top take top first _limit num pp results_per_page "
    "itemsPerPage n per-page hitsPerPage resultRecordCount $limit maxItems maxResultCount "
    "maximumRecords maxrows max rpp ps lim anzahl aantal limit_page_length numOfRows "
    "options[limit] sysparm_limit length rowCount posts_per_page pagelen"
)
PAGES = listed(
    "page p pageNumber page_number page[number] pageNo pageIndex pg page_no page_index "
    "pagenum page_num currentPage current_page paged pageNum cp pi seite pagina pageoffset "
    "startPage"
)
OFFSETS = listed(
    "offset skip start from startIndex start_index $skip page[offset] startAt "
    "start_at firstResult first_result startRow begin index resultOffset $offset startRecord "
    "skipCount ofs limit_start options[offset] sysparm_offset"
)
# By the name of the page size: what nearly all APIs with that name count by.
PARTNERS = {
    "$top": "$skip",
    "$limit": "$offset",
    "page[size]": "page[number]",
    "page[limit]": "page[offset]",
    "per_page": "page",
    "perPage": "page",
    "take": "skip",
    "limit_page_length": "limit_start",
    "options[limit]": "options[offset]",
    "sysparm_limit": "sysparm_offset",
    "resultRecordCount": "resultOffset",
    "maxResultCount": "skipCount",
}
FIRST_PAGE = {  # of page 1, by the names of parameters that an API may demand
    **dict.fromkeys(SIZES, 50),
    **dict.fromkeys(OFFSETS, 0),
    **dict.fromkeys(PAGES, 1),
}
LAST_IDS = listed(
    "starting_after after_id last_id since_id after id_after from_id lastId afterId sinceId "
    "min_id id_gt start_after startAfter"
)
OLDER_IDS = listed(  # of lists that begin with the newest
    "before max_id before_id until_id end_before older_than beforeId maxId endBefore olderThan"
)
CURSORS = listed(
    "cursor after page_token pageToken next_token nextToken token next continuation "
    "continuationToken continuation_token page next_cursor marker nextCursor page[cursor] "
    "page[after] bookmark scroll_id scrollId offset starting_after pagination_token "
    "pagination_cursor start_cursor from start nextPageToken next_page_token endCursor "
    "end_cursor after_cursor"
)
DIALECTS = {"x-soda2-fields": ("$limit", "$offset")}  # names of parameters by a header: Socrata
OBJECTS = ("page", "pages", "paging", "pagination")  # that parameters are named after, too
KINDS = ("header_link", "json_link", "cursor", "header_cursor")  # of pointers, the surest first
MAX_LENGTH, MAX_POINTERS = 4000, 4
ORDERS = ("sort", "order", "order_by", "orderBy", "sort_by", "sortBy")


class Pointer(NamedTuple):
    """What may lead to the next page."""

    kind: str  # of the paginator, one of `KINDS`
    path: str  # in the response, or the name of its header
    value: Any
    names: Sequence[str] = ()  # of the parameters that may take it; none: they are like its own


def is_named(name: str, usual: Sequence[str]) -> bool:
    """Return whether a parameter has a usual name: `Page`, `_page` and `pagination[page]` do."""
    own, *others = (plain_name(re.sub(r"[\[\]]+", ".", one).strip(".")) for one in (name, *usual))
    return own in others


def find_pointers(page: Page) -> list[Pointer]:
    """Return what may lead to the next page: links first, then cursors."""
    response, document = page.response, page.document
    if response is None or not page.is_ok:
        return []
    found: list[Pointer] = []
    if url := response.links.get("next", {}).get("url"):
        found.append(Pointer("header_link", "Link", url))
    for names, path, value in _members_outside_records(document):
        named, is_text = ".".join(names), isinstance(value, str)
        if (leads_on(named, value) or _is_key(names[-1], value)) and len(str(value)) < MAX_LENGTH:
            kind = "json_link" if is_text and re.match(r"https?://|/|\?", value) else "cursor"
            found.append(Pointer(kind, path, value))
    for header, value in response.headers.items():
        if (names_next(header) or names_pointer(header)) and value:
            found.append(Pointer("header_cursor", header, value))
    return sorted(found, key=lambda one: KINDS.index(one.kind))[:MAX_POINTERS]


def shows_null_cursor(page: Page) -> bool:
    """Return whether a response has a place for a cursor, and none in it."""
    members = _members_outside_records(page.document)
    return any(value is None and names_pointer(names[-1]) for names, _, value in members)


def _is_key(name: str, value: Any) -> bool:
    """Return whether a member is a cursor of numbers: no sign of more, but worth a try."""
    is_number = isinstance(value, str) and value.isdecimal() and name != "offset"
    is_key = is_number or (isinstance(value, list) and bool(value))  # of several parts
    is_last = type(value) in (int, str) and bool(value) and is_named(name, LAST_IDS)
    return is_last or (is_key and names_pointer(name))


def _members_outside_records(
    value: Any, names: tuple[str, ...] = (), path: str = ""
) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield the members of a document that are no objects, with their names and JSON path.

    A link in a list is found by its relation: `links[?(@.rel=='next')].href`.
    """
    if isinstance(value, Mapping):
        for name, member in value.items():
            inner = f"{path}.{join_path([str(name)])}".lstrip(".")
            yield from _members_outside_records(member, (*names, str(name)), inner)
        return
    objects = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    for relation in ("rel", "relation"):
        for link in (one for one in objects if isinstance(one.get(relation), str)):
            inner = f"{path}[?(@.{relation}=='{link[relation]}')]"
            target = {name: one for name, one in link.items() if name != relation}
            yield from _members_outside_records(target, (*names, link[relation]), inner)
    if names and not objects:
        yield names, path if names[1:] else names[0], value  # at the top, as it is


def cursor_names(path: str) -> list[str]:
    """Return the names of the parameter that may take a cursor, by its own name first."""
    names = re.findall(r"[\w\[\]$@-]+", path)
    last = names[-1] if names else path
    short = re.sub(r"^(@odata\.)?(x-(ms-)?)?((next|end)[_-]?)?", "", last, flags=re.IGNORECASE)
    derived = [last, short[:1].lower() + short[1:], short.lower().replace("-", "_")]
    if last.lower() in ("endcursor", "end_cursor"):
        derived = ["after", "cursor", *derived]
    elif last.lower() == "next" and len(names) > 1:
        derived = ["cursor", "page", *derived]
    elif short.lower() in ("cursor", "token") and last != short:
        derived = [derived[1], last, *derived[2:], f"start_{short}", f"pagination_{short}"]
    if not {*derived} & {*CURSORS}:  # of a header, whose name has no capitals: as it is usual
        derived[:0] = [name for name in CURSORS if plain_name(name) == plain_name(short)]
    return [*dict.fromkeys(name for name in (*derived, *CURSORS) if name)]


def find_hints(page: Page) -> dict[str, str]:
    """Return the names that links and echoes in a response show, by the parameters they may be.

    What is echoed in an object may be sent by a name with brackets: `pagination[page]`. An echo
    that is not the length of the page is no size.
    """
    members = [*_members_outside_records(page.document)]
    links = [value for *_, value in members if isinstance(value, str) and "?" in value]
    if page.response is not None:
        links += [link["url"] for link in page.response.links.values()]
    queries = [url.partition("?")[2].partition("#")[0] for url in links]  # of texts that are no URL
    shown = [name for query in queries for name, _ in parse_qsl(query)]
    headers = () if page.response is None else page.response.headers
    shown += [name for header in headers for name in DIALECTS.get(header.lower(), ())]
    echoed = [
        names
        for names, _, value in members
        if names[-1] not in SIZES or parse_count(value) in (len(page.rows), None)
    ]
    found = {name: name for name in (*shown, *(names[-1] for names in echoed))}
    inner = (names[-2:] for names in echoed if names[1:] and names[-2].lower() in OBJECTS)
    return found | {f"{outer}[{name}]": name for outer, name in inner}
