"""The dlt baselines: its REST API source as documented."""

from pathlib import Path
from typing import Any, cast

import dlt
import duckdb  # noqa: F401 (dlt's lazy imports are not part of the figure)
import pyarrow.parquet  # noqa: F401 (likewise)
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig

from bench.contenders import COLUMNS, PAGE, PATH, Prepared, count_rows
from event_assets.sandbox import KEY


def prepare_default(url: str, folder: Path) -> Prepared:
    """Prepare plain dlt with its default loader file format."""
    return _prepare_dlt(url, folder)


def prepare_parquet(url: str, folder: Path) -> Prepared:
    """Prepare plain dlt with Parquet, the setting that helps it most."""
    return _prepare_dlt(url, folder, loader_file_format="parquet")


def _prepare_dlt(url: str, folder: Path, **settings: Any) -> Prepared:
    database = folder / "plain.duckdb"

    def run() -> bool:
        pipeline = dlt.pipeline(
            pipeline_name="plain",
            pipelines_dir=str(folder / "dlt"),
            destination=dlt.destinations.duckdb(str(database)),
            dataset_name="events",
        )
        pipeline.run(rest_api_source(_build_config(url)), **settings)
        return True

    return Prepared(run, lambda: count_rows(database, "events.event_data"), database)


def _build_config(url: str) -> RESTAPIConfig:
    """Build the configuration of the default source, as documented by dlt."""
    config = {
        "client": {
            "base_url": url,
            "auth": {"type": "api_key", "name": "api_key", "api_key": KEY, "location": "query"},
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {
                "name": "event_data",
                "columns": COLUMNS,
                "endpoint": {
                    "path": PATH,
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": PAGE, "total_path": "total"},
                },
            }
        ],
    }
    return cast("RESTAPIConfig", config)
