"""Decode the records of pages into structs, while they have the members of those before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import takewhile
from typing import Annotated, Any

import msgspec

from event_assets.config.source import ResourceConfig
from event_assets.http.response import JsonResponse
from event_assets.records.arrow_builder import MAX_DEPTH
from event_assets.records.contract import build_contract
from event_assets.values.json_paths import as_list, parse_path, template_paths
from event_assets.values.json_structs import JsonStruct, Path, build_struct

ID = Annotated[str, msgspec.Meta(min_length=1)] | int
NUMBERED = ("offset", "page_number")  # paginators; others wait for each response anyway
MAX_MISSES = 0.1  # of the pages; more, and their records differ too much


class StructDecoder:
    """Decodes pages whose records have the members that those of a page before had.

    The first record and the last two stay dictionaries: they show how a list goes on.

    Attributes:
        misses: the pages that were decoded in vain, since they have other members.
    """

    def __init__(self, resource: ResourceConfig) -> None:
        self._selector: str = resource.endpoint["data_selector"]
        self._id = resource.id_paths[0]
        self._kept = _contract_places(resource)
        self._page: type[JsonStruct] | None = None  # None: how the records are is not known
        self._pages = self.misses = 0

    def decode(self, response: JsonResponse) -> None:
        """Set the document of a response, unless it has to be decoded leniently."""
        self._pages += 1
        if self._page is not None:
            with suppress(ValueError, RecursionError):
                response.document = self._decode(response.content, self._page)
                return
            self.misses += 1
        self._page = None
        if self.misses <= 1 + self._pages * MAX_MISSES:
            with suppress(ValueError):
                self._page = self._build_page(response.json())

    def _decode(self, content: bytes, page_type: type[JsonStruct]) -> dict[str, Any]:
        page = msgspec.json.decode(content, type=page_type)
        document = dict(zip(page.attributes, msgspec.structs.astuple(page), strict=True))
        rows = document[self._selector]
        for at in {0, max(0, len(rows) - 2), len(rows) - 1} if rows else ():
            rows[at] = msgspec.to_builtins(rows[at])
        return document

    def _build_page(self, document: Any) -> type[JsonStruct] | None:
        """Build the type of pages that are as this one; None if its records are not uniform."""
        rows = document.get(self._selector) if isinstance(document, dict) else None
        if not isinstance(rows, list) or set(map(type, rows)) != {dict}:
            return None
        record = build_struct(rows, self._kept, MAX_DEPTH - 1, {self._id: ID})
        return record and build_struct([document], (), 0, {self._selector: _list_of(record)})


def _list_of(kind: type[JsonStruct]) -> Any:
    return list[kind]  # type: ignore[valid-type]


def can_decode(resource: ResourceConfig) -> bool:
    """Return whether pages are read ahead, and only what has the `id` reads all records there."""
    paginator = resource.paginator
    is_numbered = isinstance(paginator, Mapping) and paginator.get("type") in NUMBERED
    is_plain = len(resource.id_paths) == 1 and resource.id_paths[0].isidentifier()
    is_whole = not resource.source.removed_when and () not in _contract_places(resource)
    return is_numbered and is_plain and is_whole


def _contract_places(resource: ResourceConfig) -> Collection[Path]:
    """Return the paths that the contract reads, up to the members of any name."""
    readers = build_contract(resource).values()
    zones = [zone for reader in readers for zone in as_list(reader.field.timezone)]
    choices = [*zones, *(path for reader in readers for path in reader.source_paths)]
    paths = [parse_path(path) for choice in choices for path in template_paths(choice)]
    return {tuple(takewhile(lambda name: name != "*", path)) for path in paths}
