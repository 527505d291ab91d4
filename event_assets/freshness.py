"""How old the data may be, as the YAML says it."""

from datetime import timedelta

import dagster as dg
from pydantic import Field as Describe
from pydantic import model_validator

from event_assets.configuration import Attributes

YEAR = 60 * 24 * 365  # minutes


class Freshness(Attributes):
    """How old the newest good sync may be, in minutes."""

    warn_after_minutes: float = Describe(description="Older is a warning.")
    fail_after_minutes: float = Describe(description="Older is an error.")

    @model_validator(mode="after")
    def _in_order(self) -> "Freshness":
        if not 1 <= self.warn_after_minutes < self.fail_after_minutes <= YEAR:
            raise ValueError(
                "`warn_after_minutes` must be 1 or more, and less than `fail_after_minutes`"
            )
        return self

    def cron(self) -> str:
        """When to look by itself: twice in the time after which a sync is late, between syncs."""
        every = min(max(int(self.warn_after_minutes / 2), 1), 30)
        return f"{every // 2}-59/{every} * * * *"

    def policy(self) -> dg.FreshnessPolicy:
        """Say the same as Dagster's own policy, which the UI shows and the daemon evaluates."""
        return dg.FreshnessPolicy.time_window(
            fail_window=timedelta(minutes=self.fail_after_minutes),
            warn_window=timedelta(minutes=self.warn_after_minutes),
        )
