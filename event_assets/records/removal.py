"""Separate records that the API has marked as removed from all others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from event_assets.config.source import ResourceConfig
from event_assets.records.contract import NO_TIME, FieldReader, build_contract
from event_assets.values.conversion import to_text
from event_assets.values.json_paths import all_values_at, parse_path, values_at

NO = re.compile(rf"\s*(false|no?|0|none|null)?\s*|({NO_TIME.pattern}).*", re.IGNORECASE)


class RemovedRecords:
    """Takes the removed records out of pages, and keeps their ids.

    A removed record may lack everything but its id; one without an id is left in its page.

    Args:
        marks: paths in a record, each with a value or a list of values that mark it as removed, by
            itself or in a list of the record; True: any value but null, false, 0, what is empty,
            and texts that say so.
        id_reader: reads the `id` of the contract.
    """

    def __init__(self, marks: Mapping[str, Any], id_reader: FieldReader | None) -> None:
        self.count = 0  # repeated records included
        self._marks = {path: _accepted_texts(value) for path, value in marks.items()}
        self._id_reader = id_reader
        self._ids: list[pa.Array] = []

    @property
    def ids(self) -> pa.Table:
        """The ids of the removed records, in a column `id`."""
        return pa.table({"id": pa.chunked_array(self._ids, pa.string())})

    def take_out(self, records: Sequence[Any]) -> Sequence[Any]:
        """Return the records that are not marked as removed."""
        if not self._marks or self._id_reader is None:
            return records
        marked: set[int] = set()
        for path, accepted in self._marks.items():
            is_name = any(path in record for record in records if isinstance(record, dict))
            names = parse_path(path)
            values: Iterable[tuple[int, Any]]
            values = enumerate(values_at(records, f"['{path}']" if is_name else path))
            if "*" in names and not is_name:
                rows = enumerate(records)
                values = ((row, one) for row, each in rows for one in all_values_at(each, names))
            marked.update(row for row, value in values if _is_mark(value, accepted))
        if not marked:
            return records
        objects = [records[row] for row in marked]
        ids = self._id_reader.to_arrow(self._id_reader.read(objects), objects)
        self._ids.append(ids.drop_null())
        removed = {row for row, key in zip(marked, ids.is_valid(), strict=True) if key.as_py()}
        self.count += len(removed)
        return [record for row, record in enumerate(records) if row not in removed]


def build_removed_records(resource: ResourceConfig) -> RemovedRecords:
    """Build what tells the removed records of a resource; only events are marked."""
    marks = resource.source.removed_when if resource.is_events else {}
    return RemovedRecords(marks, build_contract(resource).get("id"))


def _accepted_texts(value: Any) -> frozenset[str | None] | None:
    """Return the values that mark a record, in small letters; None for any that is not false."""
    if value is True:
        return None
    return frozenset(map(_small_text, value if isinstance(value, list) else [value]))


def _small_text(value: Any) -> str | None:
    text = to_text(value)
    return None if text is None else text.lower()


def _is_mark(value: Any, accepted: frozenset[str | None] | None) -> bool:
    if value is None:
        return False
    if accepted is not None and isinstance(value, list):
        return any(_is_mark(one, accepted) for one in value)
    if accepted is not None:
        return _small_text(value) in accepted
    return bool(value) and not (type(value) is str and NO.fullmatch(value))
