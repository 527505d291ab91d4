"""The document of a source: what is in its `defs.yaml`, and how short paths lead into it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from event_assets.probe.explorer import BODY, set_in_body
from event_assets.probe.paging import Paging
from event_assets.probe.request_input import RequestInput
from event_assets.values.errors import ConfigError

Keys: TypeAlias = tuple[str | int, ...]
API: Keys = ("attributes", "rest_api")
RESOURCE: Keys = (*API, "resources", 0)
ENDPOINT: Keys = (*RESOURCE, "endpoint")
CLIENT: Keys = (*API, "client")
ENDPOINT_KEYS = {
    *("path", "method", "params", "json", "data_selector", "paginator", "incremental"),
    *("response_actions",),
}
CLIENT_KEYS = {"base_url", "auth", "headers"}
COMPONENT = "event_assets.EventApi"


@dataclass(frozen=True, kw_only=True)
class SourceParts:
    """What the document of a source is made of."""

    given: RequestInput
    auth: Mapping[str, Any] | None
    variables: Sequence[str]
    selector: str
    paging: Paging
    primary_key: Any
    fields: Mapping[str, Any]
    removed_when: Mapping[str, Any]


def build_document(parts: SourceParts) -> tuple[dict[str, Any], dict[Keys, str]]:
    """Return the document of a source, and comments by keys."""
    comments: dict[Keys, str] = {(*ENDPOINT, "paginator"): parts.paging.evidence}
    client: dict[str, Any] = {"base_url": parts.given.base_url}
    if parts.given.headers:
        client["headers"] = dict(parts.given.headers)
    if parts.auth:
        client["auth"] = dict(parts.auth)
        key = f"the key is in .env: {' and '.join(parts.variables)}"
        comments |= {(*CLIENT, "auth"): key}
    resource = {
        "name": "event_data",
        "endpoint": {"path": parts.given.path, **_build_endpoint(parts)},
    }
    attributes = {
        "rest_api": {
            "client": client,
            "resource_defaults": {"primary_key": parts.primary_key, "write_disposition": "merge"},
            "resources": [resource],
        },
        "fields": dict(parts.fields),
        **({"removed_when": dict(parts.removed_when)} if parts.removed_when else {}),
        "schedule": "*/15 * * * *",
        "freshness": {"warn_after_minutes": 30, "fail_after_minutes": 60},
    }
    return {"type": COMPONENT, "attributes": attributes}, comments


def _build_endpoint(parts: SourceParts) -> dict[str, Any]:
    given, paging = parts.given, parts.paging
    params, body = dict(given.params), given.body
    for name, value in paging.sent_settings.items():
        if name.startswith(BODY):
            body = set_in_body(body, name.removeprefix(BODY), value)
        else:
            params[name] = value
    for name in paging.written_params:  # by the paginator itself
        params.pop(name, None)
    endpoint: dict[str, Any] = {}
    if given.method != "GET":
        endpoint["method"] = given.method
    if params:
        endpoint["params"] = params
    if body is not None:
        endpoint["json"] = body
    return {**endpoint, "data_selector": parts.selector, "paginator": paging.paginator}


def find_keys(setting: str) -> Keys:
    """Return the keys of a setting that is named by a short path, such as `params.status`.

    A name of the endpoint or of the client needs no path before it, `primary_key` neither; all
    others are attributes.
    """
    names = tuple(int(n) if n.isdecimal() else n for n in setting.strip().split("."))
    first = names[0]
    if first == "attributes":
        return names
    if first in ("rest_api", "client", "resource_defaults", "resources"):
        return ("attributes", *names) if first == "rest_api" else (*API, *names)
    if first == "endpoint":
        return (*RESOURCE, *names)
    if first in ENDPOINT_KEYS:
        return (
            (*ENDPOINT, first, ".".join(map(str, names[1:])))
            if first == "params" and names[1:]
            else (*ENDPOINT, *names)
        )
    if first in CLIENT_KEYS:
        return (*CLIENT, *names)
    if first == "primary_key":
        return (*API, "resource_defaults", *names)
    return ("attributes", *names)


def parse_setting(text: str) -> tuple[str, Any]:
    """Return the path and the value of `path=value`; the value is YAML.

    Raises:
        ConfigError: it is none.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise ConfigError(f"`--set {path}` must be a path and a value: --set params.status=active.")
    try:
        return path.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        return path.strip(), value


def apply_settings(document: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with settings at short paths; null takes one out."""
    changed: Any = copy.deepcopy(dict(document))
    for setting, value in settings.items():
        changed = set_value(changed, find_keys(setting), value)
    return dict(changed)


def set_value(document: Any, keys: Keys, value: Any) -> Any:
    """Return a document with a value at its keys."""
    if not keys:
        return value
    first, *rest = keys
    if isinstance(first, int) and isinstance(document, list):
        changed: Any = [*document, *([{}] if first == len(document) else [])]
        changed[first] = set_value(changed[first], tuple(rest), value)
        return changed
    if isinstance(document, str):
        document = {"path": document}  # dlt's short form of an endpoint
    changed = dict(document) if isinstance(document, Mapping) else {}
    if value is None and not rest and first != "total_path":  # whose null says that there is none
        changed.pop(first, None)
    else:
        changed[first] = set_value(changed.get(first), tuple(rest), value)
    return changed


def get_setting(settings: Mapping[str, Any], name: str) -> Any:
    """Return what settings at short paths make of one name: `paginator`, `params`, `auth`, ..."""
    keys = find_keys(name)
    found: Any = None
    for setting, value in settings.items():
        own = find_keys(setting)
        if own[: len(keys)] == keys:
            found = set_value(found, own[len(keys) :], value)
    return found
