"""dlt's DuckDB client, with each step one transaction that is retried on write conflicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from dlt.destinations import duckdb as dlt_duckdb
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
    from dlt.destinations.sql_client import SqlClientBase

    TableChain = Sequence[PreparedTableSchema]

CATALOG = "_warehouse"  # no schema has this name
STAGING = "_staging"  # a database of this process: others must not see staged rows


class LoadOptions(NamedTuple):
    """How a client loads."""

    retry: Callable[[Callable[[], Any]], Any]  # runs an atomic action; retries on write conflicts
    alter_statements: Sequence[str]  # changes of the table before it is merged or replaced


class TransactionalClient(DuckDbClient):
    """Changes a table's columns and its rows in one transaction."""

    options: ClassVar[LoadOptions]

    def initialize_storage(self, *args: Any, **kwargs: Any) -> None:
        """Create the schema."""
        self.options.retry(partial(super().initialize_storage, *args, **kwargs))

    def update_stored_schema(self, *args: Any, **kwargs: Any) -> Any:
        """Create tables and columns."""
        return self.options.retry(partial(super().update_stored_schema, *args, **kwargs))

    def complete_load(self, load_id: str) -> None:
        """Record that a load is complete."""
        self.options.retry(partial(super().complete_load, load_id))

    def create_load_job(self, *args: Any, **kwargs: Any) -> LoadJob:
        """Create the job that loads a file, or merges or replaces a staged table."""
        job = super().create_load_job(*args, **kwargs)
        if isinstance(job, (SqlLoadJob, DuckDbCopyJob)):
            vars(job)["run"] = partial(self.options.retry, job.run)
        return job

    def _create_merge_followup_jobs(self, table_chain: TableChain) -> list[FollowupJobRequest]:
        return [self._with_alter_statements(SqlMergeFollowupJob, table_chain)]

    def _create_replace_followup_jobs(self, table_chain: TableChain) -> list[FollowupJobRequest]:
        return [self._with_alter_statements(SqlStagingReplaceFollowupJob, table_chain)]

    def _with_alter_statements(
        self, job: type[SqlFollowupJob], table_chain: TableChain
    ) -> FollowupJobRequest:
        def generate_sql(
            _: type[SqlFollowupJob], tables: TableChain, client: SqlClientBase[Any]
        ) -> list[str]:
            table = client.make_qualified_table_name(str(tables[0]["name"]))
            alter = [f"alter table {table} {change}" for change in self.options.alter_statements]
            return [*alter, *job.generate_sql(tables, client)]

        derived: type[SqlFollowupJob] = type(
            job.__name__, (job,), {"generate_sql": classmethod(generate_sql)}
        )
        return derived.from_table_chain(table_chain, self.sql_client)


class _CatalogSqlClient(DuckDbSqlClient):
    """Finds the tables in the attached catalog, and the staging tables beside it."""

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: ARG002
        return STAGING if self.is_staging_dataset_active else CATALOG


class CatalogClient(TransactionalClient):
    """Loads into the attached catalog."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        client = self.sql_client
        self.sql_client = _CatalogSqlClient(
            client.dataset_name, client.staging_dataset_name, client.credentials, self.capabilities
        )


class DltDuckDb(dlt_duckdb):
    """dlt's DuckDB destination on an open connection."""

    def __init__(
        self,
        connection: Database,
        name: str,
        client: type[TransactionalClient],
        options: LoadOptions,
    ) -> None:
        self._client: type[TransactionalClient] = type(
            client.__name__, (client,), {"options": options}
        )
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
