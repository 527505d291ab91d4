"""Incremental requests: the start of the requested range, and the newest value received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from event_assets._compat.dlt import apply_lag
from event_assets.values import timestamps
from event_assets.values.errors import ConfigError
from event_assets.values.json_paths import values_at

CHUNK_SIZE = 1_000  # records
MARGIN = timedelta(minutes=1)  # clocks differ
MIN_EPOCH_SECONDS = 1_000_000_000  # larger numbers are seconds since 1970, 100 times larger: ms
PLACEHOLDER = "{incremental."
INITIAL_PLACEHOLDER = "{incremental.initial_value}"


@dataclass(frozen=True)
class IncrementalCursor:
    """Requests the records that changed since a value, as dlt's `incremental` configures it."""

    cursor_path: str
    initial_value: Any = None  # start of the first sync and of full refreshes; None: unbounded
    lag: float | None = None  # seconds, or units of the cursor, by which requested ranges overlap

    @classmethod
    def from_endpoint(cls, endpoint: Mapping[str, Any]) -> IncrementalCursor | None:
        """Build the cursor of dlt's endpoint configuration; None if it is not incremental."""
        for settings in _cursor_settings(endpoint):
            return cls(
                str(settings.get("cursor_path", "")),
                settings.get("initial_value"),
                settings.get("lag"),
            )
        return None

    def request_start(self, cursor_value: Any) -> Any:
        """Return the lower bound to request, given the newest value loaded; None: unbounded."""
        if cursor_value is None:
            return self.initial_value
        return apply_lag(self.lag, self.initial_value, cursor_value) if self.lag else cursor_value

    def apply_to(self, endpoint: Mapping[str, Any], cursor_value: Any) -> dict[str, Any]:
        """Return an endpoint configuration that requests the changes since `cursor_value`.

        Without a start, dlt would fill its placeholders with `None`: what has one is left out.
        """
        start = self.request_start(cursor_value)
        config = dict(_replace_placeholders(endpoint, start, self.initial_value))
        if PLACEHOLDER in str(config.get("path", "")) and start is None:
            raise ConfigError(
                f"The path `{config['path']}` needs a start: set `initial_value` of `incremental`."
            )
        if start is not None:
            for settings in _cursor_settings(config):
                settings["initial_value"] = start
                settings.pop("lag", None)  # `start` is with it
            return config
        settings = config.pop("incremental", {})
        params = config.get("params") or {}
        config["params"] = {n: v for n, v in params.items() if not _is_cursor(v)}
        if settings.get("end_param") and settings.get("end_value") is not None:
            config["params"][settings["end_param"]] = settings["end_value"]
        return config


@dataclass
class CursorTracker:
    """Tracks the newest cursor value of a sync that started at `started_at`.

    Values after the start are ignored: a record that changes while the list is read may be in a
    page that was read already.
    """

    cursor: IncrementalCursor | None
    started_at: datetime
    newest: Any = None

    def observe(self, records: Iterable[Any]) -> Iterable[Any]:
        """Return the records, to be read once."""
        return self._observe(records, self.cursor.cursor_path) if self.cursor else records

    def _observe(self, records: Iterable[Any], path: str) -> Iterator[Any]:
        source = iter(records)
        while chunk := list(islice(source, CHUNK_SIZE)):
            values = [v for v in values_at(chunk, path) if type(v) in (str, int, float)]
            values = _drop_later(values, self.started_at - MARGIN)
            values = [self.newest, *values] if self.newest is not None else values
            self.newest = max((v for v in values if isinstance(v, type(values[0]))), default=None)
            yield from chunk


def _cursor_settings(endpoint: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the settings of a cursor, which dlt takes from a parameter or from `incremental`."""
    yield from filter(_is_cursor, (endpoint.get("params") or {}).values())
    if endpoint.get("incremental"):
        yield endpoint["incremental"]


def _is_cursor(param: Any) -> bool:
    return isinstance(param, Mapping) and param.get("type") == "incremental"


def _replace_placeholders(config: Any, start: Any, initial_value: Any) -> Any:
    """Replace the placeholder of the initial value; drop all others if there is no start."""
    if isinstance(config, str):
        literal = str(initial_value).replace("{", "{{").replace("}", "}}")
        return config if initial_value is None else config.replace(INITIAL_PLACEHOLDER, literal)
    if isinstance(config, list):
        return [_replace_placeholders(value, start, initial_value) for value in config]
    if not isinstance(config, Mapping):
        return config
    return {
        name: _replace_placeholders(value, start, initial_value)
        for name, value in config.items()
        if not (
            start is None and name != "path" and isinstance(value, str) and PLACEHOLDER in value
        )
    }


def _drop_later(values: Sequence[Any], limit: datetime) -> list[Any]:
    """Drop timestamps after `limit`; keep values that are not timestamps."""
    texts = [value if isinstance(value, str) else None for value in values]
    moments = timestamps.parse_timestamps(texts, None, None).to_pylist()
    latest = limit.timestamp()

    def is_later(value: Any, moment: datetime | None) -> bool:
        if isinstance(value, str):
            return moment is not None and moment > limit
        unit = 1_000 if value >= 100 * MIN_EPOCH_SECONDS else 1
        return bool(value >= MIN_EPOCH_SECONDS and value / unit > latest)

    return [v for v, moment in zip(values, moments, strict=True) if not is_later(v, moment)]
