"""A clock that is wrong: syncs under it have other times and other load ids."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pendulum
import pytest


@contextmanager
def wrong_by(hours: float) -> Iterator[None]:
    """Let the clock of event_assets and of dlt be ahead, or back if negative."""
    wrong = timedelta(hours=hours)
    now = pendulum.now

    class Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, datetime)

    class WrongDatetime(datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + wrong

    ours = [module for name, module in sys.modules.items() if name.startswith("event_assets.")]
    with pytest.MonkeyPatch.context() as patch:
        for module in ours:
            if getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", WrongDatetime)
        # dlt's own id of a load never goes back within a process, but does from one to the next
        patch.setattr(
            "dlt.extract.storage.create_load_id", lambda: str(time.time() + wrong.total_seconds())
        )
        patch.setattr(pendulum, "now", lambda *args, **names: now(*args, **names) + wrong)
        yield
