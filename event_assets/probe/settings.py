"""Settings of a source, named by short paths into its `defs.yaml`, such as `params.status`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from event_assets.config.model import Keys
from event_assets.values.errors import ConfigError

API: Keys = ("attributes", "rest_api")
CLIENT: Keys = (*API, "client")
RESOURCE: Keys = (*API, "resources", 0)
ENDPOINT: Keys = (*RESOURCE, "endpoint")
OF_ENDPOINT = {
    *("path", "method", "params", "json", "data_selector", "paginator", "incremental"),
    "response_actions",
}
PARENTS: Mapping[str, Keys] = {  # where a name belongs; all others are attributes
    **dict.fromkeys(("base_url", "auth", "headers"), CLIENT),
    **dict.fromkeys(("client", "resource_defaults", "resources"), API),
    "primary_key": (*API, "resource_defaults"),
    "attributes": (),
    "endpoint": RESOURCE,
}


def find_keys(setting: str, resource: Keys = RESOURCE) -> Keys:
    """Return the keys of a setting that is named by a short path; `resource` is that of events."""
    first, *rest = setting.strip().split(".")
    if first == "params" and rest:  # a parameter's name may have a dot
        rest = [".".join(rest)]
    names = (int(name) if name.isdecimal() else name for name in (first, *rest))
    if first in OF_ENDPOINT:
        return (*resource, "endpoint", *names)
    return (*PARENTS.get(first, ("attributes",)), *names)


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


def apply_settings(document: Any, settings: Mapping[str, Any]) -> Any:
    """Return a source's document with settings at short paths; null takes one out."""
    for keys, value in ((find_keys(setting), value) for setting, value in settings.items()):
        is_value = value is not None or keys[-1] == "total_path"  # whose null says: there is none
        document = set_value(document, keys, value, removes_null=not is_value)
    return document


def get_setting(settings: Mapping[str, Any], name: str) -> Any:
    """Return what settings at short paths make of one name: `paginator`, `params`, `auth`, ..."""
    keys, found = find_keys(name), None
    for own, value in ((find_keys(setting), value) for setting, value in settings.items()):
        if own[: len(keys)] == keys:
            found = set_value(found, own[len(keys) :], value)
    return found


def set_value(document: Any, keys: Keys, value: Any, *, removes_null: bool = False) -> Any:
    """Return a copy of a JSON document with a value at its keys; others are made of no value."""
    if not keys:
        return value
    first, *rest = keys
    if isinstance(first, int) and isinstance(document, list):
        members = [*document, *([{}] if first == len(document) else [])]
        members[first] = set_value(members[first], tuple(rest), value, removes_null=removes_null)
        return members
    if isinstance(document, str):
        document = {"path": document}  # dlt's short form of an endpoint
    changed = dict(document) if isinstance(document, Mapping) else {}
    if removes_null and value is None and not rest:
        changed.pop(first, None)
    else:
        inner = changed.get(first)
        changed[first] = set_value(inner, tuple(rest), value, removes_null=removes_null)
    return changed
