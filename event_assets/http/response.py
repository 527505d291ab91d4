"""A response that is read whole and decoded once."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import BaseHTTPResponse

from event_assets.config.http import DEFAULT_LIMITS
from event_assets.values.errors import ResponseTooLargeError
from event_assets.values.redaction import SecretRedactor

MB = 1_000_000


def read_body(raw: BaseHTTPResponse, max_megabytes: int) -> bytes:
    """Read and decompress a body in chunks.

    Raises:
        ResponseTooLargeError: If it is larger than the limit.
    """
    chunks, size = [], 0
    try:
        for chunk in raw.stream():
            size += len(chunk)
            if size > max_megabytes * MB:
                raise ResponseTooLargeError
            chunks.append(chunk)
    except BaseException:
        raw.close()  # the rest would be taken for the next response on this connection
        raise
    return b"".join(chunks)


class JsonResponse(requests.Response):
    """A response that was read whole, without secrets; decodes its JSON once, by orjson."""

    is_replayed = False  # whether it was recorded by an earlier run of the sync
    address = DEFAULT_LIMITS.address  # the setting that holds the API's address
    key_name = ""  # the variables that hold the key; empty without a key, or if it is in the YAML
    redact: Callable[[str], str] = str  # masks the secrets in a text

    def __init__(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        super().__init__()
        self.status_code = status
        self.headers = CaseInsensitiveDict(headers)
        self.encoding = get_encoding_from_headers(self.headers)
        self._body = content

    @property
    def content(self) -> bytes:
        """The whole body, without secrets."""
        return self._body

    def json(self, **_: Any) -> Any:
        """Return the decoded body.

        Raises:
            requests.exceptions.JSONDecodeError: If it is not JSON.
        """
        if not hasattr(self, "_document"):
            try:
                self._document = orjson.loads(self.content.removeprefix(BOM_UTF8))
            except orjson.JSONDecodeError:
                self._document = self._decode_leniently()
        return self._document

    def _decode_leniently(self) -> Any:
        """Decode JSON with NaN, lone surrogates, or a charset other than UTF-8."""
        with suppress(ValueError, LookupError, RecursionError):
            document = json.loads(self.text.removeprefix("\ufeff"), parse_constant=lambda _: None)
            text = json.dumps(document, ensure_ascii=False).encode(errors="replace").decode()
            return json.loads(text)
        raise requests.exceptions.JSONDecodeError("not JSON", "", 0)


def build_response(raw: BaseHTTPResponse, content: bytes, redactor: SecretRedactor) -> JsonResponse:
    """Build a response from its head and its body, without the secrets in them."""
    redact = redactor.redact_content
    headers = {name: redact(value.encode()).decode() for name, value in raw.headers.items()}
    response = JsonResponse(redact(content), headers, raw.status)
    response.raw, response.reason = raw, raw.reason or ""
    response.redact = redactor.redact_text
    return response
