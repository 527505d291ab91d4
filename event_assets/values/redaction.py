"""Mask secrets in responses and messages."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

# A shorter secret may be an ordinary word or number. In records it stays: masking it would change
# data, or make JSON invalid. In text for people it is masked where it stands alone.
MIN_SECRET_LENGTH = 8
MASK = "***"
SECRET_NAME = re.compile(
    "key|token|secret|password|authorization|signature|client_id|webhook", re.IGNORECASE
)


class SecretRedactor:
    """Masks secrets, in every form in which a server or a library may quote them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._forms: list[bytes] = []
        self._short_forms: set[str] = set()
        self._short_pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask another secret from now on, also in other threads."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        if len(secret) >= MIN_SECRET_LENGTH:
            forms = {form.encode() for form in (*_plain_forms(secret), *_base64_forms(secret))}
            # A new list: other threads may be reading this one.
            self._forms = sorted(forms.union(self._forms), key=len, reverse=True)
        else:
            self._short_forms = self._short_forms | _plain_forms(secret)
            words = "|".join(map(re.escape, sorted(self._short_forms, key=len, reverse=True)))
            self._short_pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)")

    def redact_content(self, content: bytes) -> bytes:
        """Return the content of a response without secrets."""
        for form in self._forms:
            if form in content:
                content = content.replace(form, MASK.encode())
        return content

    def redact_text(self, text: str) -> str:
        """Return a text for people without secrets, short ones included."""
        content = self.redact_content(text.encode(errors="surrogatepass"))
        text = content.decode(errors="surrogatepass")
        return self._short_pattern.sub(MASK, text) if self._short_pattern else text


def find_secrets(settings: Any) -> list[str]:
    """Return the values of settings with the name of a secret, and the passwords in URLs."""
    found: list[str] = []
    for name, value in settings.items() if isinstance(settings, Mapping) else ():
        if value and SECRET_NAME.search(str(name)):
            found.append(str(value))
        elif isinstance(value, str) and "://" in value and "@" in value:
            with suppress(ValueError):  # not a URL
                if password := urlsplit(value).password:
                    found.append(password)
    return found


def _plain_forms(secret: str) -> set[str]:
    """Return a secret as it is, in URLs and in JSON."""
    in_urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    forms = {secret, *in_urls, *in_json}
    return forms | {form.replace("/", "\\/") for form in forms}


def _base64_forms(secret: str) -> Iterator[str]:
    """Yield a secret in base64, as Basic authentication sends it, at any offset in a text."""
    for before in range(3):
        coded = b64encode(b"\0" * before + secret.encode()).rstrip(b"=").decode()
        whole = (before + len(secret.encode())) * 8 // 6  # characters that depend on it alone
        yield coded[-(-before * 8 // 6) : whole]
