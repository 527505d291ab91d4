"""The YAML of a source with what a probe suggests: `event-assets probe --suggest`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from event_assets.config.model import Keys
from event_assets.config.project import get_nested
from event_assets.config.source_files import EVENT_DATA
from event_assets.probe.source_yaml import API, find_keys, set_value, write_yaml
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN


def suggest_yaml(text: str, changes: Mapping[str, Any]) -> str:
    """Return a source's YAML with settings changed, what was there as a comment, and no secrets.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        problem = "No suggestion is possible: defs.yaml must be one YAML document."
        raise ConfigError(problem) from None
    document, comments = _with_own_paginator(_mask(document), changes), {}
    resource = _find_resource(document)
    for setting, value in changes.items():
        keys = find_keys(setting, resource)
        if setting == "primary_key" and get_nested(document, *resource, setting) is not None:
            keys = (*resource, setting)
        before = get_nested(document, *keys)
        comments[keys] = "new" if before is None else f"it was {before}"
        document = set_value(document, keys, value)
    lines = re.match(r"(#.*\n|\n)*", text)
    return write_yaml(document, comments, lines[0] if lines else "")


def _find_resource(document: Any) -> Keys:
    resources = get_nested(document, *API, "resources")
    number = next(at for at, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    return (*API, "resources", number)


def _with_own_paginator(document: Any, changes: Mapping[str, Any]) -> Any:
    """Copy the paginator of the defaults to the resource of events, if a part of it changes."""
    keys = find_keys("paginator", _find_resource(document))
    if not any(one.startswith("paginator.") for one in changes) or get_nested(document, *keys):
        return document
    defaults = ((*API, "resource_defaults", "endpoint", "paginator"), (*API, "client", "paginator"))
    return set_value(
        document, keys, next(filter(None, (get_nested(document, *one) for one in defaults)))
    )


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_mask(member) for member in value]
    return KNOWN.redact_text(value) if isinstance(value, str) else value
