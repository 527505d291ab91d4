"""Find what endpoints refer to and is not there: parent resources, parameters in the path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from event_assets.config.accounts import ACCOUNT, FORMATTED_KEYS
from event_assets.config.model import Keys, unknown_name_message

Config = Mapping[str, Any]
PARENT = re.compile(r"resources\.([^.]*)\.")


def find_reference_errors(rest_api: Config) -> Iterator[tuple[Keys, str]]:
    """Yield the keys and the message of each reference that dlt cannot resolve."""
    names = [resource["name"] for resource in rest_api["resources"]]
    parents: dict[str, str] = {}
    for index, resource in enumerate(rest_api["resources"]):
        name, at = resource["name"], ("resources", index, "endpoint")
        endpoint = _merge_endpoint(rest_api.get("resource_defaults") or {}, resource)
        resolved = _resolved_params(endpoint)
        references = [*_references({k: endpoint.get(k) for k in ("path", *FORMATTED_KEYS)})]
        for keys, reference in references:
            named = PARENT.match(reference)
            parent = resolved.get(reference, named and named[1])
            if parent is None:
                problem = _problem(reference, endpoint)
            elif parent not in names:
                problem = unknown_name_message(parent, names, "resource")
            elif parents.setdefault(name, parent) != parent:
                problem = f"has two parent resources, `{parents[name]}` and `{parent}`"
            elif name in _ancestors(name, parents):
                problem = f"`{name}` would need its own records"
            else:
                continue
            if problem:
                yield (*at, *keys), problem
        for param in resolved.keys() - {reference for _, reference in references}:
            yield (*at, "params", param), f"has no effect: write {{{param}}} in the `path`"


def _merge_endpoint(defaults: Config, resource: Config) -> Config:
    """Return the configuration of an endpoint as dlt completes it."""
    given, own = defaults.get("endpoint") or {}, resource.get("endpoint") or {}
    own = {"path": own} if isinstance(own, str) else own
    params = {**(given.get("params") or {}), **(own.get("params") or {})}
    return {"path": resource["name"], **given, **own, "params": params}


def _resolved_params(endpoint: Config) -> Mapping[str, str]:
    """Return the parent of each parameter that is written in dlt's older form."""
    params = endpoint["params"].items()
    mappings = {name: param for name, param in params if isinstance(param, Mapping)}
    return {n: str(p.get("resource")) for n, p in mappings.items() if p.get("type") == "resolve"}


def _references(value: Any, *keys: str | int) -> Iterator[tuple[Keys, str]]:
    """Yield what stands in braces in the texts of a configuration, with its keys."""
    if isinstance(value, str):
        fields = (field for _, field, _, _ in Formatter().parse(value) if field is not None)
        yield from ((keys, field) for field in fields)
    members: Any = value.items() if isinstance(value, Mapping) else ()
    members = enumerate(value) if isinstance(value, list) else members
    for name, member in members:
        yield from _references(name, *keys, name)
        yield from _references(member, *keys, name)


def _problem(reference: str, endpoint: Config) -> str | None:
    """Return why a reference that is to no parent cannot be resolved, or None."""
    if reference in (ACCOUNT, *endpoint["params"]):
        return None
    if reference.startswith("incremental."):
        return None if endpoint.get("incremental") else f"`{{{reference}}}` needs `incremental`"
    return f"`{{{reference}}}` must be the name of one of its `params`, or {{resources.NAME.FIELD}}"


def _ancestors(name: str, parents: Mapping[str, str]) -> Sequence[str]:
    found: list[str] = []
    while (parent := parents.get(found[-1] if found else name)) and parent not in found:
        found.append(parent)
    return found
