"""The first request of a sync, which is not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from requests import Request
from requests.auth import AuthBase

from event_assets.config.source import SourceConfig
from event_assets.extract import stream
from event_assets.extract.records_selector import build_records_selector
from event_assets.extract.requests import build_first_request
from event_assets.pagination.factory import create_paginator
from event_assets.pagination.paginator import Paginator
from event_assets.records.contract import build_id_reader
from event_assets.values.errors import ConfigError


@dataclass(frozen=True)
class FirstRequest:
    """The first request of a sync, and what the next requests are built from."""

    base_url: str
    auth: AuthBase | None  # adds the key
    request: Request  # without the key
    endpoint: Mapping[str, Any]  # of `event_data`, merged with the defaults
    paginator: Paginator  # its `init_request` has not been called


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
        windowed = stream.build_paginator(events, datetime.now(timezone.utc))
        paginator = create_paginator(stream.configured_paginator(events), build_id_reader(events))
        build_records_selector(events.endpoint.get("data_selector"))
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"Invalid configuration in defs.yaml: {error}.") from None
    with stream.resolve_endpoint(events) as (base_url, auth):
        request = build_first_request(events, base_url, None)
        windowed.init_request(request)
        yield FirstRequest(base_url, auth, request, events.endpoint, paginator)
