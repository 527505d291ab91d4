"""Recognize pages whose records are, byte for byte, some that the last sync has loaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from math import inf
from typing import Any, TypedDict

import msgspec

from event_assets.config.source import ResourceConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.empty_page import WORD_LISTS
from event_assets.extract.records_selector import RecordsSelector
from event_assets.extract.struct_decoder import StructDecoder, can_decode
from event_assets.http.error_text import find_named_error, letters_and_digits
from event_assets.pagination.vocabulary import NEXT, PAGE_OBJECT, plain_name
from event_assets.records.contract import build_id_reader
from event_assets.values.conversion import to_json
from event_assets.values.json_paths import parse_path, template_paths
from event_assets.values.json_text import decode_strictly

DIGEST_SIZE = 16  # bytes
VALUES = re.compile(rb'[^{}:,"\\]+')  # and names, before the first list of a document
split_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
split_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class KnownPages:
    """The pages of a stream. Records of known ones are not decoded, but for their ids.

    The first and the last two are, since they show how a list goes on.

    Attributes:
        digest: of the records of the newest page; None: it cannot be recognized.
        is_known: whether the newest page is known; `are_near`: or the one before.
    """

    def __init__(self, resource: ResourceConfig, known: Collection[bytes]) -> None:
        """`known`: the digests of pages whose records are all loaded."""
        from event_assets.warehouse.merge import MAX_ROWS  # with DuckDB, which a probe does without

        self._selector, self._known = resource.endpoint["data_selector"], known
        self._rows: Sequence[Any] = ()  # of the newest page
        # Until the list has too many to be remembered; known pages are recognized all the same.
        self._rows_left = inf if known else MAX_ROWS
        self._last: Any = None  # the last record of the page before, if it was delivered
        self._structs = StructDecoder(resource) if can_decode(resource) else None
        self.digest: bytes | None = None
        self.is_known = self.are_near = False
        self.read_ids = build_id_reader(resource)
        paths = {path for choice in resource.id_paths for path in template_paths(choice)}
        names = paths | {parse_path(path)[0] for path in paths}
        key: Any = TypedDict("key", dict.fromkeys(names, Any), total=False)  # type: ignore[misc]
        self._decode_ids = msgspec.json.Decoder(list[key]).decode

    def prepare(self, response: Any) -> None:
        """Decode a response whose records are known, or are as those of others."""
        self._recognize(response)
        if self._structs and not hasattr(response, "document"):
            self._structs.decode(response)

    def _recognize(self, response: Any) -> None:
        """Note the digest of a response's records; decode the response if they are known."""
        if self._rows_left < 0:
            return
        with suppress(ValueError, LookupError, RecursionError):  # then it is decoded as any other
            start, end = response.content.index(b"["), response.content.rindex(b"]") + 1
            hashed = hashlib.sha256(VALUES.sub(b"", response.content[:start]))
            hashed.update(memoryview(response.content)[start:end])
            if (digest := hashed.digest()[:DIGEST_SIZE]) in self._known:
                members: dict[str, Any] = split_object(response.content)
                text = members[self._selector]
                texts, members[self._selector] = split_list(text), b"[]"
                document = {name: decode_strictly(bytes(one)) for name, one in members.items()}
                document[self._selector] = rows = self._decode_ids(text)
                for at in {0, max(0, len(rows) - 2), len(rows) - 1}:
                    rows[at] = decode_strictly(bytes(texts[at]))
                response.document = document
            response.digest = digest

    def watch(self, select: RecordsSelector) -> RecordsSelector:
        """Return a function that selects the records of a response, and goes on to its page."""

        def select_records(response: Any) -> list[Any]:
            self._rows, was_known = select(response), self.is_known
            self._rows_left -= len(self._rows)
            self.digest = getattr(response, "digest", None)
            self.is_known = self.digest in self._known
            self.are_near = self.is_known or was_known
            return self._rows

        return select_records

    def are_loaded(self, rows: Sequence[Any]) -> bool:
        """Return whether each record of the newest page is, or equals, one that is loaded.

        `rows` of them are loaded; the first one may be the last one of the page before.
        """
        page, before = self._rows, self._last
        self._last = rows[-1] if rows and rows[-1] is page[-1] else None
        if self.digest is None or not rows or find_named_error(page[0]):
            return False
        is_overlap = len(rows) == len(page) - 1 and rows[0] is page[1]
        return len(rows) == len(page) or (is_overlap and to_json(page[0]) == to_json(before))


def can_recognize(resource: ResourceConfig) -> bool:
    """Return whether a resource is one list of events in a member of its own, and kept whole."""
    source, name = resource.source, str(resource.endpoint.get("data_selector") or "")
    is_other = source.windows or source.exclude or source.only or source.accounts
    is_list = resource.is_events and resource.paginator and not (resource.parent or is_other)
    describes = NEXT.fullmatch(plain_name(name)) or PAGE_OBJECT.fullmatch(plain_name(name))
    describes = describes or WORD_LISTS.fullmatch(letters_and_digits(name))
    is_plain = name.isidentifier() and "*" not in "".join(resource.id_paths)
    is_full = not IncrementalCursor.from_endpoint(resource.endpoint)
    return bool(is_list and is_plain and is_full and not describes)
