"""dlt's DuckDB client, with each step one transaction that is retried on write conflicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.destinations import duckdb as dlt_duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.job_client_impl import SqlLoadJob
from dlt.destinations.sql_jobs import (
    SqlFollowupJob,
    SqlMergeFollowupJob,
    SqlStagingReplaceFollowupJob,
)

from event_assets.warehouse.sql import Database

if TYPE_CHECKING:
    from dlt.common.destination.client import FollowupJobRequest, LoadJob
    from dlt.common.destination.typing import PreparedTableSchema
    from dlt.common.schema.typing import TSchemaTables
    from dlt.destinations.sql_client import SqlClientBase

CATALOG = "_warehouse"  # no schema has this name
STAGING = "_staging"  # a database of this process: others must not see staged rows
Retry = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True)
class LoadOptions:
    """How a client loads.

    Attributes:
        retry: runs an atomic action, retrying on write conflicts.
        alter_statements: changes of the table before it is merged or replaced.
    """

    retry: Retry
    alter_statements: Sequence[str]


class _SqlJob(SqlLoadJob):
    """Merges or replaces a table from its staging table."""

    def __init__(self, file_path: str, retry: Retry) -> None:
        super().__init__(file_path)
        self._retry = retry

    def run(self) -> None:
        self._retry(super().run)


class _CopyJob(DuckDbCopyJob):
    """Loads a file."""

    def __init__(self, file_path: str, retry: Retry) -> None:
        super().__init__(file_path)
        self._retry = retry

    def run(self) -> None:
        self._retry(super().run)


class TransactionalClient(DuckDbClient):
    """Changes a table's columns and its rows in one transaction."""

    options: ClassVar[LoadOptions]

    def initialize_storage(self, *args: Any, **kwargs: Any) -> None:
        """Create the schema."""
        self.options.retry(partial(super().initialize_storage, *args, **kwargs))

    def update_stored_schema(self, *args: Any, **kwargs: Any) -> TSchemaTables | None:
        """Create tables and columns."""
        update = partial(super().update_stored_schema, *args, **kwargs)
        return cast("TSchemaTables | None", self.options.retry(update))

    def complete_load(self, load_id: str) -> None:
        """Record that a load is complete."""
        self.options.retry(partial(super().complete_load, load_id))

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Create the job that loads a file."""
        if SqlLoadJob.is_sql_job(file_path):
            return _SqlJob(file_path, self.options.retry)
        job = super().create_load_job(table, file_path, load_id, restore)
        return _CopyJob(file_path, self.options.retry) if isinstance(job, DuckDbCopyJob) else job

    def _create_merge_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [self._with_alter_statements(SqlMergeFollowupJob, table_chain)]

    def _create_replace_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [self._with_alter_statements(SqlStagingReplaceFollowupJob, table_chain)]

    def _with_alter_statements(
        self, job: type[SqlFollowupJob], table_chain: Sequence[PreparedTableSchema]
    ) -> FollowupJobRequest:
        changes = self.options.alter_statements

        def generate_sql(
            _: type[SqlFollowupJob],
            tables: Sequence[PreparedTableSchema],
            client: SqlClientBase[Any],
        ) -> list[str]:
            table = client.make_qualified_table_name(str(tables[0]["name"]))
            alter = [f"alter table {table} {change}" for change in changes]
            return [*alter, *job.generate_sql(tables, client)]

        derived = type(job.__name__, (job,), {"generate_sql": classmethod(generate_sql)})
        return cast("type[SqlFollowupJob]", derived).from_table_chain(table_chain, self.sql_client)


class _CatalogSqlClient(DuckDbSqlClient):
    """Finds the tables in the attached catalog, and the staging tables beside it."""

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: ARG002
        return STAGING if self.is_staging_dataset_active else CATALOG


class CatalogClient(TransactionalClient):
    """Loads into the attached catalog."""

    def __init__(
        self,
        schema: Schema,
        config: DuckDbClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        client = self.sql_client
        self.sql_client = _CatalogSqlClient(
            client.dataset_name, client.staging_dataset_name, config.credentials, capabilities
        )


class DltDuckDb(dlt_duckdb):
    """dlt's DuckDB destination on an open connection.

    Args:
        connection: sees the database.
        name: the destination's name.
        client: the class of the client.
        options: how the client loads.
    """

    def __init__(
        self,
        connection: Database,
        name: str,
        client: type[TransactionalClient],
        options: LoadOptions,
    ) -> None:
        derived = type(client.__name__, (client,), {"options": options})
        self._client = cast("type[TransactionalClient]", derived)
        super().__init__(
            connection,
            destination_name=name,
            supports_transactions=True,  # else a merge deletes and inserts in two (dlt 1.31)
            replace_strategy="insert-from-staging",  # else a table is empty while it is filled
        )

    @property
    def client_class(self) -> type[TransactionalClient]:
        """The class of the client."""
        return self._client

    @property
    def destination_type(self) -> str:
        """The name by which dlt looks it up."""
        return "dlt.destinations.duckdb"
