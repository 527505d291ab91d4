"""Select the fields of a record that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.records.column_names import VARIANT, SourcePaths
from event_assets.records.contract import build_contract
from event_assets.values.conversion import to_json
from event_assets.values.json_paths import Path, parse_path
from event_assets.values.naming import normalize_name


class FieldSelection:
    """Selects the fields besides the contract's.

    An entry is a path, and the name of a field with a dot in it: `@odata.etag`.

    Args:
        exclude: paths (`venue.location`) that are not stored, with everything below them.
        only: the paths to store; empty for all.
        contract: paths that the contract reads, which stay in rejects.
    """

    def __init__(
        self, exclude: Sequence[str] = (), only: Sequence[str] = (), contract: Sequence[Path] = ()
    ) -> None:
        self._exclude = {path for entry in exclude for path in _paths_of(entry)}
        self._only = [path for entry in only for path in _paths_of(entry)]
        self._entries = [*exclude, *only]
        self._seen: set[Path] = set()  # paths of the selection that records had
        self._contract = contract if only else ()

    @property
    def unmatched(self) -> list[str]:
        """The entries that no record had so far."""
        return [entry for entry in self._entries if not _paths_of(entry) & self._seen]

    def may_contain(self, path: Path) -> bool:
        """Return whether a value at a path, or below it, may be included."""
        if path in self._only:
            self._seen.add(path)
        is_selected = not self._only or any(_related(path, only) for only in self._only)
        return is_selected and not self._is_excluded(path)

    def _is_excluded(self, path: Path) -> bool:
        if path in self._exclude:
            self._seen.add(path)
        return path in self._exclude

    def includes(self, path: Path) -> bool:
        """Return whether the value at a path is included."""
        return not self._only or any(path[: len(only)] == only for only in self._only)

    def to_json(self, record: Any) -> str:
        """Return a record as JSON, without the fields that must not be stored."""
        return to_json(self.prune(record) if self._exclude or self._only else record)

    def excludes_below(self, path: Path) -> bool:
        """Return whether a path below this one is excluded."""
        return any(len(out) > len(path) and out[: len(path)] == path for out in self._exclude)

    def prune(self, value: Any, path: Path = ()) -> Any:
        """Return the value at a path without the excluded fields, also in lists."""
        if type(value) is list:
            return [self.prune(member, path) for member in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self.prune(member, member_path)
            for name, member in value.items()
            if self._is_stored(member_path := (*path, name), isinstance(member, dict))
        }

    def _is_stored(self, path: Path, is_object: bool) -> bool:
        included = self.may_contain(path) if is_object else self.includes(path)
        is_used = any(_related(path, used) for used in self._contract)
        return not self._is_excluded(path) and (included or is_used)


def _paths_of(entry: str) -> set[tuple[str, ...]]:
    return {parse_path(entry), (entry,)}


def _related(path: Path, other: Path) -> bool:
    """Return whether one of two paths leads to the other."""
    return all(a == b for a, b in zip(path, other, strict=False))


def excluded_paths(source: SourceConfig) -> list[tuple[str, ...]]:
    """Return the paths in a record that `exclude` names."""
    return [path for entry in source.exclude for path in _paths_of(entry)]


def is_excluded(source: SourceConfig, column: str, known: SourcePaths) -> bool:
    """Return whether a column holds a field that `exclude` names, or a part of one.

    Args:
        known: the paths of columns that their names do not say; None: it is lost.
    """
    own = column.partition(VARIANT)[0]
    recorded = known.get(column, known.get(own, own.split("__")))
    return column not in source.fields and any(
        column == name or column.startswith(f"{name}__")
        for path in excluded_paths(source)
        for name in ["__".join(map(normalize_name, path))]
        # the column of `a.b` may be that of a field `a_b`, and that of `Email` of `email`
        if recorded is None or (*recorded[: len(path)],) == path
    )


def build_field_selection(resource: ResourceConfig) -> FieldSelection:
    """Build the selection of a resource's fields; only events are selected from."""
    if not resource.is_events:
        return FieldSelection()
    readers = build_contract(resource).values()
    used = [parse_path(path) for reader in readers for path in reader.source_paths]
    return FieldSelection(resource.source.exclude, resource.source.only, used)
