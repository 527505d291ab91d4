"""What the records of a sync were like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class RecordStats:
    """Goes on from one part of a sync to the next.

    Attributes:
        held: the columns that held a value, and their types by dlt's names.
        reasons: how many records broke the contract, by field and reason.
        rejected: which these were, as `key_of` tells them.
        inexact: columns of whole numbers too large to be floats.
    """

    observed_types: dict[str, str] = field(default_factory=dict)
    reasons: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    rejected: set[int] = field(default_factory=set)
    inexact: set[str] = field(default_factory=set)


def reject_key(key: str | None, record: str) -> int:
    """Tell a record that is rejected from others: by its id, or else by all of it."""
    return hash(key or record)
