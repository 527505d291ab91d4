"""A response that is read whole and decoded once."""

from __future__ import annotations

import json
import re
import zlib
from codecs import register_error
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Any

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from event_assets._compat.urllib3 import PlainResponse, client
from event_assets.config.http import DEFAULT_LIMITS
from event_assets.values.errors import InvalidResponseError, ResponseTooLargeError
from event_assets.values.json_text import decode_leniently, decode_strictly
from event_assets.values.redaction import KNOWN, SecretRedactor

MB = 1_000_000
CHUNK = 65_536  # bytes
GZIP = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"  # compressed bodies begin with it, and JSON never, whatever headers say
# What a body is that is not JSON, by how it begins.
OTHER_FORMATS = {
    "HTML": re.compile(r"\s*<(!doctype html|html|head|body|meta|script|br|div|p)\b", re.IGNORECASE),
    "XML": re.compile(r"\s*<\?xml|\s*<\w+[\s>]"),
    "JSONP": re.compile(r"\s*(/\*.*?\*/)?[\w.$]+\(\s*[{\[]"),
    "JSON Lines": re.compile(r"\s*\{.*\}\s*\n\s*\{"),
    "iCalendar": re.compile(r"\s*BEGIN:VCALENDAR"),
}


def _decode_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decode bytes that are not UTF-8 by the charset that many use and few declare."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


WINDOWS_1252 = "windows-1252 where not utf-8"
register_error(WINDOWS_1252, _decode_windows_1252)


def read_body(response: client.HTTPResponse, encoding: str | None, max_size: int) -> bytes:
    """Read and decompress a body of at most this many bytes.

    Raises:
        ResponseTooLargeError: It is larger.
        InvalidResponseError: It is compressed, and its end is missing.
        IncompleteRead: It ends before its end, or is in chunks that cannot be.
    """
    if response.length is None:  # its end shows how long it is
        try:
            body = _join(iter(partial(response.read, CHUNK), b""), max_size)
        except ValueError as error:  # a chunk of a negative length
            raise client.IncompleteRead(b"") from error
    elif response.length > max_size:
        raise ResponseTooLargeError
    else:
        body = response.read()
    if body[:1] in (b"{", b"["):
        return body
    if body.startswith(GZIP_MAGIC) and encoding in (None, "gzip"):
        encoding = "gzip"
        with suppress(zlib.error):  # in half the time that urllib3 takes
            decompressor = zlib.decompressobj(GZIP)
            content = decompressor.decompress(body, max_size)
            if decompressor.eof and not decompressor.unused_data:
                return content
            is_whole = decompressor.eof or content.rstrip().endswith((b"}", b"]"))
            if not is_whole and not decompressor.unconsumed_tail:
                raise InvalidResponseError("is compressed and cut off")
    elif not encoding or encoding == "gzip":
        return body
    named = {"Content-Encoding": encoding}
    encoded = urllib3.HTTPResponse(BytesIO(body), named, preload_content=False)
    return _join(encoded.stream(CHUNK), max_size)


def _join(chunks: Iterable[bytes], max_size: int) -> bytes:
    joined = bytearray()
    for chunk in chunks:
        joined += chunk
        if len(joined) > max_size:
            raise ResponseTooLargeError
    return bytes(joined)


class JsonResponse(requests.Response):
    """A response that was read whole, without secrets; decodes its JSON once."""

    is_replayed = False  # whether it was recorded by an earlier run of the sync
    limits = DEFAULT_LIMITS
    key_name = ""  # the variables that hold the key; empty without a key, or if it is in the YAML
    redactor = KNOWN
    document: Any  # the decoded body, once it is
    digest: bytes | None = None  # of the text of its records, if that is plain JSON

    def __init__(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        super().__init__()
        self.status_code = status
        self.headers = CaseInsensitiveDict(headers)
        self.encoding = get_encoding_from_headers(self.headers)
        self._body, self._content_consumed = content, True

    @property
    def content(self) -> bytes:
        """The whole body, without secrets: in UTF-8 once it was decoded leniently."""
        return self._body

    def json(self, **_: Any) -> Any:
        """Return the decoded body.

        Raises:
            requests.exceptions.JSONDecodeError: If it is not JSON.
        """
        if not hasattr(self, "document"):
            try:
                self.document = decode_strictly(self._body)
            except ValueError:
                self.document, self.digest = self._decode_leniently(), None
        return self.document

    def _decode_leniently(self) -> Any:
        """Decode JSON in any charset, or such as the standard does not allow."""
        body = self.redactor.redact_content(self._find_text().encode(errors="replace"), lines=True)
        with suppress(ValueError, RecursionError):
            document = decode_leniently(body.decode())
            self._body, self.encoding = body, "utf-8"
            return document
        raise requests.exceptions.JSONDecodeError("not JSON", "", 0)

    def _find_text(self) -> str:
        """Return the body as text: by its byte order mark, its declared charset, or UTF-8."""
        declared = self.encoding or "utf-8"
        charsets = ["utf-8", declared] if declared == "ISO-8859-1" else [declared, "utf-8"]
        if (detected := json.detect_encoding(self._body)) != "utf-8":
            charsets.insert(0, detected)
        for charset in charsets:
            with suppress(UnicodeError, LookupError):
                return self._body.decode(charset)
        return self._body.decode(errors=WINDOWS_1252)


def describe_format(text: str) -> str:
    """Return that a text is not JSON, and the format that it has instead, if it is a known one."""
    known = (name for name, begins in OTHER_FORMATS.items() if begins.match(text.lstrip("\ufeff")))
    return " but ".join(["is not JSON", *islice(known, 1)])


def build_response(
    raw: urllib3.BaseHTTPResponse | PlainResponse, redactor: SecretRedactor
) -> JsonResponse:
    """Build a response from one that was read, without the secrets in its head and its body."""
    head = {"": raw.reason or "", **raw.headers}
    on_wire = "\n".join(head.values()).encode("latin-1", "replace")
    if redactor.redact_content(on_wire) != on_wire:  # one search for all is quicker
        head = {name: redactor.redact_text(value) for name, value in head.items()}
    reason = head.pop("")
    response = JsonResponse(redactor.redact_content(raw.data or b""), head, raw.status)
    response.raw, response.reason, response.redactor = raw, reason, redactor
    return response
