"""dlt's client of DuckDB, for a catalog that others write at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.destinations import duckdb as dlt_duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from event_assets.warehouse.attach import CATALOG, STAGING
from event_assets.warehouse.dlt_clients.transactions import TransactionalClient
from event_assets.warehouse.registry import retry_on_conflict

if TYPE_CHECKING:
    from dlt.common.destination.client import LoadJob
    from dlt.common.destination.typing import PreparedTableSchema


class SqlClient(DuckDbSqlClient):
    """Finds the tables in the attached catalog, and those that are staged beside it."""

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: ARG002
        """Give the catalog of the dataset that is in use."""
        return STAGING if self.is_staging_dataset_active else CATALOG


class CopyJob(DuckDbCopyJob):
    """Loads a file."""

    def run(self) -> None:
        """Load."""
        retry_on_conflict(super().run)


class Client(TransactionalClient, DuckDbClient):
    """Loads into the file."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Choose what loads a file."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return CopyJob(file_path) if isinstance(job, DuckDbCopyJob) else job


class CatalogClient(Client):
    """Loads into the attached catalog."""

    def __init__(
        self,
        schema: Schema,
        config: DuckDbClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        given = self.sql_client
        self.sql_client = SqlClient(
            given.dataset_name, given.staging_dataset_name, config.credentials, capabilities
        )


class Destination(dlt_duckdb):
    """dlt's destination of an open connection.

    Args:
        connection: where the database is, or is attached.
        name: the destination's.
        client: what loads.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, name: str, client: type[Client]
    ) -> None:
        self._client = client
        super().__init__(
            connection,
            destination_name=name,
            supports_transactions=True,  # else a merge deletes and inserts in two (dlt 1.31)
            replace_strategy="insert-from-staging",  # else a table is empty while it is filled
        )

    @property
    def client_class(self) -> type[Client]:
        """Give what loads."""
        return self._client

    @property
    def destination_type(self) -> str:
        """Give the name by which dlt looks it up."""
        return "dlt.destinations.duckdb"
