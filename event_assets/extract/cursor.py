"""Incremental requests: the start of the requested range, and the newest value received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from dlt.extract.incremental.lag import apply_lag
from dlt.sources.rest_api.config_setup import expand_placeholders, setup_incremental_object

from event_assets.values import timestamps
from event_assets.values.json_paths import values_at

MARGIN = timedelta(minutes=1)  # clocks differ
MIN_EPOCH_SECONDS = 1_000_000_000  # larger numbers are seconds since 1970, 100 times larger: ms
REQUEST_PARTS = ("path", "params", "json", "data", "headers")


@dataclass(frozen=True)
class IncrementalCursor:
    """Requests the records that changed since a value, as dlt's `incremental` configures it."""

    cursor_path: str
    initial_value: Any = None  # start of the first sync and of full refreshes; None: unbounded
    lag: float | None = None  # seconds, or units of the cursor, by which requested ranges overlap
    start_param: str | None = None  # parameter of the bound; None: placeholders are used
    end_param: str | None = None
    end_value: Any = None

    @classmethod
    def from_endpoint(cls, endpoint: Mapping[str, Any]) -> IncrementalCursor | None:
        """Build the cursor of dlt's endpoint configuration; None if it is not incremental."""
        params = dict(endpoint.get("params") or {})
        incremental, bounds, _ = setup_incremental_object(params, endpoint.get("incremental"))
        if incremental is None or bounds is None:
            return None
        return cls(
            cursor_path=str(incremental.cursor_path),
            initial_value=incremental.initial_value,
            lag=incremental.lag,
            start_param=bounds.start,
            end_param=bounds.end,
            end_value=incremental.end_value,
        )

    def request_start(self, cursor_value: Any) -> Any:
        """Return the lower bound to request, given the newest value loaded; None: unbounded."""
        if cursor_value is None:
            return self.initial_value
        return (
            apply_lag(self.lag, self.initial_value, cursor_value, max) if self.lag else cursor_value
        )

    def apply_to(self, endpoint: Mapping[str, Any], cursor_value: Any) -> dict[str, Any]:
        """Return an endpoint configuration that requests the changes since `cursor_value`."""
        start = self.request_start(cursor_value)
        values = SimpleNamespace(
            start_value=start,
            last_value=start,
            initial_value=self.initial_value,
            end_value=self.end_value,
        )
        config = {name: value for name, value in endpoint.items() if name != "incremental"}
        params = {
            name: value
            for name, value in (config.get("params") or {}).items()
            if not (isinstance(value, Mapping) and value.get("type") == "incremental")
        }
        config["params"] = params
        for part in REQUEST_PARTS:
            if part in config:
                config[part] = _escape_braces(
                    expand_placeholders(config[part], {"incremental": values})
                )
        bounds = ((self.start_param, start), (self.end_param, self.end_value))
        config["params"] |= {name: value for name, value in bounds if name and value is not None}
        return config

    def observe(self, records: Sequence[Any], cursor_value: Any, started_at: datetime) -> Any:
        """Return the newest cursor value, among records and the newest one so far.

        Values after the start of the sync are ignored: a record that changes while the list is
        read may be in a page that was read already.
        """
        values = [v for v in values_at(records, self.cursor_path) if type(v) in (str, int, float)]
        values = _drop_later(values, started_at - MARGIN)
        values = [cursor_value, *values] if cursor_value is not None else values
        return max((v for v in values if isinstance(v, type(values[0]))), default=None)


def _escape_braces(config: Any) -> Any:
    """Double the remaining braces, so that dlt takes them literally."""
    if isinstance(config, str):
        return config.replace("{", "{{").replace("}", "}}")
    if isinstance(config, Mapping):
        return {name: _escape_braces(value) for name, value in config.items()}
    return [_escape_braces(value) for value in config] if isinstance(config, list) else config


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
