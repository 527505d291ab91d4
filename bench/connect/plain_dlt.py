"""What dlt finds by itself: its detectors on the first answer, and what it then loads."""

from __future__ import annotations

import json
from typing import Any, cast

from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.detector import PaginatorFactory, find_response_page_data
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.config_setup import create_auth
from dlt.sources.rest_api.typing import RESTAPIConfig

from bench.connect.case import Served

MAX_PAGES = 60


def detect(served: Served) -> str:
    """Return the list and the paginator that dlt detects in the first answer."""
    try:
        client = RESTClient("", auth=create_auth(cast("Any", served.auth)))
        endpoint = served.endpoint
        response = client.request(
            path=endpoint["path"],
            method=endpoint.get("method", "GET"),
            params=endpoint.get("params"),
            json=endpoint.get("json"),
        )
        response.raise_for_status()
        path, _ = find_response_page_data(response.json())
        paginator, _ = PaginatorFactory().create_paginator(response)
    except Exception as error:  # of any kind: it is reported
        return f"fails: {type(error).__name__}"
    return f"{'.'.join(path)}, {type(paginator).__name__.removesuffix('Paginator')}"


def load(served: Served) -> int | None:
    """Return the number of different records that plain dlt reads; None if it fails."""
    resource = {"name": "events", "endpoint": _endpoint(served), "primary_key": []}
    client = {"base_url": "http://127.0.0.1", "auth": served.auth}
    config = {"client": client, "resources": [resource]}
    try:
        source = rest_api_source(cast("RESTAPIConfig", config))
        records = [*source.resources["events"].add_limit(MAX_PAGES)]
    except Exception:  # of any kind: it is counted
        return None
    return len({json.dumps(record, sort_keys=True, default=str) for record in records})


def _endpoint(served: Served) -> dict[str, Any]:
    known = ("path", "method", "params", "json")
    return {name: served.endpoint[name] for name in known if name in served.endpoint}
