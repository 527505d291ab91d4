"""A response that is read whole and decoded once."""

from __future__ import annotations

import json
from typing import Any

import orjson
import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from event_assets.values.errors import ResponseTooLargeError
from event_assets.values.redaction import SecretRedactor

MB = 1_000_000
CHUNK_BYTES = 1 << 16


def read_body(raw: urllib3.BaseHTTPResponse, max_megabytes: int) -> bytes:
    """Read and decompress a body in chunks.

    Raises:
        ResponseTooLargeError: If it is larger than the limit.
    """
    chunks, size = [], 0
    try:
        for chunk in raw.stream(CHUNK_BYTES):
            size += len(chunk)
            if size > max_megabytes * MB:
                raise ResponseTooLargeError
            chunks.append(chunk)
    except BaseException:
        raw.close()  # the rest would be taken for the next response on this connection
        raise
    return b"".join(chunks)


class JsonResponse(requests.Response):
    """A response with the body `content`, read from `raw`; decodes its JSON once, by orjson."""

    def __init__(
        self, raw: urllib3.BaseHTTPResponse, content: bytes, redactor: SecretRedactor
    ) -> None:
        super().__init__()
        self.raw = raw
        self.status_code = raw.status
        self.reason = raw.reason or ""
        self.headers = CaseInsensitiveDict(
            {
                name: redactor.redact_content(value.encode()).decode()
                for name, value in raw.headers.items()
            }
        )
        self.encoding = get_encoding_from_headers(self.headers)
        self._body = redactor.redact_content(content)

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
                self._document = orjson.loads(self.content)
            except orjson.JSONDecodeError:
                self._document = self._decode_leniently()
        return self._document

    def _decode_leniently(self) -> Any:
        """Decode JSON with NaN, lone surrogates, or a charset other than UTF-8."""
        try:
            document = json.loads(self.text, parse_constant=lambda _: None)
            return json.loads(
                json.dumps(document, ensure_ascii=False).encode(errors="replace").decode()
            )
        except (ValueError, LookupError, RecursionError):
            pass
        raise requests.exceptions.JSONDecodeError("not JSON", "", 0)
