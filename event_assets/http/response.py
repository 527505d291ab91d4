"""An answer of the API, read whole and decoded once."""

from __future__ import annotations

import json
from typing import Any

import orjson
import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from event_assets.values.redaction import SecretRedactor


class JsonResponse(requests.Response):
    """An answer that was read whole, and whose JSON is decoded once, with orjson.

    `content` is its body, read from `raw`.
    """

    def __init__(
        self,
        raw: urllib3.BaseHTTPResponse,
        content: bytes,
        hiding: SecretRedactor,
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
