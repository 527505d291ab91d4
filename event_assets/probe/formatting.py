"""Format values of an API for display: short, printable, without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from event_assets.values.conversion import to_json
from event_assets.values.redaction import KNOWN


def shown(value: Any, max_length: int = 40) -> str:
    """Return a value on one line: text as it is, anything else as JSON."""
    text = KNOWN.redact_text(value if isinstance(value, str) else to_json(value))
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= max_length else f"{text[:max_length]} ..."


def shown_list(values: Iterable[Any]) -> str:
    """Return the values in backquotes, with commas between."""
    return ", ".join(f"`{shown(value)}`" for value in values)
