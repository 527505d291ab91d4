"""Build the first request of a sync without sending it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from jsonpath_ng.exceptions import JSONPathError
from requests.auth import AuthBase

from event_assets.config.source import SourceConfig
from event_assets.extract import stream
from event_assets.extract.stream_state import Sync
from event_assets.pagination.factory import create_paginator
from event_assets.records.contract import build_id_reader
from event_assets.values.errors import ConfigError


@dataclass(frozen=True)
class FirstRequest:
    """The first request of a sync, and what the next requests are built from."""

    base_url: str
    auth: AuthBase | None  # adds the key
    request: requests.Request  # without the key
    endpoint: Mapping[str, Any]  # of `event_data`, merged with the defaults
    paginator: BasePaginator  # its `init_request` has not been called


@contextmanager
def open_first_request(source: SourceConfig) -> Iterator[FirstRequest]:
    """Yield the first request of a full sync; the API accepts requests until exit.

    Raises:
        ConfigError: the key is missing, or there is no first request.
    """
    events = source.events
    if events.parent:
        raise ConfigError(
            f"`event_data` is requested for each record of `{events.parent}`, so it has no first "
            "request to inspect; run a sync and read its checks."
        )
    try:
        paginator = stream.build_paginator(events, Sync(on_progress=lambda _: None))
        configured = stream.configured_paginator(events)
        new_paginator = create_paginator(configured, build_id_reader(events))
        selector = events.endpoint.get("data_selector")
        jsonpath.compile_path(selector or "$")
    except JSONPathError:
        raise ConfigError(f"The data_selector `{selector}` is not a valid JSON path.") from None
    except ValueError as error:
        raise ConfigError(f"Invalid configuration in defs.yaml: {error}.") from None
    recorder = RecordingSession()
    with stream.resolve_endpoint(events) as (base_url, auth):
        request = recorder.record_first(
            stream.build_page_resource(events, base_url, recorder, paginator, (), None)
        )
        yield FirstRequest(base_url, auth, request, events.endpoint, new_paginator)


class _RequestNotSentError(Exception):
    """Stops a sync before its first request is sent."""


class RecordingSession(requests.Session):
    """A session that records the first request instead of sending it."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: requests.Request | None = None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Record the request, and stop the sync."""
        self.recorded = request
        raise _RequestNotSentError

    def record_first(self, pages: Iterable[Any]) -> requests.Request:
        """Return the request that would be sent for the first of `pages`.

        Raises:
            Exception: dlt could not build the request.
        """
        try:
            next(iter(pages), None)
        except Exception:
            if self.recorded is None:
                raise
        if self.recorded is None:
            raise ValueError("The configuration of `event_data` sends no request.")
        return self.recorded
