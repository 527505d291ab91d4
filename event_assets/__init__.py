"""Every event of an event platform's REST API in DuckDB, by Dagster and dlt."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from event_assets.component.component import EventApi

__all__ = ["EventApi"]

# dlt's settings, as if they stood in its config.toml; what the user has set goes first.
DLT_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",  # it reports usage to its makers unless told not to
    "DATA_WRITER__ARROW_CONCAT_PROMOTE_OPTIONS": "default",  # a column may become a float
    "EXTRACT__WORKERS": "20",  # for lists of each event; the session bounds the requests
    "LOAD__WORKERS": "1",  # each takes memory, and DuckDB writes with one thread anyway
    # It logs errors with traces and data, which are raised as well; of warnings there were none.
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "DESTINATION__REPLACE_STRATEGY": "insert-from-staging",  # else emptied first, then filled
    "LOAD__TRUNCATE_STAGING_DATASET": "true",  # else the file holds everything twice
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",  # which sync saw a row last
}
for _name, _value in DLT_SETTINGS.items():
    os.environ.setdefault(_name, _value)


def __getattr__(name: str) -> type:
    """Import the component when it is asked for, so that the sandbox starts without Dagster."""
    if name in __all__:
        from event_assets.component import component

        exported: type = vars(component)[name]
        return exported
    raise AttributeError(name)


def __dir__() -> list[str]:
    return __all__
