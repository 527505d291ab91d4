"""An answer of the API, read whole and decoded once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

SHORTEST = 8  # characters of a secret that is looked for in answers: a shorter one may be a word
MASK = b"***"


class Hiding:
    """Takes secrets out of answers, for servers that send them back."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: list[bytes] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Take out another one from now on."""
        if secret in self._known or len(secret) < SHORTEST:
            return
        self._known.add(secret)
        forms = {
            form.encode()
            for plain in (secret, quote(secret, safe=""), quote_plus(secret), *_coded(secret))
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


def _coded(secret: str) -> Iterator[str]:
    """Give what a secret is in base64, as Basic authentication sends it, at any place in a text."""
    for before in range(3):
        coded = b64encode(b"\0" * before + secret.encode()).rstrip(b"=").decode()
        whole = (before + len(secret.encode())) * 8 // 6  # characters that depend on it alone
        yield coded[-(-before * 8 // 6) : whole]


class Answer(requests.Response):
    """An answer that was read whole, and whose JSON is decoded once, with orjson.

    `content` is its body, read from `raw`.
    """

    def __init__(
        self,
        raw: urllib3.BaseHTTPResponse,
        content: bytes,
        hiding: Hiding,
    ) -> None:
        super().__init__()
        self.raw = raw
        self.status_code = raw.status
        self.reason = raw.reason or ""
        shown = {
            name: hiding.hidden(value.encode()).decode() for name, value in raw.headers.items()
        }
        self.headers = CaseInsensitiveDict(shown)
        self.encoding = get_encoding_from_headers(self.headers)
        self._content = hiding.hidden(content)

    def json(self, **_: Any) -> Any:
        """Give the body.

        Raises:
            requests.exceptions.JSONDecodeError: when it is not JSON.
        """
        if not hasattr(self, "_document"):
            try:
                self._document = orjson.loads(self.content)
            except orjson.JSONDecodeError:
                self._document = self._leniently()
        return self._document

    def _leniently(self) -> Any:
        """Read what is JSON but for NaN, half a character, or a charset other than UTF-8."""
        try:
            document = json.loads(self.text, parse_constant=lambda _: None)
            return json.loads(
                json.dumps(document, ensure_ascii=False).encode(errors="replace").decode()
            )
        except (ValueError, LookupError, RecursionError):
            pass
        raise requests.exceptions.JSONDecodeError("This is not JSON.", "", 0)
