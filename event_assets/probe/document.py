"""The document of a source: what is in its `defs.yaml`, with comments that say why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from event_assets.config.model import Keys
from event_assets.config.source_files import COMPONENT
from event_assets.probe.connection import Connection
from event_assets.probe.paging import Paging
from event_assets.probe.settings import CLIENT, ENDPOINT


def build_document(
    connection: Connection, paging: Paging, primary_key: Any, contract: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[Keys, str]]:
    """Return the document of a source, and comments by keys."""
    given, attempt = connection.given, connection.attempt
    comments: dict[Keys, str] = {(*ENDPOINT, "paginator"): paging.evidence}
    client: dict[str, Any] = {"base_url": connection.without_keys(given.base_url)}
    if given.headers:
        client["headers"] = connection.without_keys(given.headers)
    if attempt:
        client["auth"] = dict(attempt.config)
    if connection.variables:
        key = f"the key is in .env: {' and '.join(connection.variables)}"
        place: Keys = (*CLIENT, "auth" if attempt else "base_url")
        comments[place] = key
    resource = {"name": "event_data", "endpoint": _build_endpoint(connection, paging)}
    attributes = {
        "rest_api": {
            "client": client,
            "resource_defaults": {"primary_key": primary_key, "write_disposition": "merge"},
            "resources": [resource],
        },
        **contract,
        "schedule": "*/15 * * * *",
        "freshness": {"warn_after_minutes": 30, "fail_after_minutes": 60},
    }
    return {"type": COMPONENT, "attributes": attributes}, comments


def _build_endpoint(connection: Connection, paging: Paging) -> dict[str, Any]:
    given, (params, body) = connection.given, connection.client.apply(paging.sent_settings)
    for name in paging.written_params:  # by the paginator itself
        params.pop(name, None)
    return {
        "path": connection.without_keys(given.path),
        **({"method": given.method} if given.method != "GET" else {}),
        **({"params": connection.without_keys(params)} if params else {}),
        **({} if body is None else {"json": body}),
        "data_selector": connection.client.selector,
        "paginator": paging.paginator,
    }
