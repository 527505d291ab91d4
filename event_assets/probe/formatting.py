"""What the API sent, as it may be shown: without the key, safe for a terminal, short."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from event_assets.values.types import to_json

LONGEST = 40  # characters of one value
SHORTEST = 4  # characters of a secret: a shorter one is part of any word
MASK = "***"


class SafeFormatter:
    """Shows values of an API without its secrets, which it may send back in any field."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = [secret for secret in secrets if len(secret) >= SHORTEST]
        forms = {form for secret in self.secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def masked(self, text: str) -> str:
        """Take the secrets out of a text."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def show(self, value: Any, longest: int = LONGEST) -> str:
        """Write a value on one line: text as it is, all else as JSON."""
        text = self.masked(value if isinstance(value, str) else to_json(value))
        text = "".join(char if char.isprintable() else _escaped(char) for char in text)
        return text if len(text) <= longest else f"{text[:longest]} ..."

    def list(self, values: Iterable[Any]) -> str:
        """Write several values."""
        return ", ".join(f"`{self.show(value)}`" for value in values)


def _forms(secret: str) -> set[str]:
    """A secret, and what it looks like in a URL or in JSON."""
    in_json = {to_json(secret)[1:-1], json.dumps(secret)[1:-1]}
    return {secret, quote(secret, safe=""), quote_plus(secret), *in_json}


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def pluralize(count: int, what: str = "record") -> str:
    """Say how many: `1 record`, `2,000 records`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def format_duration(seconds: float) -> str:
    """Say how long something took."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def secrets_by_name(settings: Any) -> list[str]:
    """Give the values of headers or parameters that by their name are secrets."""
    if not isinstance(settings, Mapping):
        return []
    return [
        str(value)
        for name, value in settings.items()
        if value and any(word in str(name).lower() for word in SECRET_NAMES)
    ]


SECRET_NAMES = ("key", "token", "secret", "password", "authorization", "signature")
