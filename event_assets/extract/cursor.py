"""Asking the API for what is new only: where to begin, and how far a sync came."""

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
EPOCH = 1_000_000_000  # numbers from here on are seconds since 1970, from 100 times that on ms
IN_REQUESTS = ("path", "params", "json", "data", "headers")


@dataclass(frozen=True)
class IncrementalCursor:
    """An API's parameter for what changed since, as dlt's `incremental` configures it.

    Attributes:
        cursor: the path in a record to when it changed.
        initial: where the first sync, and each full one, begins; None: with everything.
        lag: seconds, or units of the cursor, that a sync goes back before the newest it has.
        start_param, end_param: the parameters that take the bounds; None: placeholders do.
        end: the upper bound, if there is one.
    """

    cursor: str
    initial: Any = None
    lag: float | None = None
    start_param: str | None = None
    end_param: str | None = None
    end: Any = None

    @classmethod
    def from_endpoint(cls, endpoint: Mapping[str, Any]) -> IncrementalCursor | None:
        """Read it from dlt's configuration of an endpoint; None where there is none."""
        params = dict(endpoint.get("params") or {})
        found, places, _ = setup_incremental_object(params, endpoint.get("incremental"))
        if found is None or places is None:
            return None
        return cls(
            cursor=str(found.cursor_path),
            initial=found.initial_value,
            lag=found.lag,
            start_param=places.start,
            end_param=places.end,
            end=found.end_value,
        )

    def start(self, position: Any) -> Any:
        """Say from where to ask, given how far the syncs before came; None: from the beginning."""
        if position is None:
            return self.initial
        return apply_lag(self.lag, self.initial, position, max) if self.lag else position

    def asked(self, endpoint: Mapping[str, Any], position: Any) -> dict[str, Any]:
        """Give an endpoint's configuration that asks for what changed since `position`."""
        start = self.start(position)
        values = SimpleNamespace(
            start_value=start, last_value=start, initial_value=self.initial, end_value=self.end
        )
        made = {name: value for name, value in endpoint.items() if name != "incremental"}
        params = {
            name: value
            for name, value in (made.get("params") or {}).items()
            if not (isinstance(value, Mapping) and value.get("type") == "incremental")
        }
        made["params"] = params
        for part in IN_REQUESTS:
            if part in made:
                made[part] = _literal(expand_placeholders(made[part], {"incremental": values}))
        bounds = ((self.start_param, start), (self.end_param, self.end))
        made["params"] |= {name: value for name, value in bounds if name and value is not None}
        return made

    def observe(self, records: Sequence[Any], position: Any, now: datetime) -> Any:
        """Give the newest change among records and what was newest before.

        Times that are not before `now`, when the sync began, do not count: what changes while the
        list is read may be behind the reading position already.
        """
        found = [v for v in values_at(records, self.cursor) if type(v) in (str, int, float)]
        values = _before(found, now - MARGIN)
        values = [position, *values] if position is not None else values
        return max((v for v in values if isinstance(v, type(values[0]))), default=None)


def _literal(config: Any) -> Any:
    """Double the braces that are left, for dlt to take them as they are."""
    if isinstance(config, str):
        return config.replace("{", "{{").replace("}", "}}")
    if isinstance(config, Mapping):
        return {name: _literal(value) for name, value in config.items()}
    return [_literal(value) for value in config] if isinstance(config, list) else config


def _before(values: Sequence[Any], limit: datetime) -> list[Any]:
    """Leave out the times that are later; what is no time stays."""
    texts = [value if isinstance(value, str) else None for value in values]
    moments = timestamps.parse_timestamps(texts, None, None).to_pylist()
    latest = limit.timestamp()

    def is_later(value: Any, moment: datetime | None) -> bool:
        if isinstance(value, str):
            return moment is not None and moment > limit
        return bool(value >= EPOCH and value / (1_000 if value >= 100 * EPOCH else 1) > latest)

    return [v for v, moment in zip(values, moments, strict=True) if not is_later(v, moment)]
