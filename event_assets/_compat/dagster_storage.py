"""Dagster's history in SQLite, by the class that dagster.yaml names."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage


class EventLogs(SqliteEventLogStorage):
    """Dagster's files of what runs log: `event_log_storage` in dagster.yaml.

    The file of a run has 26 tables and indexes, most of them empty, with a page each: it is the
    largest part of a short run's history, unless pages are small.
    """

    def __init__(self, inst_data: Any = None) -> None:
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no settings: the files are where Dagster keeps them by default."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "EventLogs":  # noqa: ARG003 (it has no settings)
        """Build it from dagster.yaml."""
        return cls(inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Open the folder of the instance."""
        folder = Path(instance.root_directory, "history", "runs")
        super().__init__(str(folder), self._inst_data)
        super().register_instance(instance)

    def conn_string_for_shard(self, shard_name: str) -> str:
        """Return how to connect to a file, which is made with small pages."""
        file = Path(self.path_for_shard(shard_name))
        if not file.exists():
            with closing(sqlite3.connect(file)) as new:
                new.execute("pragma page_size = 512")  # bytes
                new.execute("vacuum")
        return super().conn_string_for_shard(shard_name)
