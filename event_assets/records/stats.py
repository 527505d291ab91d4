"""Statistics of the records of a sync."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class RecordStats:
    """Statistics that add up over the batches of a sync."""

    observed_types: dict[str, str] = field(default_factory=dict)  # of columns that had a value
    reasons: Counter[tuple[str | None, str]] = field(default_factory=Counter)  # by field, reason
    rejected: set[int] = field(default_factory=set)  # by `reject_key`
    inexact: set[str] = field(default_factory=set)  # integer columns that floats cannot hold


def reject_key(key: str | None, record: str) -> int:
    """Return the key that identifies a reject: its id, or else the whole record."""
    return hash(key or record)
