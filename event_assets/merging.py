"""dlt's DuckDB destination, which changes a table's columns and its rows in one transaction."""

from collections.abc import Sequence
from typing import Any

import dlt
from dlt.common.destination.client import FollowupJobRequest
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.sql_client import SqlClientBase
from dlt.destinations.sql_jobs import SqlMergeFollowupJob, SqlStagingReplaceFollowupJob

Tables = Sequence[PreparedTableSchema]


def destination_of(first: Sequence[str]) -> type[dlt.destinations.duckdb]:
    """Derive dlt's destination.

    Args:
        first: statements that merging or replacing a table begins with, in its transaction.
    """

    class Merge(SqlMergeFollowupJob):
        @classmethod
        def generate_sql(cls, table_chain: Tables, sql_client: SqlClientBase[Any]) -> list[str]:
            return [*first, *super().generate_sql(table_chain, sql_client)]

    class Replace(SqlStagingReplaceFollowupJob):
        @classmethod
        def generate_sql(cls, table_chain: Tables, sql_client: SqlClientBase[Any]) -> list[str]:
            return [*first, *super().generate_sql(table_chain, sql_client)]

    class Client(DuckDbClient):
        def _create_merge_followup_jobs(self, table_chain: Tables) -> list[FollowupJobRequest]:
            return [Merge.from_table_chain(table_chain, self.sql_client)]

        def _create_replace_followup_jobs(self, table_chain: Tables) -> list[FollowupJobRequest]:
            return [Replace.from_table_chain(table_chain, self.sql_client)]

    class Destination(dlt.destinations.duckdb):
        @property
        def client_class(self) -> type[DuckDbClient]:
            return Client

        @property
        def destination_type(self) -> str:
            return "dlt.destinations.duckdb"  # dlt looks it up by this

    return Destination
