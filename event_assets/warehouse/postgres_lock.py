"""Locks in Postgres, which hold on every host and end with their connection."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from event_assets.values.errors import WarehouseError

if TYPE_CHECKING:
    from event_assets.warehouse.postgres_url import Url

LOG = logging.getLogger("dagster")
POLL = 0.2  # seconds
# A host that is gone must not hold a lock for hours.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


@contextmanager
def hold_postgres_lock(url: Url, name: str, waiting: str) -> Iterator[None]:
    """Hold the lock of a name; wait for it as long as it takes.

    Raises:
        WarehouseError: when the driver is missing.
        psycopg2.Error: when the database cannot be reached.
    """
    with closing(connected(url)) as connection:
        connection.autocommit = True  # a transaction left open would keep old rows alive
        cursor = connection.cursor()
        said = False
        while not _got(cursor, name):
            if not said and waiting:
                LOG.info("%s ...", waiting)
            said = True
            time.sleep(POLL)
        yield


def connected(url: Url) -> Any:
    """Give a connection of psycopg2.

    Raises:
        WarehouseError: when the driver is missing.
    """
    try:
        import psycopg2
    except ImportError:
        psycopg2 = None
    if psycopg2 is None:
        raise WarehouseError("Postgres needs packages that are not here: run `make setup-scale`.")
    return psycopg2.connect(url.native(), **{"connect_timeout": 15, **KEEPALIVES})


def _got(cursor: Any, name: str) -> bool:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    cursor.execute("select pg_try_advisory_lock(%s)", (number,))
    return bool(cursor.fetchone()[0])
