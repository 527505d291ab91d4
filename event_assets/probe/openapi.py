"""Read from an OpenAPI file what it says of the list of events: its address, auth and names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import yaml

from event_assets.config.project import get_nested
from event_assets.config.source_files import Loader
from event_assets.probe.authentication import Attempt
from event_assets.probe.request_input import RequestInput
from event_assets.values.errors import ConfigError
from event_assets.values.urls import has_same_server

EVENTS = re.compile(  # the end of a path without parameters
    r"[^{]*/(events?|meetings|webinars|sessions|performances|shows)(\.json|/)?", re.IGNORECASE
)
PARAMETER = re.compile(r"\\\{[^{}]*\\\}")  # of a path that is escaped


def read_openapi(file: Path, url: str | None) -> RequestInput:
    """Return what an OpenAPI file, in YAML or JSON, says of the list at an address.

    Without the address of one of its paths, that of events counts, or another that takes place.

    Raises:
        ConfigError: it is none, or names no such path, or no host.
    """
    document = None
    with suppress(yaml.YAMLError, ValueError, RecursionError):
        text = file.read_text(encoding="utf-8-sig")
        is_json = text.startswith("{")  # perhaps indented by tabs
        document = json.loads(text) if is_json else next(yaml.load_all(text, Loader), None)
    try:
        return _read_document(file, document, url)
    except ConfigError:
        raise
    except (TypeError, ValueError):
        problem = "is not a valid OpenAPI file: give the URL of the list without it"
        raise ConfigError(f"{file} {problem}.") from None


def _read_document(file: Path, document: Any, url: str | None) -> RequestInput:
    if not (paths := _resolve(document, document, "paths")):
        raise ConfigError(f"{file} is not an OpenAPI file: it has no `paths`.")
    lists = [path for path in paths if "get" in _resolve(document, paths, path)]
    address, mark, query = (url or "").partition("?")
    server = _find_server(document, address)
    patterns = {path: PARAMETER.sub("[^/]+", re.escape(path.rstrip("/"))) for path in lists}
    given = (path for path in lists if re.search(f"{patterns[path]}/?(#|$)", address))
    path = max(given, key=len, default="")
    is_base = address.rstrip("/") == server.rstrip("/") or not RequestInput(address).has_path
    if is_base and not path:
        named = [one for one in lists if EVENTS.fullmatch(one)]
        path = min(named, key=lambda one: ("event" not in one.lower(), len(one)), default="")
        server = _find_server(document, address, path)
        base = server if not url or has_same_server(server, address) else address
        address = f"{base.rstrip('/')}{path}" if path else address
    if not url and not (path and "://" in server):
        missing = "does not name the API's host" if path else "has no list of events"
        raise ConfigError(f"{file} {missing}: give its URL, too.")
    item, operation = _resolve(document, paths, path), _resolve(document, paths, path, "get")
    known: dict[str, bool] = {}
    for each in (*(item.get("parameters") or ()), *(operation.get("parameters") or ())):
        parameter = _resolve(document, each)
        if parameter.get("in") == "query" and parameter.get("name"):
            schema = _resolve(document, parameter, "schema") or parameter
            known[str(parameter["name"])] = schema.get("type") in ("integer", "number")
    return RequestInput(
        f"{address}{mark}{query}",
        key=Attempt(_find_auth(document, operation, server), {}),
        known_params=known,
    )


def _find_server(document: Mapping[str, Any], address: str, path: str = "") -> str:
    """Return the address before a path, perhaps without a host; OpenAPI 2 has it in parts."""
    host, base = document.get("host"), document.get("basePath") or ""
    is_open = host and "https" not in (document.get("schemes") or ["https"])
    usual = f"{'http' if is_open else 'https'}://{host}{base}" if host else base
    item = _resolve(document, document, "paths", path)
    places = (_resolve(document, item, "get"), item, document)  # the first that names one
    servers = next(filter(None, (each.get("servers") for each in places)), ())
    server = _resolve(document, next(iter(servers), {}))
    values = _resolve(document, server, "variables")
    url = re.sub(
        r"\{([^{}]+)\}",
        lambda found: str(_resolve(document, values, found[1]).get("default", found[0])),
        str(server.get("url") or usual),
    )
    return re.sub("^//", "https://", urljoin(address, url))


def _find_auth(
    document: Mapping[str, Any], operation: Mapping[str, Any], server: str
) -> Mapping[str, Any]:
    """Return how a key is sent by what is required, a cookie last; empty: that is not told."""
    required = operation.get("security", document.get("security")) or ()
    schemes = _resolve(document, document, "components", "securitySchemes")
    schemes = schemes or _resolve(document, document, "securityDefinitions")
    found: list[Mapping[str, Any]] = []
    for name in [name for each in required for name in each] or schemes:
        scheme = _resolve(document, schemes, name)
        kind, how = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "apiKey":
            key = {"type": "api_key", "name": scheme.get("name"), "location": scheme.get("in")}
            is_told = str(key["name"]).lower() != "authorization"  # which has a word before it
            found.append(key if is_told else {})
        if kind == "basic" or (kind == "http" and how in ("bearer", "basic")):
            found.append({"type": "bearer" if how == "bearer" else "http_basic"})
        is_flow = scheme.get("flow") == "application"
        flow = scheme if is_flow else _resolve(document, scheme, "flows", "clientCredentials")
        if kind == "oauth2" and flow:
            url = urljoin(server, str(flow.get("tokenUrl")))
            found.append({"type": "oauth2_client_credentials", "access_token_url": url})
    last = {"cookie": 2, "http_basic": 1}
    return min(found, key=lambda one: last.get(one.get("location", one.get("type")), 0), default={})


def _resolve(document: Any, value: Any, *names: str) -> dict[str, Any]:
    """Return an object in another, or what it refers to; empty: there is none."""
    for name in (None, *names):
        value = value if name is None else value.get(name)
        if isinstance(value, Mapping) and "$ref" in value:
            parts = str(value["$ref"]).removeprefix("#/").split("/")
            keys = (part.replace("~1", "/").replace("~0", "~") for part in parts)
            value = get_nested(document, *(int(key) if key.isdecimal() else key for key in keys))
        value = dict(value) if isinstance(value, Mapping) else {}
    return cast("dict[str, Any]", value)
