"""Find the id and the name of events in a sample of records."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from operator import itemgetter
from typing import Any

from event_assets.probe import field_words as words
from event_assets.probe.samples import NOTHING, FieldFinding, Sample, is_foreign, last_name
from event_assets.probe.time_finder import find_end, find_start, find_updated
from event_assets.values.json_paths import build_getter

IDS = words.listed(
    "id eventid idevent uuid guid objectid uid @id key identifier identifiers identifiant oid pk"
)
ID_WORDS = {"id", "uuid", "guid", "key", "slug"}
OTHER_ID = ""  # any other name that ends with one of them
KEYS = words.listed("slug code codi codigo ticker number ref reference uri url href self")
ID_RANKS = {name: rank for rank, name in enumerate((*IDS, OTHER_ID, *KEYS))}
ID_PARTS = {*ID_WORDS, *KEYS, "no", "nr"}
MIN_SHARE = 0.8  # of the records that have an id
LANGUAGE = re.compile(r"@?[a-z]{2,3}([-_][A-Za-z]{2,10})?")
TEXT_MEMBERS = words.listed(
    "text rendered value @value plain plain_text en default html display stringValue"
)
TITLES = {"name", "title"}  # one of which may be that of a series or a venue
IN_LIST = re.compile(r"\.0\..")
HAS_LETTERS = re.compile(r"(?!\S*/\S*/\S*\Z).*[^\W\d_]", re.DOTALL)  # and is no URL or path
CODE = re.compile(r"(?=.*\d)[A-Z\d_./-]+")  # such as `EVT-00071`, which a description may explain
MAX_NAME = 100  # characters of a text that is the name if nothing else is
PER_KIND = 20  # records: as many of one name share that of something else, such as of a room
OPPONENTS = (
    *(("home", "away"), ("Home", "Away"), ("home", "visitor"), ("Home", "Visitor")),
    *((f"{one}1", f"{one}2") for one in ("team", "team_", "Team", "player", "faction")),
    *((f"{many}s.0.", f"{many}s.1.") for many in ("team", "competitor", "opponent", "participant")),
)
MAX_OPPONENTS = 2  # of a match; more are those of a tournament
LIKE_START, LIKE_NAME, LIKE_ID = 4.0, 3.0, 2.0  # how much a field makes a record look like an event
NESTED = 0.1  # less, for each object that the name is in


def find_field(
    sample: Sample, name: str, kind: str, start: FieldFinding | None = None
) -> FieldFinding | None:
    """Return where a field of the contract is, by what its name means; not that of a venue."""
    own = {*words.split_name(name)}
    if kind != "timestamp":
        if name not in words.NAME:
            return None
        found = find_name(sample)
        is_own = found is not None and not words.is_of_other(found.sources[0])
        return found if is_own else _find_opponents(sample)
    if own & words.UPDATED:
        return find_updated(sample)
    if own & words.END:
        return find_end(sample, start or find_start(sample))
    return find_start(sample) if own & words.START else None


def _find_opponents(sample: Sample) -> FieldFinding | None:
    """Return the names of both teams as the name of a match, or None."""
    for path in sample.leaves:
        if sample.most_members(path) > MAX_OPPONENTS:
            continue
        own = [word for word in words.split_path(path)[-1] if not word.isdecimal()]
        is_text = all(map(HAS_LETTERS.match, map(str, sample.present(path))))
        is_name = is_text and (own[-1:] in (["team"], ["home"]) or _rank_name(sample, path))
        for home, away in OPPONENTS:
            other = path.replace(home, away)
            if is_name and other != path and any(build_getter(other)(sample.records)):
                return FieldFinding({"from": f"{{{path}}} - {{{other}}}"})
    return None


def find_id(sample: Sample) -> str | None:
    """Return the path of an id that tells the records apart, or None."""
    ranked, start = [], find_start(sample)
    times = sample.leaves.get(start.sources[0]) if start else None
    for path, values in sample.leaves.items():
        last = last_name(path.removesuffix(".0").removesuffix(".value"))
        present, name = sample.present(path), _plain_name(last)
        name = name if name in ID_RANKS else name.removeprefix("event")
        is_key = bool(present) and all(type(value) in (str, int) for value in present)
        parts = words.split_name(last)  # none of `日付`
        is_word = name in ID_RANKS or parts[:1] == ["id"] or bool({*parts[-1:]} & ID_WORDS)
        is_id = bool(parts) and (is_word or name.endswith("id"))  # such as `contentid`
        if is_key and is_id and len(present) >= MIN_SHARE * len(values):
            rank = ID_RANKS.get(name, ID_RANKS[OTHER_ID] if is_word else len(ID_RANKS))
            is_of_other = bool(words.in_path(path) & words.OTHER_OBJECTS)
            format_ = sample.formats.get(path)  # of what tells an occurrence of a series apart
            is_time = format_ and (values == times or (format_.has_time and not format_.pattern))
            ranked += [] if is_time else [(is_of_other, path.count("."), rank, path)]
    return next((path for *_, path in sorted(ranked) if sample.is_unique(path)), None)


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z@]", "", name.lower())


def build_id_reader(
    key: Sequence[str], sample: Sample
) -> Callable[[Sequence[Any]], list[Hashable]]:
    """Build what tells records apart in experiments: the id, and the start of an occurrence."""
    if not key:
        return lambda rows: [repr(row) for row in rows]
    start = find_start(sample)
    paths = [*key, *(start.sources[:1] if start else ())]
    getters = [build_getter(path) for path in dict.fromkeys(paths)]

    def read(rows: Sequence[Any]) -> list[Hashable]:
        keys = zip(*(getter(rows) for getter in getters), strict=True)
        return [None if key[0] is None else "|".join(map(str, key)) for key in keys]

    return read


def find_composite_id(sample: Sample, start: FieldFinding | None) -> list[str] | None:
    """Return an id that is repeated and the path of the start, if both tell the records apart."""
    times = start.sources[0] if start else "{"
    named = (path for path in sorted(sample.leaves, key=len) if _plain_name(last_name(path)) in IDS)
    ids = (path for path in named if not (is_foreign(path) or None in sample.leaves[path]))
    both = ([path, times] for path in ids if "{" not in times)
    return next((keys for keys in both if sample.is_unique(*keys)), None)


def find_other_keys(sample: Sample, *both: FieldFinding | None) -> list[list[str]]:
    """Return what tells all records apart, but has no name of an id: a field, or two together."""
    plain = [
        path
        for path, values in sample.leaves.items()
        if path not in sample.formats and all(type(value) in (str, int) for value in values)
    ]
    plain.sort(key=lambda path: not words.in_path(path) & {*ID_PARTS, "ids"})  # the likely first
    parts = [path for path in plain if {*words.split_path(path)[-1][-1:]} & ID_PARTS]
    pairs = [[one.sources[0] for one in both if one], *map(list, combinations(parts, 2))]
    found = [*([path] for path in plain), *(pair for pair in pairs if pair[1:])]
    return [keys for keys in found if "{" not in "".join(keys) and sample.is_unique(*keys)]


def find_name(sample: Sample) -> FieldFinding | None:
    """Return where the name is: a text, a text in an object, or one for each language.

    None, if most records have none there.
    """
    ranked = [(rank, path) for path in sample.leaves if (rank := _rank_name(sample, path))]
    if not ranked:
        return None
    rank, path = max(ranked, key=itemgetter(0))  # of what is alike, the first
    near = {word for name in words.split_path(path)[-2:] for word in name}
    is_of_event = bool(near & {*words.EVENTS}) and "type" not in near
    # with no words beside the usual ones, or `EventBodyName`, or `class.name`
    is_plain = is_of_event or not any((rank[0], rank[3], rank[4]))
    is_code = all(CODE.fullmatch(str(value)) for value in sample.present(path))
    languages, chain, others = _find_languages(sample, path), [path], list[str]()
    for its_rank, other in sorted(ranked, key=itemgetter(0), reverse=True):
        values = sample.present(other)  # no more than a few alike, as of a kind
        is_varied = 2 * len({*map(str, values)}) > len(values)
        is_alike = its_rank[:3] == rank[:3] and not its_rank[4]
        last, its_last = last_name(path).lower(), last_name(other).lower()
        is_event = not (is_plain or its_rank[0]) and its_last in words.EVENTS
        is_worded = is_code and not its_rank[0] and any(" " in str(value) for value in values)
        if is_varied and is_alike and sample.fills(chain, other):
            chain.append(other)
        elif is_varied and (is_event or is_worded or (is_alike and {last, its_last} == TITLES)):
            others.append(other)
    present = [value for value in sample.first(chain) if value not in NOTHING]
    texts = [value for value in present if isinstance(value, str)]
    is_of_other = not is_plain and len(texts) >= PER_KIND * len({*texts})
    if is_of_other or (not languages and 2 * len(present) < len(sample.records)):
        return None
    settings: dict[str, Any] = {"from": languages or (chain if len(chain) > 1 else path)}
    if any(html.unescape(text) != text for text in texts):
        settings["html"] = "unescape"
    return FieldFinding(settings, others=others)


def _find_languages(sample: Sample, path: str) -> list[str]:
    """Return the paths of a text in several languages, if it is one: English, the usual, any."""
    parent, _, last = path.rpartition(".")
    names = [
        other.rpartition(".")[2] for other in sample.leaves if other.rpartition(".")[0] == parent
    ]
    names = [name for name in names if name not in TEXT_MEMBERS or name == "en"]
    languages = [name for name in names if not name.startswith("_")]  # beside `_type`
    is_named = bool(parent) and {*words.split_name(last_name(parent))} & {*words.NAME}
    if not is_named or last not in languages or not all(map(LANGUAGE.fullmatch, languages)):
        return []

    def rank(name: str) -> tuple[bool, int]:
        return name.lstrip("@")[:2] != "en", -len(sample.present(f"{parent}.{name}"))

    first = sorted(languages, key=rank)
    first = first if languages != names else [*first[:2], "*"]
    return [f"{parent}.{name}" for name in first]


def _rank_name(sample: Sample, path: str) -> tuple[float, ...] | None:
    """Return how much a path looks like the name (more is better), or None."""
    *outer, own = words.split_path(path)
    last = last_name(path)
    if outer and (last in TEXT_MEMBERS or LANGUAGE.fullmatch(last) or last == "0"):
        *outer, own = outer
    while outer and own == ["0"]:
        *outer, own = outer
    usual = (*words.NAME, *words.LAST_NAMES)
    word = next((word for word in reversed(own) if word in words.NAME), "".join(own[-1:]))
    present = sample.present(path)
    texts = [value for value in present if isinstance(value, str) and HAS_LETTERS.match(value)]
    spaced, distinct = sum(" " in text for text in texts), len({*texts})
    is_last = word in words.LAST_NAMES
    is_fit = 2 * spaced > len(texts) if is_last else word in usual
    if is_last and len(max(texts, key=len, default="")) > MAX_NAME:
        return None
    if not is_fit or not texts or len(texts) < len(present) / 2:
        return None
    foreign = words.OTHER_OBJECTS | words.OF_PERSON
    others = sum(each in foreign for part in (*outer, own) for each in part)
    if "full" in own:  # beside `first_name`
        others += any(words.in_path(one) & words.OF_PERSON for one in sample.leaves)
    extra = sum(each not in words.OF_NAME | {word} for each in own)
    return (
        -others,
        distinct > 1 or len(texts) == 1,  # else it is the name of a kind
        not is_last,
        -sum(not {*part} & words.NAME_PARENTS for part in outer),
        -extra,
        round((spaced + distinct) / len(texts), 1),
        len(texts) / len(sample.records),
        -usual.index(word),
        -TEXT_MEMBERS.index(last) if last in TEXT_MEMBERS else 0,
    )


def likeness(records: Sequence[Any]) -> float:
    """Return how much records look like events; 0: not at all.

    The name and the id of the first member of a list are those of a group of events. Its start is,
    too, if its members have names, each another one: those of occurrences are alike.
    """
    sample = Sample(records[:20])
    start, name, key = find_start(sample), find_name(sample), find_id(sample)
    found = LIKE_START - bool(IN_LIST.search(start.sources[0])) if start else 0.0
    if name and not IN_LIST.search(name.sources[0]):
        values = sample.present(name.sources[0])
        found += LIKE_NAME - (2 * len({*map(str, values)}) < len(values))
    found += LIKE_ID * (key is not None and not IN_LIST.search(key))
    found -= NESTED * name.sources[0].count(".") if name else 0
    return found + min(len(sample.leaves), 10) / 20
