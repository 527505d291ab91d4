"""Every event of an event platform's REST API in DuckDB, by Dagster and dlt."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from event_assets.component.component import EventApi

__all__ = ["EventApi"]

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")  # on by default
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own keeps what is freed


def __getattr__(name: str) -> type:
    """Import the component on access, so that the sandbox starts without Dagster."""
    if name in __all__:
        from event_assets.component import component

        exported: type = vars(component)[name]
        return exported
    raise AttributeError(name)


def __dir__() -> list[str]:
    return __all__
