"""Which fields of a record are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from event_assets.config.source import ResourceConfig
from event_assets.records.contract import build_contract
from event_assets.values.conversion import to_json
from event_assets.values.json_paths import Path, parse_path


class FieldSelection:
    """Which fields beside the contract's are kept.

    Args:
        exclude: paths (`venue.location`) that are kept nowhere, with all that is in them.
        only: paths of which nothing but these is kept; empty: all.
        contract: paths that the contract reads, which stay in records that break it.
    """

    def __init__(
        self, exclude: Sequence[str] = (), only: Sequence[str] = (), contract: Sequence[Path] = ()
    ) -> None:
        self._exclude = set(map(parse_path, exclude))
        self._only = list(map(parse_path, only))
        self._contract = contract if only else ()

    def may_contain(self, path: Path) -> bool:
        """Can there be something to keep at a path, or below?"""
        return path not in self._exclude and (
            not self._only or any(_related(path, only) for only in self._only)
        )

    def includes(self, path: Path) -> bool:
        """Is the value at a path kept?"""
        return not self._only or any(path[: len(only)] == only for only in self._only)

    def json(self, record: Any) -> str:
        """Write a record with the fields that may be kept."""
        return to_json(self.pruned(record) if self._exclude or self._only else record)

    def excludes_below(self, path: Path) -> bool:
        """Is something below a path excluded?"""
        return any(len(out) > len(path) and out[: len(path)] == path for out in self._exclude)

    def pruned(self, value: Any, path: Path = ()) -> Any:
        """Take out of the value at a path what is not kept, also in lists."""
        if type(value) is list:
            return [self.pruned(member, path) for member in value]
        if type(value) is not dict:
            return value
        return {
            name: self.pruned(member, place)
            for name, member in value.items()
            if self._stays(place := (*path, name), type(member) is dict)
        }

    def _stays(self, path: Path, is_object: bool) -> bool:
        if path in self._exclude:
            return False
        wanted = self.may_contain(path) if is_object else self.includes(path)
        return wanted or any(_related(path, read) for read in self._contract)


def _related(path: Path, other: Path) -> bool:
    """Does one of two paths lead to, or past, the other?"""
    return all(a == b for a, b in zip(path, other, strict=False))


def build_field_selection(resource: ResourceConfig) -> FieldSelection:
    """Build the selection of a resource's fields; only events have one."""
    if not resource.is_events:
        return FieldSelection()
    read = [path for reader in build_contract(resource).values() for path in reader.origins]
    paths = list(map(parse_path, read))
    return FieldSelection(resource.source.exclude, resource.source.only, paths)
