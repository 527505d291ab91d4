"""Read from an OpenAPI file what it says of the list of events: its address, auth and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from event_assets.probe.authentication import Attempt
from event_assets.probe.request_input import RequestInput
from event_assets.values.errors import ConfigError

EVENTS = re.compile(  # the end of a path without parameters
    r"[^{]*/(events?|meetings|webinars|sessions|performances|shows)/?", re.IGNORECASE
)


def read_openapi(file: Path, url: str | None) -> RequestInput:
    """Return what an OpenAPI file, in YAML or JSON, says of the list at an address.

    Without an address, the shortest path that is named after events counts.

    Raises:
        ConfigError: it is none, or has no such path.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        document = None
    if not isinstance(document, Mapping) or not isinstance(document.get("paths"), Mapping):
        raise ConfigError(f"{file} is not an OpenAPI file: it has no `paths`.")
    lists = {path: item["get"] for path, item in document["paths"].items() if "get" in item}
    if url:
        path = max((path for path in lists if _matches(path, url)), key=len, default="")
    elif not (path := min(filter(EVENTS.fullmatch, lists), key=len, default="")):
        raise ConfigError(f"{file} has no list of events: give its URL, too.")
    operation = lists.get(path, {})
    servers = [server.get("url", "") for server in document.get("servers", ())]
    return RequestInput(
        url or f"{next(iter(servers), '').rstrip('/')}{path}",
        key=Attempt(_find_auth(document, operation), {}),
        known_params=[*_query_names(document, operation)],
    )


def _matches(path: str, url: str) -> bool:
    pattern = re.sub(r"\\\{[^{}]*\\\}", "[^/]+", re.escape(path.rstrip("/")))
    return re.search(f"{pattern}/?([?#]|$)", url) is not None


def _query_names(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[str]:
    for given in operation.get("parameters", ()):
        parameter = _resolve(document, given)
        if parameter.get("in") == "query" and parameter.get("name"):
            yield str(parameter["name"])


def _find_auth(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    required = operation.get("security", document.get("security")) or ()
    schemes = document.get("components", {}).get("securitySchemes", {})
    for name in [name for each in required for name in each] or schemes:
        scheme = _resolve(document, schemes.get(name, {}))
        kind, how = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "apiKey":
            return {"type": "api_key", "name": scheme.get("name"), "location": scheme.get("in")}
        if kind == "http" and how in ("bearer", "basic"):
            return {"type": "bearer" if how == "bearer" else "http_basic"}
        flow = scheme.get("flows", {}).get("clientCredentials")
        if kind == "oauth2" and flow:
            url = flow.get("tokenUrl")
            return {"type": "oauth2_client_credentials", "access_token_url": url}
    return {}


def _resolve(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = value
    if "$ref" in value:
        found = document
        for name in str(value["$ref"]).removeprefix("#/").split("/"):
            found = found.get(name, {})
    return found if isinstance(found, Mapping) else {}
