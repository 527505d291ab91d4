"""Every event of an event platform's REST API in DuckDB, by Dagster and dlt."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from event_assets.component.component import EventApi

__all__ = ["EventApi"]

# dlt's settings, as in its config.toml; the environment takes precedence.
DLT_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",  # on by default
    "DATA_WRITER__ARROW_CONCAT_PROMOTE_OPTIONS": "default",  # a column may become a float
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",  # a table of Arrow is a row group of Parquet
    "EXTRACT__WORKERS": "20",  # for resources with a parent; the session limits the requests
    # Its errors, which are raised as well, are logged with traces and data.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",  # which sync saw a row last
}
for _name, _value in DLT_SETTINGS.items():
    os.environ.setdefault(_name, _value)
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
