"""Format values of an API for display: short, printable, without secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from event_assets.values.conversion import to_json
from event_assets.values.redaction import SecretRedactor


class SafeFormatter:
    """Formats values without secrets, which an API may send back in any field."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = list(secrets)
        self.redact = SecretRedactor(self.secrets).redact_text

    def format(self, value: Any, max_length: int = 40) -> str:
        """Return a value on one line: text as it is, anything else as JSON."""
        text = self.redact(value if isinstance(value, str) else to_json(value))
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        return text if len(text) <= max_length else f"{text[:max_length]} ..."

    def format_list(self, values: Iterable[Any]) -> str:
        """Return the values in backquotes, with commas between."""
        return ", ".join(f"`{self.format(value)}`" for value in values)


def format_duration(seconds: float) -> str:
    """Return a duration in s or ms."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
