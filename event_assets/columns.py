"""What a record's fields are called as columns, and which of them are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from event_assets.conversion import to_json
from event_assets.fields import NAMING, OWN_NAMES, Path

LAST_SEEN = OWN_NAMES[0]  # when a sync last saw the event
INTERNAL = "_dlt"  # how the names of dlt's own columns begin


class Names:
    """Gives each path in a record the name of its column, the same in every sync.

    Names are normalized as dlt does it, path by path: `a.bC` is `a__b_c`. Where a name is taken
    already, by another path, by the contract or by dlt, the second is `NAME__x2`.

    Args:
        reserved: names that are not for paths.
        known: the columns that there are already.
        paths: where the values of those of them come from whose names do not say it.
    """

    def __init__(
        self,
        reserved: Collection[str],
        known: Iterable[str],
        paths: Mapping[str, Sequence[str | None]],
    ) -> None:
        self._taken = {*reserved, *known}
        self._columns: dict[Path, str] = {
            tuple(paths.get(name) or name.split("__")): name
            for name in known
            if name not in reserved and not name.startswith(INTERNAL)
        }

    def said(self) -> dict[str, Path]:
        """Give the paths that the names of their columns do not say, by column."""
        return {
            name: path for path, name in self._columns.items() if path != tuple(name.split("__"))
        }

    def is_plain(self, path: Path) -> bool:
        """Is a path called in the API just as its column will be?"""
        return path in self._columns or "__".join(map(str, path)) == _normalized(path)

    def column(self, path: Path) -> str:
        """Name the column of a path; of `(*path, None, TYPE)` for its values of another type."""
        name = self._columns.get(path)
        if name is None:
            name = self._columns[path] = self._free(path)
            self._taken.add(name)
        return name

    def _free(self, path: Path) -> str:
        if None in path:
            *_, kind = path
            plain = f"{self.column(path[:-2])}__v_{kind}"
        else:
            plain = _normalized(path)
        name, number = plain, 1
        while name in self._taken:
            number += 1
            name = f"{plain}__x{number}"
        return name


def _normalized(path: Path) -> str:
    name = "__".join(_identifier(str(part)) for part in path)
    return f"api{name}" if name.startswith(INTERNAL) else name


@cache
def _identifier(name: str) -> str:
    return NAMING.normalize_identifier(name) if name.strip() else "x"


class Selection:
    """Which fields beside the contract's are kept.

    Args:
        exclude: paths (`venue.location`) that are kept nowhere, with all that is in them.
        only: paths of which nothing but these is kept; empty: all.
        contract: paths that the contract reads, which stay in records that break it.
    """

    def __init__(
        self, exclude: Sequence[str] = (), only: Sequence[str] = (), contract: Sequence[Path] = ()
    ) -> None:
        self._exclude = {tuple(path.split(".")) for path in exclude}
        self._only = [tuple(path.split(".")) for path in only]
        self._contract = contract if only else ()

    def enters(self, path: Path) -> bool:
        """Can there be something to keep at a path, or below?"""
        return path not in self._exclude and (
            not self._only or any(_related(path, only) for only in self._only)
        )

    def keeps(self, path: Path) -> bool:
        """Is the value at a path kept?"""
        return not self._only or any(path[: len(only)] == only for only in self._only)

    def json(self, record: Any) -> str:
        """Write a record with the fields that may be kept."""
        return to_json(self.pruned(record) if self._exclude or self._only else record)

    def cuts(self, path: Path) -> bool:
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
        wanted = self.enters(path) if is_object else self.keeps(path)
        return wanted or any(_related(path, read) for read in self._contract)


def _related(path: Path, other: Path) -> bool:
    """Does one of two paths lead to, or past, the other?"""
    return all(a == b for a, b in zip(path, other, strict=False))
