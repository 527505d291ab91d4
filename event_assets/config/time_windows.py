"""The time windows of a resource with a limited list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field, model_validator

from event_assets.config.model import StrictModel

RELATIVE_DAYS = re.compile(r"([+-]\d{1,5})d")
DEFAULT_SINCE, DEFAULT_UNTIL = "2000-01-01", "+3650d"


class TimeWindowsConfig(StrictModel):
    """Time windows, split until each has fewer rows than the API's limit."""

    param_from: str
    """Query parameter for the start of a window."""
    param_to: str
    """Query parameter for the end of a window."""
    cap: Annotated[int, Field(ge=2)]
    """Maximum rows of one list that the API returns."""
    since: str | None = None
    """Start of the first window: a date, or days from now (`-30d`); else 2000-01-01, and the list
    must have no more events than all windows together."""
    until: str | None = None
    """End of the last window: a date, or days from now (`+365d`); else +3650d, and the list must
    have no more events than all windows together."""
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    """Format of times (UTC): a pattern of strftime, epoch_s or epoch_ms."""

    @model_validator(mode="after")
    def _can_work(self) -> TimeWindowsConfig:
        if self.param_from == self.param_to:
            raise ValueError("`param_from` and `param_to` must be two parameters")
        now = datetime.now(UTC)
        start = parse_day(self.since or DEFAULT_SINCE, now)
        end = parse_day(self.until or DEFAULT_UNTIL, now)
        if start is None or end is None:
            name = "since" if start is None else "until"
            raise ValueError(f"`{name}` must be a date like 2024-12-31, or days like -30d")
        if start >= end:
            raise ValueError("`since` must be before `until`")
        shown = now.strftime(self.format)
        if self.format not in EPOCH_FORMATTERS and (shown == self.format or "%" in shown):
            raise ValueError("`format` must be epoch_s, epoch_ms or a pattern like %Y-%m-%d")
        return self


EPOCH_FORMATTERS: dict[str, Callable[[datetime], str]] = {
    "epoch_s": lambda moment: str(int(moment.timestamp())),
    "epoch_ms": lambda moment: str(int(moment.timestamp() * 1000)),
}


def parse_day(text: str, now: datetime) -> datetime | None:
    """Parse a date, or days from now such as `-30d`, as midnight UTC; None if it is neither."""
    days = RELATIVE_DAYS.fullmatch(text)
    try:
        day = now.date() + timedelta(days=int(days[1])) if days else date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time.min, UTC)
