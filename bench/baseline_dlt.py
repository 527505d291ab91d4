"""What one does without this project: dlt's REST API source as documented, or bare requests."""

from pathlib import Path
from typing import Any, cast

import dlt
import duckdb  # noqa: F401 (what dlt imports when it first needs it is no part of the figure)
import pyarrow.parquet  # noqa: F401 (likewise)
import requests
from dlt.sources.rest_api import rest_api_source
from dlt.sources.rest_api.typing import RESTAPIConfig

from bench.contenders import COLUMNS, PAGE, PATH, Prepared, rows_in
from event_assets.sandbox import KEY


def by_default(url: str, folder: Path) -> Prepared:
    """Prepare plain dlt as it is: its loader takes the file format it prefers."""
    return _plain_dlt(url, folder)


def with_parquet(url: str, folder: Path) -> Prepared:
    """Prepare plain dlt with the one setting that helps it most."""
    return _plain_dlt(url, folder, loader_file_format="parquet")


def _plain_dlt(url: str, folder: Path, **settings: Any) -> Prepared:
    database = folder / "plain.duckdb"

    def run() -> bool:
        pipeline = dlt.pipeline(
            pipeline_name="plain",
            pipelines_dir=str(folder / "dlt"),
            destination=dlt.destinations.duckdb(str(database)),
            dataset_name="events",
        )
        pipeline.run(rest_api_source(_configuration(url)), **settings)
        return True

    return Prepared(run, lambda: rows_in(database, "events.event_data"), database)


def _configuration(url: str) -> RESTAPIConfig:
    """Say what the default source's defs.yaml says, as dlt's documentation would."""
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


def one_by_one(url: str, _folder: Path) -> Prepared:
    """Prepare to fetch and decode every page, one after another, and to write nothing."""
    events: list[Any] = []

    def run() -> bool:
        events.clear()
        with requests.Session() as session:
            while True:
                params: dict[str, str | int] = {
                    "api_key": KEY,
                    "limit": PAGE,
                    "offset": len(events),
                }
                answer = session.get(url + PATH, params=params, timeout=60)
                answer.raise_for_status()
                page = answer.json()
                events.extend(page["data"])
                if not page["data"] or len(events) >= page["total"]:
                    return True

    return Prepared(run, lambda: len(events))
