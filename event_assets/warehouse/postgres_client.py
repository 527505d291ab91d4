"""dlt's client of Postgres: files come in by DuckDB, the merge is done inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.destinations import postgres as dlt_postgres
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

from event_assets.warehouse.catalog import CATALOG
from event_assets.warehouse.current import again, place
from event_assets.warehouse.steps import Stepwise
from event_assets.warehouse.urls import literal

if TYPE_CHECKING:
    from dlt.common.destination.capabilities import LoaderFileFormatSelector
    from dlt.common.destination.client import LoadJob
    from dlt.common.destination.typing import PreparedTableSchema
    from dlt.common.schema.typing import TColumnSchema, TTableSchema


class TypeMapper(PostgresTypeMapper):
    """Keeps JSON as it came: jsonb would order it anew, and refuses the character NUL."""

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """Give the type of a column."""
        if column["data_type"] == "json":
            return "json"
        return super().to_destination_type(column, table)


class CopyJob(RunnableLoadJob, HasFollowupJobs):
    """Loads a Parquet file, through DuckDB."""

    def run(self) -> None:
        """Load, again when another writer came in between."""
        again(self._copy)

    def _copy(self) -> None:
        client = cast("Client", self._job_client)
        table = client.sql_client.make_qualified_table_name(self.load_table_name)
        with TemporaryDirectory(prefix="events-") as folder:
            connection = place().open(Path(folder))
            try:
                file = literal(self._file_path)
                connection.execute(
                    f"insert into {CATALOG}.{table} by name from read_parquet({file})"
                )
            finally:
                connection.close()


class Client(Stepwise, PostgresClient):
    """Loads by DuckDB, and merges inside."""

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Choose what loads a file."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return CopyJob(file_path) if isinstance(job, PostgresParquetCopyJob) else job

    def _get_table_update_sql(
        self, table_name: str, new_columns: Sequence[TColumnSchema], generate_alter: bool
    ) -> list[str]:
        statements = super()._get_table_update_sql(table_name, new_columns, generate_alter)
        key = get_columns_names_with_prop(
            cast("TTableSchema", self.prepare_load_table(table_name)), "primary_key"
        )
        if not generate_alter and key and not self.sql_client.is_staging_dataset_active:
            columns = ", ".join(map(self.sql_client.escape_column_name, key))
            name = self.sql_client.make_qualified_table_name(table_name)
            statements.append(f"CREATE UNIQUE INDEX ON {name} ({columns})")
        return statements


class Destination(dlt_postgres):
    """dlt's destination of a Postgres.

    Args:
        url: its address, with all that is secret.
        name: the destination's.
        client: what loads.
        staging: the schema in which it stages.
    """

    def __init__(self, url: str, name: str, client: type[Client], staging: str) -> None:
        self._client = client
        super().__init__(
            url,
            destination_name=name,
            staging_dataset_name_layout=staging,
            replace_strategy="insert-from-staging",  # else what depends on the table is in the way
        )

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.type_mapper = TypeMapper
        capabilities.preferred_loader_file_format = "parquet"
        capabilities.loader_file_format_selector = cast("LoaderFileFormatSelector", None)
        return capabilities

    @property
    def client_class(self) -> type[Client]:
        """Give what loads."""
        return self._client

    @property
    def destination_type(self) -> str:
        """Give the name by which dlt looks it up."""
        return "dlt.destinations.postgres"
