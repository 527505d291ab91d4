"""An API with a thousand events that breaks off."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from starlette.requests import Request
from starlette.responses import Response

from event_assets import warehouse
from event_assets.config.fields import FieldConfig
from event_assets.config.source import SourceConfig
from event_assets.orchestration import check_results
from event_assets.sync import runner
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.platforms import events, paged, source

PATH = "/v1/events"
ROWS = 1_000


@dataclass
class Account:
    """An API that fails from an offset on, and its syncs.

    Attributes:
        rows: the API's events.
        ends_at: the first offset that it does not answer.
        source: how it is read.
        synced: what the syncs that ended say of themselves.
    """

    rows: list[Any]
    platform: ApiServer
    source: SourceConfig
    ends_at: int = 1_000_000
    synced: list[dict[str, Any]] = field(default_factory=list)

    def sync(self, **changes: Any) -> None:
        """Sync, with changes of how it is read."""
        resource = replace(self.source, **changes).events
        runner.run_sync(
            resource, lambda _: None, lambda _, done: self.synced.append(dict(done.row))
        )

    def sync_up_to(self, offset: int, **changes: Any) -> None:
        """Sync until the API refuses to answer."""
        self.ends_at = offset
        with pytest.raises(PipelineStepFailed):
            self.sync(**changes)
        self.ends_at = 1_000_000
        self.platform.requests.clear()

    @property
    def asked(self) -> list[int]:
        """The offsets that were asked for since the last sync that was interrupted."""
        return [int(query["offset"]) for query in self.platform.asked_for(PATH)]

    def rows_of(self, query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect() as database:
            return database.sql(query).fetchall()

    def ids(self, table: str = "event_data") -> list[str]:
        return [key for (key,) in self.rows_of(f"select id from events.{table} order by id")]

    def of_api(self) -> list[str]:
        return sorted(row["id"] for row in self.rows)

    def complete(self) -> dg.AssetCheckResult:
        with warehouse.connect() as database:
            return check_results.evaluate_complete(database, self.source, "event_data")

    def current(self) -> list[str]:
        """Return the ids of the current events."""
        rows = self.rows_of(
            "select id from events.event_data where _dlt_load_id >= (select max(load_id) from "
            "events.event_data_syncs where complete) order by id"
        )
        return [key for (key,) in rows]


@contextmanager
def account_of_1000() -> Iterator[Account]:

    def answer(request: Request) -> Any:
        if int(request.query_params["offset"]) >= made.ends_at:
            return Response(status_code=403)
        return paged(made.rows)(request)

    with serving({PATH: answer}) as platform:
        document = source(platform.url)["attributes"]
        fields = {
            name: FieldConfig.model_validate(said) for name, said in document["fields"].items()
        }
        read = SourceConfig(
            name="events", rest_api=document["rest_api"], fields=fields, concurrency=1
        )
        made = Account(events(ROWS), platform, read)
        yield made


def odd(rows: list[Any]) -> list[Any]:
    """Let fields change their types, come and go, and records break the contract."""
    for number, row in enumerate(rows):
        row["size"] = number if number < 550 else number + 0.5
        row["count"] = 2**60 + number if number < 350 else number + 0.5
        row["note"] = number if number < 650 else f"note {number}"
        if number > 700:
            row["late"] = {"more": [number]}
        if number % 97 == 0:
            row["start_time"] = "soon"
        if number % 203 == 0:
            del row["id"]
    return rows
