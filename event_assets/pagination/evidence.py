"""What proves that a list was read completely, and the verdict that follows from the facts."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from event_assets.pagination.facts import ListFacts
from event_assets.pagination.result import PaginationResult
from event_assets.pagination.vocabulary import names_limit
from event_assets.values.wording import counted


class Evidence(NamedTuple):
    """A kind of evidence: for completeness (True), against it (False), or none (None)."""

    name: str
    complete: bool | None
    sentence: str  # for the user; `sentence_values` returns what its braces stand for


def _read_table(text: str) -> tuple[Evidence, ...]:
    """Read rows of a name, what `complete` says, and a sentence, which goes on where indented."""
    complete = {"pass": True, "WARN": None, "ERROR": False}
    rows = (row.split(" | ") for row in re.sub(r"\n +", " ", text).strip().splitlines())
    return tuple(Evidence(name, complete[said], sentence) for name, said, sentence in rows)


# The first that holds decides: as `find_conditions` says, or because paging ended with it.
TABLE: Final = _read_table("""
unfinished | ERROR | The sync did not finish.
truncated | ERROR | {received}, but the API says that this is a part ({truncated}): request fewer
    rows, or set `windows`.
ignored parameter | ERROR | The server sends the same {size:,} rows for every page, though it
    promises more: it ignores the parameter '{parameter}'; correct its name in the
    `paginator`.{way_out}
same page | WARN | {received}; the API sends the same {size:,} rows for every page: they are all, or
    it ignores the parameter '{parameter}'. Set `paginator: single_page` if the API has no pages.
begins late | ERROR | {received}, but the first response says that a page comes before it
    (`{last.before}`): correct the paginator's `base_page` or `offset`.
page before | ERROR | {received}, but the page before the first one ('{parameter}' {page}) has
    others: correct the paginator's `base_page` or `offset`.
last page empty | WARN | {received}, but the last of the pages that the API reports is empty: check
    the paginator's `base_page`.
unsure total | WARN | {received}, but the API may have more.{way_out}
doubtful total | WARN | {received} and no others, but the API reports {totals} rows, which leaves
    open whether more follow: if they count something else, set `total_path: null`.
empty pages | ERROR | {empty} consecutive pages are empty, but the API says that more
    follow.{way_out}
too fast | ERROR | The list changes faster than it can be read: the last {idle:,} of {pages:,} pages
    had no new rows. If '{parameter}' counts pages, use `page_number` with that `page_param`.
counts pages | ERROR | {received}, but pages are empty or lack the row that is at their
    '{parameter}': if it counts pages, use `page_number` with `page_param: {parameter}`.
counts rows | ERROR | {received}, but each page begins with the second row of the page before: if
    '{parameter}' counts rows, use `offset` with `offset_param: {parameter}`.
rows missing | ERROR | Rows are missing: the list has {length:,} rows, but {distinct:,} distinct ids
    were received in {passes} readings. Set a sort parameter, if the order is not stable.
size of the list | WARN | {received} in several pages, as many as one was asked for: the parameter
    may limit the whole list.
limit | WARN | {received}; stopped at {maximum}.
usual depth | WARN | {received}, the number at which many APIs cut off lists and their totals: read
    the list in `windows` of time.
total reached | pass | {all_rows}, as the API reports{standing}.
error beside rows | WARN | {received}, but what came beside some of them says that others may be
    missing.{error}
ignored response | WARN | {received}; paging stopped at a response that response_actions ignore.
total not reached | ERROR | The API reports {least} rows but sent {distinct:,}.{hint}{way_out}
has_more is true | ERROR | {received}, but the API says that more follow
    (`{flag}`).{hint}{way_out}
to and fro | WARN | {received}, but the total that the API reports goes to and fro, as if several
    servers answered, of which some are behind: missed rows cannot be ruled out.
repeated ids | WARN | {received}, but the list has {rows_read:,}: several share an id, have none and
    are equal, or come on several pages. Check the `primary_key`, or {way_on}.
ties | WARN | {received}, but several share the `{tie}` by which a page leads on, and the next page
    does not begin with it: others may be missing. Ask for larger pages, or for another order.
has_more is false | pass | {all_rows}, as the API says that no more follow{standing}.
same pointer | ERROR | The API returned the same cursor or link to the next page twice, with no new
    rows: check {pointer_settings}.
unclear end | WARN | {received}, then an empty page whose words may be about an error or a
    limit.{said}
unfollowed | ERROR | {received}, but {unfollowed} in the response leads to more, and the paginator
    does not follow it{missing_path}: correct the `paginator` in defs.yaml.{way_out}
lower bound | WARN | {received}, and the API reports {least}, so that it may have more: read the
    list in `windows` of time.{hint}
pages of one row | WARN | {received}, one row per page: such pages do not overlap, so missed rows
    cannot be detected. Set a larger limit.
unstable order | WARN | {received}, but the order is not stable: rows were repeated in another
    order. Set a sort parameter.
lap | WARN | {received}; then only rows that had come before: the API wraps round behind its end, or
    pages overlap: {way_on}.
depth | WARN | {received}; the API refused the next page or sent the last one again, which may be
    its limit: read a longer list in `windows` of time. If these are all, ask for pages of another
    size.{said}
changed | WARN | {received} in {passes} readings, no two of which agree on all: the list changes
    while it is read, so that missed rows cannot be ruled out.
empty list | pass | The list is empty.
no pointer | WARN | {received}; {setting} was not found in any response, so whether more follow is
    not known. If it is right, ask for smaller pages in `params`: the first of them leads on.
full page | WARN | {received} in one page, as many as a page has; nothing shows that no more follow.
    Ask for smaller pages in `params`, if the API has a parameter for their size.
no paginator | WARN | {received} in one page: no `paginator` is set, and none was detected. Set it,
    or `single_page` if the API has no pages.
short page | pass | {all_rows}.
smaller pages | WARN | {received} in pages of {largest}, but more were asked for: ask for {largest},
    or rows between the pages may be missing.
pointer ended | pass | {all_rows}.
readings agree | pass | {all_rows}, the same in two readings.
page behind | pass | {all_rows}.
page repeated | pass | {all_rows} (a page was repeated behind the last one).
window incomplete | ERROR | {received} in {windows}. {problem}.
window unverified | WARN | {received} in {windows}. {problem}.
round window | WARN | {received} in {windows}, of which one has exactly {fullest:,}, where the API
    may cut lists off: set `cap: {fullest}`.
outside windows | WARN | {received} in {windows}, but the API reports {reported:,} in all: a window
    came empty, or rows without a time, outside `since` and `until`, or longer than a window are in
    none.
windows without total | WARN | {received} in {windows}; without a total, rows without a time cannot
    be ruled out. Set `since` and `until` to the range you need.
empty windows | WARN | No row was received in {windows}: check that `{param_from}` is the start of a
    window and `{param_to}` its end, and `since`, `until` and `format`.
windows | pass | {all_rows}, in {windows}.
lists ignored | WARN | None of {lists} was read: response_actions ignored every response. Check the
    endpoint's path.
list incomplete | ERROR | {received}; {doubted:,} of {lists} may be incomplete: {problem}
list unverified | WARN | {received}; {doubted:,} of {lists} may be incomplete: {problem}
same lists | WARN | {received}, the same in each of {lists}: the API may ignore {parent}.
lists | pass | {all_rows}, in {lists}.
overlaps | pass | {all_rows}.
""")

# How paging ended where nothing but the pointer, or its absence, says so.
BY_POINTER: Final = ("pointer ended", "no pointer", "single page", "no paginator", "short page")
BY_EMPTY_PAGE: Final = ("page behind", "page repeated")
# How paging ended by itself: a total or has_more may say more of it.
OPEN_ENDS: Final = (*BY_POINTER, *BY_EMPTY_PAGE, "same pointer", "lap", "ignored response")
ENDS: Final = (*OPEN_ENDS, "readings agree", "overlaps")
ONE_PAGE: Final = ("no pointer", "single page")
USUAL_DEPTH: Final = 10_000  # of ElasticSearch and OpenSearch, and so of what is built on them


def find_conditions(facts: ListFacts) -> dict[str, Any]:
    """Return on what each evidence rests; any other holds if paging ended with its name."""
    last, end, reported = facts.last, facts.end, facts.reported
    promise, by_number = _find_promise(facts), facts.settings.asked_by == "page_number"
    is_reached, is_short, is_ended = facts.is_total_reached, facts.is_short_of_total, end in ENDS
    (lowest, highest), is_empty = facts.totals, end == "empty pages"
    is_unsure = not last.is_total_of_list and (facts.is_pointer_found or end not in BY_POINTER)
    is_paged = by_number or (facts.pointers and end == "readings agree")
    is_doubtful = is_paged and facts.distinct < highest and not is_reached
    is_one_way = not facts.pointers or (last.is_backwards and facts.distinct == facts.largest)
    is_agreed = end in ("readings agree", "pointer ended")
    has_size = last.has_usual_size
    is_cut_off = names_limit(facts.said) or names_limit(facts.error)
    return {
        "truncated": facts.truncated,
        "ignored parameter": end == "ignored parameter"
        and (last.pointer or last.has_more or last.unfollowed or last.before or promise),
        "same page": end == "ignored parameter",
        "begins late": facts.settings.asked_by and last.before,
        "last page empty": facts.is_last_page_empty
        and (facts.rows or facts.settings.first_page)
        and not (is_reached or is_short),
        "unsure total": facts.is_short_of_pages or (is_unsure and (is_empty or is_short)),
        "doubtful total": 0 < lowest <= facts.distinct < highest + facts.largest
        and (is_empty or is_doubtful),
        "size of the list": facts.pointers
        and facts.largest < facts.distinct == last.size_asked != facts.least_total,
        "usual depth": facts.distinct == USUAL_DEPTH
        and reported in (None, USUAL_DEPTH)
        and last.has_more is None
        and end in (*BY_EMPTY_PAGE, "readings agree", "overlaps"),
        "total reached": facts.rows and is_reached and end in OPEN_ENDS and not is_cut_off,
        "error beside rows": facts.error and is_ended,
        "total not reached": is_short,
        "has_more is true": last.has_more and is_ended and not is_reached,
        "to and fro": facts.is_to_and_fro and is_ended,
        "repeated ids": facts.distinct < facts.rows_read
        and not is_reached
        and (is_agreed or facts.distinct < (facts.least_total or 0)),
        "ties": facts.tie and is_ended,
        "has_more is false": last.has_more is False
        and end in OPEN_ENDS
        and not is_cut_off
        and (facts.rows or not facts.said),
        "unclear end": facts.said and is_ended,
        "unfollowed": (last.unfollowed or promise)
        and (end in BY_POINTER or not facts.rows)
        and is_one_way,
        "lower bound": facts.rows and last.is_total_of_list and last.at_least == facts.distinct,
        "empty list": not facts.rows and end in (*OPEN_ENDS, "overlaps", "lists"),
        "no pointer": end == "no pointer"
        and not (facts.is_pointer_found or facts.is_only_page)
        and (has_size or last.size_asked is None),
        "full page": end in ONE_PAGE and has_size and not facts.is_only_page,
        "short page": end in (*ONE_PAGE, "short page"),
        "smaller pages": by_number
        and end in (*BY_EMPTY_PAGE, "readings agree")
        and last.size_asked
        and facts.largest < min(facts.distinct, last.size_asked),
    }


def judge(facts: ListFacts) -> PaginationResult:
    """Derive the verdict on a list from the facts: the first evidence of the table that holds."""
    holds = find_conditions(facts)
    found = next(row for row in TABLE if holds.get(row.name, facts.end == row.name))
    reason = found.sentence.format(**sentence_values(facts))
    if facts.settings.total and facts.reported is None and not facts.last.at_least:
        reason += f" No number was found at {facts.settings.total}."
    return PaginationResult(found.complete, reason, facts)


def sentence_values(facts: ListFacts) -> dict[str, Any]:
    """Return what the braces of sentences stand for."""
    last, promise, by = facts.last, _find_promise(facts), facts.settings.pointer
    setting = "" if facts.is_pointer_found else by
    flag = last.flag or "has_more"
    standing = last.unfollowed or (last.has_more and f"`{flag}`") or ""
    standing = "the cursor or link" if last.pointer else standing
    way_out = f" If {promise} counts something else, set `total_path: null`." if promise else ""
    about = f"`{last.flag}`" if last.has_more and last.flag else last.unfollowed
    if about.startswith("`"):
        way_out += f" If {about} says something else, set `has_more_path`, or null there."
    way_on = f"check {by}" if by else "set a sort parameter"
    sent_by = f", and that the API takes the parameter '{facts.settings.parameter}'"
    hint = f" It refused the next page.{facts.said}" if facts.end == "depth" else ""
    if facts.is_last_page_empty:
        hint = " The last page is empty: check the paginator's `base_page`."
    missing_path = setting and f" ({setting} was not found)"
    if facts.end in BY_POINTER and not facts.pointers and last.unfollowed:
        link = f"{last.unfollowed}, which leads to more{missing_path}"
        hint = f" The paginator does not follow {link}: correct it in defs.yaml."
    elif facts.end in BY_POINTER and setting:
        hint = f" Nothing was found at {setting}: correct it in defs.yaml."
    all_rows = f"All {facts.distinct:,} rows were received"
    if facts.distinct == 1:
        all_rows = "The only row was received"
    return {
        **vars(facts),
        **facts.settings._asdict(),
        "received": f"{counted(facts.distinct, 'row')} received",
        "all_rows": all_rows if facts.rows else "The list is empty",
        "least": f"{'at least ' if last.at_least else ''}{facts.promised:,}",
        "totals": " to ".join(f"{total:,}" for total in sorted({*facts.totals})),
        "flag": flag,
        "unfollowed": last.unfollowed or promise,
        "way_out": way_out,
        "way_on": way_on,
        "pointer_settings": f"{by or 'the `paginator`'}{sent_by if 'cursor' in by else ''}",
        "setting": setting or "a link or cursor",
        "missing_path": missing_path,
        "hint": hint,
        "standing": standing and f", though {standing} still leads on",
        **facts.values,
    }


def _find_promise(facts: ListFacts) -> str:
    """Return what the last response promises beyond what came; empty if nothing."""
    if not facts.rows and facts.last.says_list_is_empty:
        return ""  # another total is that of a list from which all is filtered
    pages = -(-facts.distinct // facts.largest) if facts.largest else 1
    rows = pages if facts.end == "empty pages" else max(facts.distinct, facts.rows_read)
    for counts, known in zip(facts.last.counts, (rows, pages), strict=False):
        for path, count in counts.items():
            if count > known:
                return f"`{path}` of {count:,}"
    return ""
