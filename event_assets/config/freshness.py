"""How old the data may be."""

from pydantic import Field as Describe
from pydantic import model_validator

from event_assets.config.model import StrictModel

YEAR = 60 * 24 * 365  # minutes


class FreshnessConfig(StrictModel):
    """How old the newest successful sync may be, in minutes."""

    warn_after_minutes: float = Describe(ge=1, le=YEAR, description="An older sync is a warning.")
    fail_after_minutes: float = Describe(ge=1, le=YEAR, description="An older sync is an error.")

    @model_validator(mode="after")
    def _in_order(self) -> "FreshnessConfig":
        if self.warn_after_minutes >= self.fail_after_minutes:
            raise ValueError("`warn_after_minutes` must be less than `fail_after_minutes`")
        return self
