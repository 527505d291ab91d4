"""Statistics of the records of a sync."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class RecordStats:
    """Statistics that add up over the batches of a sync.

    Attributes:
        observed_types: the types of the columns that had a value, by dlt's names.
        reasons: the number of rejects, by field and reason.
        rejected: the keys of the rejects (`reject_key`).
        inexact: integer columns with values that floats cannot hold.
    """

    observed_types: dict[str, str] = field(default_factory=dict)
    reasons: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    rejected: set[int] = field(default_factory=set)
    inexact: set[str] = field(default_factory=set)


def reject_key(key: str | None, record: str) -> int:
    """Return the key that identifies a reject: its id, or else the whole record."""
    return hash(key or record)
