"""What a sync asks first, known without asking it."""

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
from event_assets.extract.stream import (
    build_page_resource,
    build_paginator,
    configured_paginator,
    resolve_endpoint,
)
from event_assets.extract.stream_state import Sync
from event_assets.pagination import create_paginator
from event_assets.records.contract import build_id_reader
from event_assets.values.errors import ConfigError


@dataclass(frozen=True)
class FirstRequest:
    """A sync's first request, and what its further ones are made with.

    Attributes:
        base_url: where the API is.
        auth: what adds the key, or None.
        request: the first one, without the key.
        endpoint: dlt's configuration of `event_data`'s requests, with the defaults merged in.
        paginator: a fresh one, which pages on from there; its `init_request` was not called.
    """

    base_url: str
    auth: AuthBase | None
    request: requests.Request
    endpoint: Mapping[str, Any]
    paginator: BasePaginator


@contextmanager
def open_first_request(source: SourceConfig) -> Iterator[FirstRequest]:
    """Give what a full sync asks first, without asking it, while the API can be asked.

    Raises:
        ConfigError: when the key is missing, or there can be no first request.
    """
    events = source.events
    if events.parent:
        raise ConfigError(
            f"`event_data` is asked for by the records of `{events.parent}`: without these there "
            "is no first request to look at; sync, and look at the checks."
        )
    try:
        whole = build_paginator(events, Sync(show=lambda _: None))
        alone = create_paginator(configured_paginator(events), build_id_reader(events))
        selector = events.endpoint.get("data_selector")
        jsonpath.compile_path(selector or "$")
    except JSONPathError:
        raise ConfigError(f"The data_selector `{selector}` is no JSON path.") from None
    except ValueError as error:
        raise ConfigError(f"defs.yaml does not work: {error}.") from None
    recorder = RecordingSession()
    with resolve_endpoint(events) as (base_url, auth):
        request = recorder.first_of(
            build_page_resource(events, base_url, recorder, whole, (), None)
        )
        yield FirstRequest(base_url, auth, request, events.endpoint, alone)


class _NothingIsAskedError(Exception):
    """Ends a reading before its first request is sent."""


class RecordingSession(requests.Session):
    """A session that notes the request that it is to send, and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: requests.Request | None = None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Note the request, and end the reading."""
        self.noted = request
        raise _NothingIsAskedError

    def first_of(self, pages: Iterable[Any]) -> requests.Request:
        """Give the request that reading the first of `pages` would send by this session.

        Raises:
            Exception: what kept dlt from making it.
        """
        try:
            next(iter(pages), None)
        except Exception:
            if self.noted is None:
                raise
        if self.noted is None:
            raise ValueError("The configuration of `event_data` makes no request.")
        return self.noted
