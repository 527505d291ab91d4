"""The names by which responses say how a list goes on: flags, totals, links and cursors."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from event_assets.values.wording import names_rate_limit

# Of plain names, as `plain_name` makes them.
THINGS: Final = (
    r"(rows?|records?|items?|results?|elements?|entries|events?|objects?|hits?|matches|docs?)"
)
LACKING: Final = (  # of which the response lacks the records
    r"(failed|missing|skipped|unavailable|unreachable)"
    r"(sources|shards|providers|partitions|nodes|regions|locations|feeds|calendars)?"
)
MORE: Final = re.compile(
    rf"(has|have|is|are|thereis|thereare|can|canload|load|show)?more({THINGS}|pages|data)?"
    r"(available|coming|inlist|incollection|to(load|come|fetch))?"
    rf"|hasnext(page)?|(has|are)?additional({THINGS}|pages|data)"
)
_LAST: Final = (
    rf"((is|at)?(last|final|end|done|exhausted|eof)(page|batch)?(reached)?|endof(stream|list|data|{THINGS})"
    rf"|nomore({THINGS}|pages|data)?)"
)
_CUT: Final = (  # of this response alone
    r"((is|results?)?(truncated|partial|incomplete|capped|cutoff)(results|search)?"
    r"|exceededtransferlimit|toomanyresults|((row)?limit|max(results)?)(reached|exceeded|hit))"
)
_ALL: Final = (
    rf"((is|results?|list|job)?(completed?|exhaustive)|(is)?finished|all({THINGS})?loaded)"
)
_LEFT: Final = (
    rf"((remaining|left|omitted|more)({THINGS}(count)?|count)|remaining|left|omitted"
    rf"|(num|count|{THINGS})(remaining|left|omitted))"
)
_NEXT_SYNC: Final = r"((next)?(sync|delta)token|deltalink)"
YES, NO = re.compile(r"yes|true|t|y|1"), re.compile(r"no|false|f|n|0")  # the texts that dlt takes
# What a member says, by its plain name and its value.
SIGNS: Final = {
    "more": rf"({MORE.pattern}|{_CUT}): ({YES.pattern})|{_LAST}: false",
    # the start of the next sync comes with the last page only
    "end": rf"({MORE.pattern}): ({NO.pattern})|{_LAST}: true"
    rf"|{_NEXT_SYNC}: (?!(none|false|0)?$).*",
    "cut": rf"{_CUT}: ({YES.pattern})",
    # less sure: it may be about something else
    "promise": rf"toomanytocount: ({YES.pattern})|{_ALL}: false|{_LEFT}: [1-9]\d*",
    # a page comes before this one
    "before": r"(is)?first(page)?: false|has(prev|previous)(page)?: true",
    # a total is a lower bound, or an estimate
    "bound": r".*relation: gte|.*(total|found|count|hits).*exact: false"
    r"|.*(total|count|hits).*(capped|exceeded): true",
    "estimate": r".*(estimat|approx).*: true|.*accuracy: (estimat|approx).*"
    r"|(exhaustive|nbhits)+: false",
    # the response is only a part of what was asked for
    "part": r"(overflow|timedout|partialresults|searchcutoff|(is)?degraded|shardsfailed"
    rf"|{LACKING}(?<=s)(count)?)"
    r": (true|[1-9]\d*)|(\w*status|state|result): (partial\w*|incomplete|degraded)",
}
TOTAL: Final = re.compile(
    rf"(estimated)?i?total(number)?(of|estimated|display)?"
    rf"({THINGS}|size|num|value|all|available|{THINGS}?(count|found|matched|total|size))?"
    rf"|number(of)?({THINGS}|found|matched)|{THINGS}(count|total|found|matched)|(num|nb|n)({THINGS}|found)|(total)?(found|matched)"
    rf"|count(total)?|filter(ed)?(count|total)|(records)?filtered"
    rf"|(full|grand|overall|all)(total|count)|collectionsize"
)
PAGE_COUNT: Final = re.compile(
    r"pages|(total|num|nb|no|number|max|last)(of)?pages?(count|number)?|pages?(count|max|total)"
)
# A total of this name, in such an object, counts the list; one of another name may count others.
SURE: Final = re.compile(
    r"total(count|results|items|elements|records|rows|entries|hits|pages)?|(record|object)count"
    r"|numfound|nhits|count|filter(ed)?(count|total)|(records)?filtered|pagecount|numpages|lastpage"
)
SURE_PARENT: Final = re.compile(
    r"((meta(data)?|\w*(paging|pagination)\w*|page|hits|total|resultspage|odata|x-pagination"
    r"|content-range)\.)*"
)
PAGE_OBJECT: Final = re.compile(
    r".*(paging|paginat|meta).*|page(r|s|able)?|pages?(data|details?)|resultspage|additionaldata"
    r"|links?|cursors?|nav(igation)?|contentrange|odata|envelope|(response)?header|(search)?result(set)?"
    r"|response|search|query|view|totals?|counts?|stats|range|showing|displaying|results"
    r"|(page|list|results?|search|query|response|collection)?(info|summary|context)"
)
SIZE: Final = re.compile(  # of parameters
    r"[a-z]*(page(limit|size)|perpage)|(pagination|paging)?(limit|size)|count|rows"
    r"|max(results|records)|top|first|take|num|pp"
)
_OF_PAGES: Final = (
    r"(page|link|href|ur[il]|cursor|token|offset|skip|from|start|max|key|id|mark(er)?|batch|range"
    r"|records?|results?|set|position|number|index|bookmark|path|state|query|search|time(stamp)?"
    r"|exclusive|seek|checkpoint|anchor|iterator)"
)
NEXT: Final = re.compile(
    rf".*next{_OF_PAGES}+|(link|ur[il]|page|href|results?|offset|cursor|token|start)?next|continue|last(evaluated)?key|searchafter|afterkey"
    r"|weiter|suivante?|fortsetzung|siguiente|seguinte|successiv[ao]|volgende|neste"
)
POINTER: Final = re.compile(
    r"(end|start|after|page|next|scroll|continuation)?(cursor|bookmark|continuation|marker)"
    r"(token|id|url)?|(paging|pagination|continuation|continue|resumption|next|scroll)(token|id)|(page|skip)token"
    r"|resume(token|from)?|(start)?after(url|id)?|(load)?more|older|offset|position|forward(link|url)?|(paging|page)state"
    r"|querylocator"
)
# Of the names of links that lead to more, if they have a number or a query.
MORE_LINK: Final = re.compile(r"(?!.*(info|read|learn|help|doc)).*(next|more|older).*")
LINK: Final = re.compile(r"((https?:/)?/.*)?(\?.+|/\d+/?)")
# Values of no pointer: words, a time with or without its date, an offset from UTC.
NO_TOKEN: Final = re.compile(r"[^\W\d].*\s.*|([\d-]+ )?\d\d?:\d\d(:\d\d)?|[+-]\d\d:?\d\d", re.S)
PREVIOUS: Final = re.compile(r"prev|self|first|last|startcursor|before|current")
NO_POINTER: Final = re.compile(
    r"\s*(#.*|javascript:.*|null|none|nil|n/?a|undefined|false|end|eof|last|done|finished"
    r"|no[-_ ]?more|-1|[0-]+|LTE=)?\s*",
    re.I | re.S,  # LTE= is -1 in base64
)
# In words: that the API shows no more of a list.
LIMIT: Final = re.compile(
    r"\b(max(imum)?|limit(ed|s)?|first \d+|only the first|exceed(s|ed)?|window|deep|narrow|refine"
    r"|beyond(?! the (end|last page))|too (large|many|high)"
    r"|(more|greater|larger|less) than (or equal to )?\d+"
    r"|cursor[- ](based )?pagination|(?<!no )more (results|records|items|events|pages))\b",
    re.IGNORECASE,
)
OF_REQUESTS: Final = re.compile(r"\b(rate|requests|per (second|minute|hour|day))\b", re.IGNORECASE)
cached: Final = lru_cache(1_000)


@cached
def plain_name(path: str) -> str:
    """Return the last name of a path, or that of a header, without case and separators.

    A name that says nothing alone has that of its object before it: `totalvalue`, `pagemax`.
    """
    parent, _, name = path.lower().rpartition(".")
    if name in ("all", "failed", "max", "value"):
        name = parent.rpartition(".")[2] + name
    return re.sub(
        r"[^a-z]", "", re.sub(r"^(x-)?(pagination-|paging-|list-|wp-|ms-)?|^\w+:", "", name)
    )


def parent_path(path: str) -> str:
    """Return the path of the object that has a member; names such as `@odata.count` have dots."""
    return path.partition("@")[0].rstrip(".'") if "@" in path else path.rpartition(".")[0]


@cached
def base_path(path: str) -> str:
    """Return the path of the object that a member is about: not `paging`, but what holds it."""
    base = parent_path(path)
    while base and (PAGE_OBJECT.fullmatch(plain_name(base)) or names_next(base)):
        base = parent_path(base)
    return base


@cached
def names_next(path: str) -> bool:
    """Return whether a name in a path is that of what leads to the next page."""
    return any(NEXT.fullmatch(plain_name(name)) for name in path.split("."))


@cached
def names_pointer(name: str) -> bool:
    """Return whether a member of this name may be a cursor that leads on."""
    plain = plain_name(name)
    return bool(POINTER.fullmatch(plain)) and not PREVIOUS.search(plain)


@cached
def is_sure(path: str) -> bool:
    """Return whether a total counts the list, by its name and those of the objects around it."""
    around = parent_path(path).removeprefix(base_path(path)).lstrip(".").lower()
    is_of_list = SURE_PARENT.fullmatch(f"{around}." if around else "")
    is_named = SURE.fullmatch(plain_name(path)) or path.lower().endswith("total.value")
    return bool(is_named and is_of_list)


def names_limit(words: str) -> bool:
    """Return whether words say that the API has more records than it shows."""
    is_of_requests = OF_REQUESTS.search(words) or names_rate_limit(words)
    return bool(LIMIT.search(words)) and not is_of_requests


def says(sign: str, path: str, value: Any) -> bool:
    """Return whether a member says what one of `SIGNS` stands for."""
    return _matches(sign, path, str(value).lower())


@cached
def _matches(sign: str, path: str, value: str) -> bool:
    return bool(re.fullmatch(SIGNS[sign], f"{plain_name(path)}: {value}"))


def says_more(path: str, value: Any) -> bool | None:
    """Return what a flag says of further pages; None if it is none by its name and value."""
    if says("more", path, value):
        return True
    return False if says("end", path, value) else None


@cached
def is_of_next_sync(path: str) -> bool:
    """Return whether a member is where the next sync begins, which some APIs send on each page."""
    return bool(re.fullmatch(_NEXT_SYNC, plain_name(path)))


def read_flag(path: str, value: Any) -> bool | None:
    """Return what a flag of any name says; one of an end says the contrary of its value."""
    text, is_of_end = str(value).lower(), bool(re.fullmatch(f"{_LAST}|{_ALL}", plain_name(path)))
    if YES.fullmatch(text):
        return not is_of_end
    return is_of_end if NO.fullmatch(text) else None


@cached
def leads_back(path: str) -> bool:
    """Return whether a link or cursor leads to the page before, by its name."""
    return bool(PREVIOUS.search(plain_name(path))) and not names_next(path)


def leads_on(path: str, value: Any) -> bool:
    """Return whether a member is a link or cursor that leads to more, by its name and value."""
    if NO_POINTER.fullmatch(str(value)) or NO_TOKEN.fullmatch(str(value)):
        return False
    if names_next(path):
        return isinstance(value, (str, int)) and bool(value) and value is not True
    if not isinstance(value, str) or not value or value.isdecimal() or leads_back(path):
        return False
    plain = plain_name(path)
    if LINK.fullmatch(value) and MORE_LINK.fullmatch(plain):
        return True
    is_word = plain in ("more", "older") or says_more(path, value) is not None
    return names_pointer(path) and not is_word
