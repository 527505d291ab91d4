"""Streams of a resource's records, read without a database."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.extract.response_check import response_check
from event_assets.extract.stream import Stream, open_stream
from event_assets.http.journal import open_journal
from event_assets.http.response import JsonResponse
from event_assets.pagination.result import PaginationResult
from event_assets_tests.support.api_server import Handler, serving
from event_assets_tests.support.platforms import source


@contextmanager
def reading(
    rest_api: Mapping[str, Any],
    resource: str = EVENT_DATA,
    *,
    parents: Iterable[Mapping[str, Any]] = (),
    cursor_value: Any = None,
    **settings: Any,
) -> Iterator[Stream]:
    """Open the stream of a resource of dlt's REST API configuration."""
    fields = {"id": FieldConfig(type="text")}
    config = SourceConfig(name="events", rest_api=rest_api, fields=fields, **settings)
    with reading_source(config, resource, parents=parents, cursor_value=cursor_value) as stream:
        yield stream


@contextmanager
def reading_source(
    config: SourceConfig,
    resource: str = EVENT_DATA,
    *,
    parents: Iterable[Mapping[str, Any]] = (),
    cursor_value: Any = None,
) -> Iterator[Stream]:
    """Open the stream of a resource of a source."""
    with (
        TemporaryDirectory() as folder,
        open_journal(Path(folder) / "journal", "", 0) as journal,
        open_stream(config.resources[resource], journal, cursor_value, parents) as stream,
    ):
        yield stream


def read_all(stream: Stream) -> list[Any]:
    """Return the records of a stream."""
    return [record for page in stream.read_pages() for record in page]


def read_list(answer: Handler, **endpoint: Any) -> tuple[list[Any], PaginationResult]:
    """Return the records of a list that is served, and the result of its pagination."""
    with serving({"/v1/events": answer}) as api:
        document = source(api.url, endpoint=endpoint)
        with reading(document["attributes"]["rest_api"]) as stream:
            return read_all(stream), stream.result


def checks(selector: str | None) -> Callable[[Any], str | None]:
    """Return the check of the documents of one list."""
    check = response_check({"data_selector": selector}, has_id)
    return lambda document: check(JsonResponse(orjson.dumps(document), {}))


def has_id(value: Any) -> bool:
    """Return whether a value is a record of an event."""
    return isinstance(value, dict) and "id" in value
