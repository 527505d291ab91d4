"""Postgres advisory locks between hosts, released when a connection ends."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from event_assets.values.errors import WarehouseError

if TYPE_CHECKING:
    from event_assets.warehouse.postgres_url import PostgresUrl

LOG = logging.getLogger("dagster")
POLL_INTERVAL = 0.2  # seconds


@contextmanager
def hold_postgres_lock(url: PostgresUrl, name: str, message: str) -> Iterator[None]:
    """Hold the lock of a name; log the message, if it is not empty, when it has to wait.

    Raises:
        WarehouseError: If the driver is missing.
        psycopg2.Error: If the database cannot be reached.
    """
    with closing(_connect(url)) as connection:
        connection.autocommit = True  # a transaction left open would keep old rows alive
        cursor = connection.cursor()
        while not _try_lock(cursor, name):
            if message:
                LOG.info("%s ...", message)
                message = ""  # once is enough
            time.sleep(POLL_INTERVAL)
        yield


def _connect(url: PostgresUrl) -> Any:
    if not find_spec("psycopg2"):
        raise WarehouseError(
            "Postgres needs packages that are not installed: run `make setup-scale`."
        )
    import psycopg2

    address = {"host": url.host, "port": url.port, "dbname": url.database}
    credentials = {"user": url.user, "password": url.password}
    # A host that is gone must not hold a lock for hours.
    keepalives = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    parameters = {**address, **credentials, **url.options, "connect_timeout": 15, **keepalives}
    return psycopg2.connect(**parameters)


def _try_lock(cursor: Any, name: str) -> bool:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    cursor.execute("select pg_try_advisory_lock(%s)", (number,))
    return bool(cursor.fetchone()[0])
