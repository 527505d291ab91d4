"""Incremental requests: the start of the range that is requested."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from event_assets._compat.dlt import apply_lag
from event_assets.values.errors import ConfigError

PLACEHOLDER = "{incremental."
START_PLACEHOLDERS = ("{incremental.start_value}", "{incremental.last_value}")
INITIAL_PLACEHOLDER, END_PLACEHOLDER = "{incremental.initial_value}", "{incremental.end_value}"
PLACEHOLDERS = re.compile(r"\{incremental\.\w+\}")
COMPARED = r"[\w.]+\s*(?:[:=<>!]+|\b[gl][te]\b)"
# In a text around a placeholder: a second condition, or the rest of a query.
CONDITIONS = re.compile(rf"\b(?:and|or)\b|[;&|{{}}\n]|{COMPARED}.*?[\s,]+{COMPARED}", re.IGNORECASE)


@dataclass(frozen=True)
class IncrementalCursor:
    """Requests the records that changed since a value, as dlt's `incremental` configures it."""

    cursor_path: str
    initial_value: Any = None  # start of the first sync and of full refreshes; None: unbounded
    end_value: Any = None  # end of all syncs; None: unbounded
    lag: float | None = None  # seconds, or units of the cursor, by which requested ranges overlap

    @classmethod
    def from_endpoint(cls, endpoint: Mapping[str, Any]) -> IncrementalCursor | None:
        """Build the cursor of dlt's endpoint configuration; None if it requests everything."""
        rest = {name: value for name, value in endpoint.items() if name != "incremental"}
        given = (endpoint.get("incremental") or {}).get("start_param")
        has_start = given or any(map(str(rest).__contains__, START_PLACEHOLDERS))
        has_start = has_start or any(map(_is_cursor, (endpoint.get("params") or {}).values()))
        return cls.configured(endpoint) if has_start else None

    @classmethod
    def configured(cls, endpoint: Mapping[str, Any]) -> IncrementalCursor | None:
        """Build the cursor, whether a request has its start or not."""
        for given in _cursor_settings(endpoint):
            values = {name: given.get(name) for name in ("initial_value", "end_value", "lag")}
            return cls(str(given["cursor_path"]), **values)
        return None

    def request_start(self, cursor_value: Any) -> Any:
        """Return the lower bound to request, given the position; None: unbounded.

        Raises:
            ValueError: dlt cannot apply `lag` to the position.
        """
        if cursor_value is None or not self.lag:
            return self.initial_value if cursor_value is None else cursor_value
        start = apply_lag(self.lag, self.initial_value, cursor_value)
        return self.initial_value if _is_before(start, self.initial_value) else start

    def apply_to(self, endpoint: Mapping[str, Any], cursor_value: Any) -> dict[str, Any]:
        """Return an endpoint configuration that requests the changes since `cursor_value`.

        Without a start, dlt would fill its placeholders with `None`: what has one is left out.

        Raises:
            ConfigError: what cannot be left out needs a start.
        """
        start = self.request_start(cursor_value)
        literals = {INITIAL_PLACEHOLDER: self.initial_value, END_PLACEHOLDER: self.end_value}
        config = dict(_replace_placeholders(endpoint, start, literals))
        if start is None:
            for _, problem in find_needed_starts(config):
                raise ConfigError(problem)
        if start is not None:
            for settings in _cursor_settings(config):
                settings["cursor_path"] = "cursor"  # dlt reads no record, and takes no "@time"
                settings["initial_value"] = start
                settings.pop("lag", None)  # `start` is with it
            return config
        settings = config.pop("incremental", {})
        params = config.get("params") or {}
        config["params"] = {n: v for n, v in params.items() if not _is_cursor(v)}
        if settings.get("end_param") and settings.get("end_value") is not None:
            config["params"][settings["end_param"]] = settings["end_value"]
        return config


def _cursor_settings(endpoint: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the settings of a cursor, which dlt takes from a parameter or from `incremental`."""
    yield from filter(_is_cursor, (endpoint.get("params") or {}).values())
    if endpoint.get("incremental"):
        yield endpoint["incremental"]


def _is_before(value: Any, other: Any) -> bool:
    """Return whether both are times, or numbers, and the first is the lower."""
    if type(value) is str and type(other) is str:
        from event_assets.values.timestamps import parse_timestamps  # by pyarrow, which is slow

        value, other = parse_timestamps([value, other], None, None).to_pylist()
    elif type(value) not in (int, float) or type(other) not in (int, float):
        return False
    return value is not None and other is not None and bool(value < other)


def _is_cursor(param: Any) -> bool:
    return isinstance(param, Mapping) and param.get("type") == "incremental"


def find_needed_starts(endpoint: Any, *keys: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield where a request cannot leave its start out, by keys, and what to do about it."""
    if isinstance(endpoint, str):
        is_member = keys[0] != "path" and isinstance(keys[-1], str)
        if PLACEHOLDER in endpoint and not (is_member and _is_one_condition(endpoint)):
            what = f"{'path' if keys[0] == 'path' else 'text'} `{endpoint}`"
            yield keys, f"The {what} needs a start: set `initial_value` of `incremental`."
    members: Any = enumerate(endpoint) if isinstance(endpoint, list) else ()
    members = endpoint.items() if isinstance(endpoint, Mapping) else members
    for name, value in members:
        if PLACEHOLDER in str(name):
            yield from find_needed_starts(str(name), *keys, 0)
        yield from find_needed_starts(value, *keys, name)


def _is_one_condition(text: str) -> bool:
    """Return whether a text, perhaps JSON, asks for nothing but what a placeholder stands for."""
    with suppress(ValueError):
        values = [json.loads(PLACEHOLDERS.sub("0", text).replace("{{", "{").replace("}}", "}"))]
        while len(values) == 1 and isinstance(values[0], (dict, list)):
            values = [*(values[0].values() if isinstance(values[0], dict) else values[0])]
        return len(values) == 1
    return not CONDITIONS.search(PLACEHOLDERS.sub("", text))


def _replace_placeholders(config: Any, start: Any, literals: Mapping[str, Any]) -> Any:
    """Replace the placeholders of literals.

    What has one for a literal that is not set, or for a start that is not there, is left out, but
    for what needs a start.
    """
    if isinstance(config, str):
        for placeholder, value in literals.items():
            literal = str(value).replace("{", "{{").replace("}", "}}")
            config = config if value is None else config.replace(placeholder, literal)
        return config
    if isinstance(config, list):
        return [_replace_placeholders(value, start, literals) for value in config]
    if not isinstance(config, Mapping):
        return config
    unset = [name for name, value in literals.items() if value is None]
    unset += [PLACEHOLDER] if start is None else []
    made = {n: _replace_placeholders(value, start, literals) for n, value in config.items()}
    return {
        name: value
        for name, value in made.items()
        if name == "path"
        or not (isinstance(value, str) and any(one in value for one in unset))
        or (start is None and any(find_needed_starts({name: value})))
    }
