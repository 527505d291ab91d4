"""Format values of an API for display: short, printable, without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from event_assets.values.types import to_json

MAX_VALUE_LENGTH = 40
MIN_SECRET_LENGTH = 4  # a shorter one is part of any word
MASK = "***"


class SafeFormatter:
    """Formats values without secrets, which an API may send back in any field."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH]
        forms = {form for secret in self.secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def masked(self, text: str) -> str:
        """Return the text with its secrets masked."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def format(self, value: Any, max_length: int = MAX_VALUE_LENGTH) -> str:
        """Return a value on one line: text as it is, anything else as JSON."""
        text = self.masked(value if isinstance(value, str) else to_json(value))
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
        return text if len(text) <= max_length else f"{text[:max_length]} ..."

    def format_list(self, values: Iterable[Any]) -> str:
        """Return the values in backquotes, with commas between."""
        return ", ".join(f"`{self.format(value)}`" for value in values)


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, in a URL and in JSON."""
    in_json = {to_json(secret)[1:-1], json.dumps(secret)[1:-1]}
    return {secret, quote(secret, safe=""), quote_plus(secret), *in_json}


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def pluralize(count: int, noun: str = "record") -> str:
    """Return a count with its noun: `1 record`, `2,000 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_duration(seconds: float) -> str:
    """Return a duration in s or ms."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def secrets_by_name(settings: Any) -> list[str]:
    """Return the values of headers or parameters with the name of a secret."""
    if not isinstance(settings, Mapping):
        return []
    return [
        str(value)
        for name, value in settings.items()
        if value and any(word in str(name).lower() for word in SECRET_NAMES)
    ]


SECRET_NAMES = ("key", "token", "secret", "password", "authorization", "signature")
