"""How old the data may be."""

from pydantic import Field as Describe
from pydantic import model_validator

from event_assets.config.model import StrictModel


class FreshnessConfig(StrictModel):
    """How old the newest successful sync may be, in minutes."""

    warn_after_minutes: float = Describe(description="An older sync is a warning.")
    fail_after_minutes: float = Describe(description="An older sync is an error.")

    @model_validator(mode="after")
    def _in_order(self) -> "FreshnessConfig":
        year = 60 * 24 * 365
        if not 1 <= self.warn_after_minutes < self.fail_after_minutes <= year:
            raise ValueError(
                "`warn_after_minutes` must be 1 or more, and less than `fail_after_minutes`"
            )
        return self
