"""dlt's steps, each one transaction, done again when another writer came in between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from dlt.destinations.job_client_impl import SqlJobClientBase, SqlLoadJob
from dlt.destinations.sql_jobs import (
    SqlFollowupJob,
    SqlMergeFollowupJob,
    SqlStagingReplaceFollowupJob,
)

from event_assets.warehouse.registry import retry_on_conflict

if TYPE_CHECKING:
    from dlt.common.destination.client import FollowupJobRequest, LoadJob
    from dlt.common.destination.typing import PreparedTableSchema
    from dlt.common.schema.typing import TSchemaTables
    from dlt.destinations.sql_client import SqlClientBase

Client = TypeVar("Client", bound="TransactionalClient")


class SqlJob(SqlLoadJob):
    """Merges or replaces by what is staged."""

    def run(self) -> None:
        """Do it."""
        retry_on_conflict(super().run)


class TransactionalClient(SqlJobClientBase):
    """A client of dlt that changes a table's columns and its rows in one transaction.

    Attributes:
        first: changes of a table, as `alter table` takes them, before it is merged or replaced.
    """

    first: ClassVar[Sequence[str]] = ()

    @classmethod
    def beginning(cls: type[Client], first: Sequence[str]) -> type[Client]:
        """Derive one that begins with these changes."""
        return cast("type[Client]", type(cls.__name__, (cls,), {"first": first}))

    def initialize_storage(self, *given: Any, **named: Any) -> None:
        """Make the schema."""
        retry_on_conflict(partial(super().initialize_storage, *given, **named))

    def update_stored_schema(self, *given: Any, **named: Any) -> TSchemaTables | None:
        """Make tables and columns."""
        return retry_on_conflict(partial(super().update_stored_schema, *given, **named))

    def complete_load(self, load_id: str) -> None:
        """Note that a load is complete."""
        retry_on_conflict(partial(super().complete_load, load_id))

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Choose what loads a file."""
        if SqlLoadJob.is_sql_job(file_path):
            return SqlJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def _create_merge_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [self._beginning(SqlMergeFollowupJob, table_chain)]

    def _create_replace_followup_jobs(
        self, table_chain: Sequence[PreparedTableSchema]
    ) -> list[FollowupJobRequest]:
        return [self._beginning(SqlStagingReplaceFollowupJob, table_chain)]

    def _beginning(
        self, job: type[SqlFollowupJob], table_chain: Sequence[PreparedTableSchema]
    ) -> FollowupJobRequest:
        first = self.first

        def generate_sql(
            _: type[SqlFollowupJob],
            tables: Sequence[PreparedTableSchema],
            client: SqlClientBase[Any],
        ) -> list[str]:
            table = client.make_qualified_table_name(str(tables[0]["name"]))
            changes = [f"alter table {table} {change}" for change in first]
            return [*changes, *job.generate_sql(tables, client)]

        derived = type(job.__name__, (job,), {"generate_sql": classmethod(generate_sql)})
        return cast("type[SqlFollowupJob]", derived).from_table_chain(table_chain, self.sql_client)
