"""What a record's fields are called as columns, and which of them are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from event_assets.config.fields import RESERVED_COLUMNS
from event_assets.values.json_paths import Path
from event_assets.values.naming import normalize_name

LAST_SEEN = RESERVED_COLUMNS[0]  # when a sync last saw the event
INTERNAL = "_dlt"  # how the names of dlt's own columns begin


class ColumnNamer:
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

    def source_paths(self) -> dict[str, Path]:
        """Give the paths that the names of their columns do not say, by column."""
        return {
            name: path for path, name in self._columns.items() if path != tuple(name.split("__"))
        }

    def is_identity(self, path: Path) -> bool:
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
    name = "__".join(normalize_name(str(part)) for part in path)
    return f"api{name}" if name.startswith(INTERNAL) else name
