"""Name the columns of a record's fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from event_assets.values.json_paths import Path
from event_assets.values.naming import normalize_name

SourcePaths = Mapping[str, "Sequence[str | None] | None"]  # by column
DLT_PREFIX = "_dlt"  # how dlt's own columns begin
VARIANT = "__v_"  # before the type, in the name of a variant column


class ColumnNamer:
    """Names the column of each path in a record, the same in every sync.

    Names are normalized as dlt does it: `a.bC` is `a__b_c`. If another path, the contract or dlt
    uses the name already, the column is `NAME__x2`.

    Args:
        reserved: names that paths must not get.
        known: the columns of the table.
        paths: the paths of known columns, where they differ from the names; None: it is lost, and
            the first one takes the column that would have got it.
    """

    def __init__(self, reserved: Collection[str], known: Iterable[str], paths: SourcePaths) -> None:
        self._taken = {*reserved, *known}
        self._columns: dict[Path, str] = {
            tuple(paths.get(name) or name.split("__")): name
            for name in known
            if name not in reserved and not name.startswith(DLT_PREFIX)
        }
        self._lost = {name for name in self._columns.values() if paths.get(name, ()) is None}

    def source_paths(self) -> dict[str, Path]:
        """Return the paths of columns, where they differ from the names."""
        return {
            name: path for path, name in self._columns.items() if path != tuple(name.split("__"))
        }

    def is_identity(self, path: Path) -> bool:
        """Return whether a path's name in the API is the column's name."""
        return path in self._columns or "__".join(map(str, path)) == _normalize_path(path)

    def column(self, path: Path) -> str:
        """Return the column of a path; `(*path, None, TYPE)` is the path of a variant column."""
        if path not in self._columns:
            name = self._unused_name(path)
            if name in self._lost:
                del self._columns[tuple(name.split("__"))]
            self._columns[path] = name
            self._taken.add(name)
        self._lost.discard(self._columns[path])
        return self._columns[path]

    def _unused_name(self, path: Path) -> str:
        is_variant = None in path
        plain = (
            f"{self.column(path[:-2])}{VARIANT}{path[-1]}" if is_variant else _normalize_path(path)
        )
        name, number = plain, 1
        while name in self._taken - self._lost:
            number += 1
            name = f"{plain}__x{number}"
        return name


def _normalize_path(path: Path) -> str:
    name = "__".join(normalize_name(str(part)) for part in path)
    return f"api{name}" if name.startswith(DLT_PREFIX) else name
