"""The option `--set` of `connect`: settings of the source by their paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from event_assets.component.component import EventApi
from event_assets.config.model import describe, unknown_name_message
from event_assets.config.source_files import EVENT_DATA
from event_assets.probe.source_yaml import OF_ENDPOINT, PARENTS, apply_settings, find_keys
from event_assets.values.errors import ConfigError

NO_AUTH = ("auth", "none")  # a setting of connect only
UNFINISHED = re.compile("` is (missing|not a known field)")  # of a kind that is found out


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


def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings by their paths.

    Raises:
        ConfigError: one has no value, or one that it cannot have, or a name that no source has.
    """
    known = sorted({*EventApi.model_fields, *OF_ENDPOINT, *PARENTS})
    settings = dict(map(parse_setting, texts))
    for path in settings:
        if (name := path.partition(".")[0]) not in known:
            raise ConfigError(f"--set {path}: {unknown_name_message(name, known, 'setting')}")
    _check_values(settings)
    return settings


def _check_values(settings: Mapping[str, Any]) -> None:
    """Raise if a setting has a value that it cannot have; what is left out is found out."""
    rest_api = {"client": {}, "resource_defaults": {}, "resources": [{"name": EVENT_DATA}]}
    document = {"attributes": {"rest_api": rest_api, "fields": {}}}
    checked = {path: value for path, value in settings.items() if (path, value) != NO_AUTH}
    attributes = apply_settings(document, checked)["attributes"]
    try:
        EventApi.model_validate(attributes)
    except ValidationError as error:
        told = [one for one in describe(error, attributes) if not UNFINISHED.search(one[1])]
        for path, own in ((path, find_keys(path)[1:]) for path in checked):
            wrong = [(len(keys), problem) for keys, problem in told if keys[: len(own)] == own]
            _, problem = max(wrong, default=(0, ""))  # of a list, or of what is in it
            if problem:  # what was given may hold a key
                problem = problem.partition(", not ")[0].rstrip(".")
                raise ConfigError(f"--set {path}: {problem}.") from None
