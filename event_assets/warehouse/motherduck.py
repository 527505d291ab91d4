"""MotherDuck: DuckDB as a service. This was written after its documentation, and not run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from event_assets.warehouse.catalog import opened
from event_assets.warehouse.place import Place, advice_for, reason_of
from event_assets.warehouse.retrying import causes
from event_assets.warehouse.urls import literal, setting

if TYPE_CHECKING:
    from dlt.common.destination import Destination

DATABASE = "EVENTS_MOTHERDUCK_DATABASE"
TOKEN = "MOTHERDUCK_TOKEN"  # noqa: S105 (the name of the setting)
ADVICE = {
    "[Tt]oken|[Aa]uthenticat|[Jj]wt": f"correct {TOKEN}",
    "does not exist|no database": f"make the database, or correct {DATABASE}",
    "[Cc]onnect|HTTP|timeout|[Uu]navailable": "see that it can be reached from here",
}
CONFLICT = "[Cc]onflict|already exists"


class MotherDuck(Place):
    """A database at MotherDuck."""

    kind = "motherduck"

    @property
    def name(self) -> str:
        """Give the name of the database."""
        return os.environ.get(DATABASE) or "my_db"

    @property
    def another(self) -> str:
        """Say how to begin with an empty one."""
        return f"name another one in {DATABASE}"

    @property
    def shown(self) -> str:
        """Name it."""
        return f"md:{self.name}"

    @property
    def extensions(self) -> Sequence[str]:
        """Name the one that reaches it."""
        return ["motherduck"]

    def open(self, folder: Path) -> duckdb.DuckDBPyConnection:
        """Attach it."""
        token = os.environ.get(TOKEN.lower()) or setting(TOKEN)
        steps = (f"set motherduck_token = {literal(token)}", f"attach {literal(self.shown)}")
        return opened(folder, self.kind, self.extensions, steps, self.name)

    @contextmanager
    def loading(
        self,
        connection: duckdb.DuckDBPyConnection,
        pipeline: str,  # noqa: ARG002 (each stages in a database of its own)
        first: Sequence[str] = (),
    ) -> Iterator[Destination[Any, Any]]:
        """Give it to dlt."""
        from event_assets.warehouse.duck_client import CatalogClient, Destination

        yield Destination(connection, self.kind, CatalogClient.beginning(first))

    def describe(self, error: BaseException) -> str | None:
        """Say what is wrong with the service."""
        advice = advice_for(error, ADVICE) if isinstance(error, duckdb.Error) else None
        if advice is None:
            return None
        return f"The database {self.shown} cannot be used: {reason_of(error)}; {advice}."

    def is_conflict(self, error: BaseException) -> bool:
        """See whether another writer came in between."""
        return any(
            isinstance(cause, duckdb.Error) and re.search(CONFLICT, str(cause))
            for cause in causes(error)
        )
