"""How old the data may be."""

from typing import Annotated

from pydantic import Field, model_validator

from event_assets.config.model import StrictModel

YEAR = 60 * 24 * 365  # minutes
Minutes = Annotated[float, Field(ge=1, le=YEAR)]


class FreshnessConfig(StrictModel):
    """How old the newest successful sync may be, in minutes."""

    warn_after_minutes: Minutes
    """An older sync is a warning."""
    fail_after_minutes: Minutes
    """An older sync is an error."""

    @model_validator(mode="after")
    def _in_order(self) -> "FreshnessConfig":
        if self.warn_after_minutes >= self.fail_after_minutes:
            raise ValueError("`warn_after_minutes` must be less than `fail_after_minutes`")
        return self
