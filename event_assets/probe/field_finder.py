"""Find the contract's fields in records: the id, the name, the times with their zones."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from event_assets.config.fields import FieldConfig
from event_assets.probe import field_words as words
from event_assets.probe.time_formats import TimeFormat, find_format, is_day, is_time_of_day
from event_assets.records.contract import FieldReader
from event_assets.values.json_paths import build_getter
from event_assets.values.timestamps import parse_zone

MAX_DEPTH = 5
SAMPLE = 300  # records in which fields are looked for; ids are in all
ID_NAMES = (
    *("id", "eventid", "uuid", "guid", "objectid", "uid", "@id", "key", "identifier", "OTHER"),
    *("slug", "code", "number", "ref", "reference", "uri", "url", "href", "self"),
)
LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,10})?")
TEXT_MEMBERS = ("text", "rendered", "value", "plain", "en", "default", "html", "display")
LETTERS = re.compile(r"[^\W\d_]{2}")
WINDOW = (2000, 2100)  # years in which events are expected

Leaves = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class FieldFinding:
    """Where a field is: its settings in `fields`, and what that rests on."""

    settings: Mapping[str, Any]
    evidence: str
    zone: str = ""  # `utc`, `offset`, `field`, `epoch`, `day`, or `` for local times without a zone


@dataclass
class FieldFinder:
    """Finds fields in a sample of records.

    `zone` is a time zone that the response names outside of its records.
    """

    all_records: Sequence[Any]
    zone: str | None = None
    _formats: dict[str, TimeFormat | None] = field(default_factory=dict)

    @cached_property
    def records(self) -> Sequence[Any]:
        """A sample of the records, from all over the list."""
        return self.all_records[:: max(1, len(self.all_records) // SAMPLE)][:SAMPLE]

    @cached_property
    def leaves(self) -> Leaves:
        """The values of each path that is no object; None where a record has none."""
        found: dict[str, list[Any]] = {}
        for number, record in enumerate(self.records):
            for path, value in _walk(record):
                found.setdefault(path, [None] * len(self.records))[number] = value
        return found

    def find_id(self) -> str | list[str] | None:
        """Return the path of an id that tells the records apart, or several paths together."""
        ranked = []
        for path, values in self.leaves.items():
            present = [value for value in values if value not in (None, "")]
            is_key = present and all(type(value) in (str, int) for value in present)
            if not is_key or len(present) < 0.8 * len(values):
                continue
            name = path.rpartition(".")[2].strip("'[]").lower()
            plain = re.sub(r"[^a-z@]", "", name)
            is_id = plain in ID_NAMES or "id" in words.split_name(path.rpartition(".")[2])[-1:]
            is_unique = len(set(map(str, present))) == len(present)
            if is_id and is_unique:
                rank = ID_NAMES.index(plain if plain in ID_NAMES else "OTHER")
                ranked.append((self._is_foreign(path), path.count("."), rank, path))
        return next((path for *_, path in sorted(ranked) if self._is_unique([path])), None)

    def _is_unique(self, paths: Sequence[str]) -> bool:
        columns = [build_getter(path)(self.all_records) for path in paths]
        keys = [tuple(map(str, row)) for row in zip(*columns, strict=True) if None not in row]
        return len({*keys}) == len(keys)

    def find_composite_id(self, start: FieldFinding | None) -> list[str] | None:
        """Return a repeated id and the path of the start, if both together tell records apart."""
        ids = [p for p in self.leaves if re.sub(r"[^a-z@]", "", p.lower()) in ID_NAMES[:8]]
        for path in sorted(ids, key=len):
            times = _as_list(start.settings["from"])[0] if start else ""
            if times and None not in self.leaves[path] and self._is_unique([path, times]):
                return [path, times]
        return None

    def _is_foreign(self, path: str) -> bool:
        parents = words.split_path(path)[:-1]
        return any(word in words.OTHER_OBJECTS for parent in parents for word in parent)

    def find_name(self) -> FieldFinding | None:
        """Return where the name is: a text, a text in an object, or one for each language."""
        ranked = [(rank, path) for path in self.leaves if (rank := self._rank_name(path))]
        if not ranked:
            return None
        rank, path = max(ranked)
        settings: dict[str, Any] = {"from": path}
        parent, _, last = path.rpartition(".")
        siblings = [p.rpartition(".")[2] for p in self.leaves if p.rpartition(".")[0] == parent]
        siblings = [name for name in siblings if name not in TEXT_MEMBERS or name == "en"]
        is_language = LANGUAGE.fullmatch(last) and all(map(LANGUAGE.fullmatch, siblings))
        if (
            parent
            and is_language
            and words.split_name(parent.rpartition(".")[2])[-1:][0] in words.NAME
        ):
            ordered = sorted(
                siblings, key=lambda name: (name != "en", -self._count(f"{parent}.{name}"))
            )
            settings = {"from": [*(f"{parent}.{name}" for name in ordered[:2]), f"{parent}.*"]}
        texts = [value for value in self.leaves[path] if isinstance(value, str)]
        if any(html.unescape(text) != text for text in texts):
            settings["html"] = "unescape"
        return FieldFinding(settings, f"`{path}`: {len(texts)} of {len(self.records)} have a text")

    def _rank_name(self, path: str) -> tuple[float, ...] | None:
        parts = words.split_path(path)
        values = [value for value in self.leaves[path] if value not in (None, "")]
        texts = [value for value in values if isinstance(value, str) and LETTERS.search(value)]
        last = parse_last(path)
        own = parts[-1]
        outer = parts[:-1]
        if outer and (last in TEXT_MEMBERS or LANGUAGE.fullmatch(last) or last == "0"):
            own, outer = outer[-1], outer[:-1]
        word = next((w for w in reversed(own) if w in words.NAME), None)
        if not word or len(texts) < 0.5 * max(1, len(values)) or not texts:
            return None
        others = [w for part in [*outer, own] for w in part if w in words.OTHER_OBJECTS]
        extra = [w for w in own if w != word and w not in ("event", "display", "full", "main")]
        spaced = sum(" " in text for text in texts) / len(texts)
        distinct = len(set(texts)) / len(texts)
        member = -TEXT_MEMBERS.index(last) if last in TEXT_MEMBERS else 0
        return (
            -len(others),
            -len([p for p in outer if not {*p} & words.NAME_PARENTS]),
            -len(extra),
            round(spaced + distinct, 1),
            len(texts) / len(self.records),
            -words.NAME.index(word),
            member,
        )

    def _count(self, path: str) -> int:
        return sum(value not in (None, "") for value in self.leaves[path])

    def format_of(self, path: str) -> TimeFormat | None:
        """Return how the values at a path are written, if they are times."""
        if path not in self._formats:
            self._formats[path] = find_format(self.leaves[path])
        return self._formats[path]

    def find_start(self) -> FieldFinding | None:
        """Return where the start is, with its format and its time zone."""
        return self._find_time(words.START)

    def find_end(self, start: FieldFinding | None) -> FieldFinding | None:
        """Return where the end is: where the start is, by its name, or else as the start is."""
        mirrored = self._mirror(start) if start else None
        return mirrored or self._find_time(words.END, needs_word=True)

    def find_updated(self) -> FieldFinding | None:
        """Return where the time of the last change is."""
        for path in sorted(self.leaves, key=lambda path: (path.count("."), path)):
            parts = words.split_path(path)
            is_named = {*parts[-1]} & words.UPDATED and path.count(".") <= 1
            if is_named and not self._is_foreign(path) and (found := self.format_of(path)):
                settings = {"from": path} | ({"format": found.pattern} if found.pattern else {})
                return FieldFinding(settings, f"`{path}`", "offset")
        return None

    def _find_time(self, named: frozenset[str], needs_word: bool = False) -> FieldFinding | None:
        ranked = sorted(
            (
                (rank, path)
                for path in self.leaves
                if (rank := self._rank_time(path, named)) and (not needs_word or rank[0])
            ),
            reverse=True,
        )
        if not ranked:
            return None
        (is_best_named, _), path = ranked[0]
        chain = [path]
        for (is_named, _), other in ranked[1:]:
            fills = any(
                a in (None, "") and b not in (None, "")
                for a, b in zip(self._first(chain), self.leaves[other], strict=True)
            )
            same = self.format_of(other)
            if (
                fills
                and is_named == is_best_named
                and same
                and same.is_compatible(self.format_of(path))
            ):
                chain.append(other)
        return self._describe_time(chain)

    def _first(self, chain: Sequence[str]) -> list[Any]:
        rows = zip(*(self.leaves[path] for path in chain), strict=True)
        return [next((v for v in row if v not in (None, "")), None) for row in rows]

    def _rank_time(self, path: str, named: frozenset[str]) -> tuple[bool, float] | None:
        """Return how likely a path is the time that is meant, those with its name first."""
        parts = words.split_path(path)
        flat = [word for part in parts for word in part]
        opposite = words.END if named is words.START else words.START
        format_ = self.format_of(path)
        if format_ is None or {*flat} & words.OTHER_TIMES or self._is_foreign(path):
            return None
        is_named = [word for word in flat if word in named]
        if {*flat} & opposite and not is_named:
            return None
        if not is_named and not ({*flat} & words.WHEN or flat[-1:] in (["at"], ["on"])):
            return None
        rank = 3.0 * ("utc" in flat or "gmt" in flat) + 2 * format_.has_zone + 2 * format_.has_time
        rank -= 0.4 * len(parts) + 6 * bool({*flat} & {"formatted", "display", "text", "first"})
        rank -= 1 * ("local" in flat) + 0.5 * bool(format_.pattern)
        return bool(is_named), rank + 2 * self._count(path) / len(self.records)

    def _describe_time(self, chain: Sequence[str]) -> FieldFinding | None:
        path, format_ = chain[0], self.format_of(chain[0])
        if format_ is None:
            return None
        sources: list[str] = list(chain)
        pattern = format_.pattern
        if not format_.has_time and (clock := self._find_clock(path)):
            template = f"{{{path}}}{format_.joint}{{{clock}}}"
            midnight = self._midnight(path, clock, format_)
            sources = [template, midnight]
            pattern = format_.with_clock(self.leaves[clock])
        settings: dict[str, Any] = {"from": sources[0] if len(sources) == 1 else sources}
        if pattern:
            settings["format"] = pattern
        found = f"`{'`, `'.join(sources)}`"
        if format_.is_epoch:
            return FieldFinding(settings, found, "epoch")
        if format_.has_zone and len(chain) == 1:
            return FieldFinding(settings, found, "offset")
        zones, how = self._find_zones(path)
        if zones:
            settings["timezone"] = zones[0] if len(zones) == 1 else zones
        if not how and (format_.has_zone or (not format_.has_time and sources == [path])):
            how = "offset" if format_.has_zone else "day"
        return FieldFinding(settings, found, how)

    def _midnight(self, path: str, clock: str, format_: TimeFormat) -> str:
        pattern = format_.with_clock(self.leaves[clock])
        if not pattern:
            return path
        return f"{{{path}}}{format_.joint}" + ("12:00 AM" if "%p" in pattern else "00:00")

    def _find_clock(self, path: str) -> str | None:
        """Return the path of the time of day that belongs to a day."""
        own = _residue(path, words.DAY)
        for other in self.leaves:
            parts = words.split_path(other)
            if {*parts[-1]} & words.TIME_OF_DAY and is_time_of_day(self.leaves[other]):
                residue = _residue(other, words.TIME_OF_DAY)
                if residue in (own, own - words.START) and not self._is_foreign(other):
                    return other
        return None

    def _find_zones(self, path: str) -> tuple[list[str], str]:
        """Return the time zones of local times, as paths or names, and how they were found."""
        flat = [word for part in words.split_path(path) for word in part]
        if "utc" in flat or "gmt" in flat:
            return ["UTC"], "utc"
        parent = path.rpartition(".")[0]
        ranked = []
        for other, values in self.leaves.items():
            *outer, own = words.split_path(other)
            present = [value for value in values if value not in (None, "")]
            is_named = {*own} & words.ZONE or ("time" in own and "zone" in own)
            is_of_end = any({*part} & words.END - {*flat} for part in (*outer, own))
            if not present or not is_named or is_of_end:
                continue
            known = sum(parse_zone(value) is not None for value in present)
            if known < len(present):
                continue
            is_near = other.rpartition(".")[0] == parent
            is_offset = all(re.search(r"\d", str(value)) for value in present)
            ranked.append(
                (
                    not (is_near and parent),
                    is_offset,
                    self._is_foreign(other),
                    other.count("."),
                    other,
                )
            )
        paths = [each[-1] for each in sorted(ranked)]
        chain = paths[:1]
        for other in paths[1:]:
            first = self._first(chain)
            if any(a in (None, "") and b for a, b in zip(first, self.leaves[other], strict=True)):
                chain.append(other)
        if chain and any(value in (None, "") for value in self._first(chain)):
            chain.append(self.zone or "UTC")
        if not chain and self.zone:
            return [self.zone], "field"
        return chain, "field" if chain else ""

    def _mirror(self, start: FieldFinding) -> FieldFinding | None:
        """Return the end with the settings of the start, if every path has its partner."""
        pairs = [(a, b) for a, b in PARTNERS]
        for old, new in pairs:
            mirrored = {
                key: _mirror_value(value, old, new, self.leaves) if key != "format" else value
                for key, value in start.settings.items()
            }
            paths = _paths_in(mirrored["from"])
            if mirrored["from"] != start.settings["from"] and any(p in self.leaves for p in paths):
                kept = [p for p in _as_list(mirrored["from"]) if {*_paths_in(p)} <= {*self.leaves}]
                if not kept or not {*_paths_in(kept[0])} <= {*self.leaves}:
                    continue
                mirrored["from"] = kept[0] if len(kept) == 1 else kept
                if self._fits(mirrored) and self._is_after(start.settings, mirrored):
                    return FieldFinding(mirrored, f"`{'`, `'.join(kept)}`", start.zone)
        return None

    def _fits(self, settings: Mapping[str, Any]) -> bool:
        values, moments = self.read(settings)
        present = sum(value is not None for value in values)
        return sum(moment is not None for moment in moments) >= 0.95 * present

    def read(self, settings: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        """Return the values and the moments that the settings of a timestamp find."""
        config = FieldConfig.model_validate({"type": "timestamp", **settings})
        reader = FieldReader("time", config)
        values = reader.read(self.records)
        return values, reader.to_arrow(values, self.records).to_pylist()

    def _is_after(self, start: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
        both = zip(self.read(start)[1], self.read(end)[1], strict=True)
        known = [(a, b) for a, b in both if a and b]
        return bool(sum(a <= b for a, b in known) >= 0.9 * len(known))


PARTNERS = (
    *(("start", "end"), ("starts", "ends"), ("begin", "end"), ("begins", "ends"), ("from", "to")),
    *(("beginn", "ende"), ("von", "bis"), ("debut", "fin"), ("inicio", "fin"), ("start", "finish")),
    *(("beginning", "ending"), ("starting", "ending"), ("dtstart", "dtend"), ("start", "stop")),
    *(("from", "until"), ("opening", "closing"), ("start", "to"), ("date", "enddate")),
    *(("date", "end_date"), ("datetime", "enddatetime"), ("datetime", "end_datetime")),
)


def parse_last(path: str) -> str:
    """Return the last name of a path, without quotes."""
    return path.rpartition(".")[2].strip("'[]\"")


def _mirror_value(value: Any, old: str, new: str, leaves: Leaves) -> Any:
    if isinstance(value, list):
        return [_mirror_value(one, old, new, leaves) for one in value]
    if "{" in value:
        return re.sub(r"\{([^{}]+)\}", lambda m: "{" + _swap(m[1], old, new) + "}", value)
    swapped = _swap(value, old, new)
    return swapped if swapped in leaves or value not in leaves else value


def _swap(path: str, old: str, new: str) -> str:
    def spell(found: re.Match[str]) -> str:
        text = found[0]
        return new.upper() if text.isupper() else new.capitalize() if text[0].isupper() else new

    return re.sub(
        rf"(?<![a-z]){old}|{old.capitalize()}|(?<![A-Z]){old.upper()}(?![a-z])", spell, path
    )


def _paths_in(source: Any) -> list[str]:
    return [
        path for one in _as_list(source) for path in (re.findall(r"\{([^{}]+)\}", one) or [one])
    ]


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _residue(path: str, without: frozenset[str]) -> frozenset[str]:
    flat = {word for part in words.split_path(path) for word in part}
    return frozenset(flat - without - words.DAY - words.TIME_OF_DAY - {"local", "at", "utc"})


def _walk(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the paths of what is no object, also in the first member of a short list."""
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for name, member in value.items():
            if name and not {*"{}*"} & {*name}:
                step = f"['{name}']" if "." in name else name
                joint = "." if path and "." not in name else ""
                yield from _walk(member, f"{path}{joint}{step}", depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict) and depth < MAX_DEPTH:
        yield from _walk(value[0], f"{path}.0", depth + 1)
    elif path and not isinstance(value, dict):
        yield path, value


def find_zone(document: Any) -> str | None:
    """Return a time zone that a response names outside of its records, at its top."""
    for name, value in document.items() if isinstance(document, dict) else ():
        own = words.split_name(name)
        is_named = {*own} & words.ZONE or ("time" in own and "zone" in own)
        if is_named and isinstance(value, str) and parse_zone(value):
            return value
    return None


def likeness(records: Sequence[Any]) -> float:
    """Return how much records look like events; 0: not at all."""
    sample = [record for record in records[:20] if isinstance(record, dict)]
    if not sample:
        return 0.0
    finder = FieldFinder(sample)
    start = finder.find_start()
    found = 4.0 if start else 0.0
    found += 3.0 * (finder.find_name() is not None) + 2.0 * (finder.find_id() is not None)
    return found + min(len(finder.leaves), 10) / 20


def is_whole_day(values: Sequence[Any]) -> bool:
    """Return whether all values are days without a time of day."""
    present = [value for value in values if value not in (None, "")]
    return bool(present) and all(map(is_day, present))
