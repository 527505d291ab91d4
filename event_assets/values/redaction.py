"""Take secrets out of text."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterator
from urllib.parse import quote, quote_plus

MIN_SECRET_LENGTH = (
    8  # characters of a secret that is looked for in answers: a shorter one may be a word
)
MASK = b"***"


class SecretRedactor:
    """Takes secrets out of answers, for servers that send them back."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: list[bytes] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take out another one from now on."""
        if secret in self._known or len(secret) < MIN_SECRET_LENGTH:
            return
        self._known.add(secret)
        forms = {
            form.encode()
            for plain in (
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                *_base64_forms(secret),
            )
            for form in (plain, json.dumps(plain)[1:-1], plain.replace("/", "\\/"))
        }
        # A new list: other threads may be reading this one.
        self._forms = sorted(forms.union(self._forms), key=len, reverse=True)

    def hidden(self, text: bytes) -> bytes:
        """Give a text without them."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _base64_forms(secret: str) -> Iterator[str]:
    """Give what a secret is in base64, as Basic authentication sends it, at any place in a text."""
    for before in range(3):
        coded = b64encode(b"\0" * before + secret.encode()).rstrip(b"=").decode()
        whole = (before + len(secret.encode())) * 8 // 6  # characters that depend on it alone
        yield coded[-(-before * 8 // 6) : whole]
