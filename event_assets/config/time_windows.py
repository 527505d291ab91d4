"""The time windows of a resource with a limited list."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, cast

from pydantic import Field, model_validator

from event_assets.config.model import StrictModel

Span = tuple[datetime, datetime]
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

    @property
    def whole(self) -> bool:
        """Whether the whole list is read first, whose total must be reached in the end."""
        return self.since is None and self.until is None

    @property
    def step(self) -> timedelta:
        """The shortest window, by which windows overlap: any bounds of the API work alike."""
        is_by_day = "%" in self.format and "%H" not in self.format
        return timedelta(days=1) if is_by_day else timedelta(seconds=1)

    def span(self, now: datetime) -> Span:
        """Return the first and the last instant of all windows of a sync that starts at `now`."""
        days = (self.since or DEFAULT_SINCE, self.until or DEFAULT_UNTIL)
        start, end = (cast("datetime", parse_day(day, now)) for day in days)
        return start, max(start, end)

    def write(self, moment: datetime) -> str:
        """Format a bound of a window."""
        to_epoch = EPOCH_FORMATTERS.get(self.format)
        return to_epoch(moment) if to_epoch else moment.strftime(self.format)

    def params(self, span: Span) -> dict[str, str]:
        """Return the query parameters of a window."""
        start, end = self.write(span[0] - self.step), self.write(span[1])
        return {self.param_from: start, self.param_to: end}

    def split(self, span: Span) -> list[Span]:
        """Split a window in two; empty if it is too short."""
        start, end = span
        middle = start + (end - start) // self.step // 2 * self.step
        return [(start, middle), (middle, end)] if start < middle < end else []


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
