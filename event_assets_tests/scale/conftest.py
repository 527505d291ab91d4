"""Real servers for the tests of what goes past one machine; `make test-scale` runs these."""

from collections.abc import Iterator

import pytest

from event_assets_tests.scale import servers


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A Postgres; `database()` makes an empty database in it for each test."""
    with servers.postgres() as running:
        yield running


@pytest.fixture(scope="session")
def redis() -> Iterator[int]:
    """A Redis: its port on 127.0.0.1."""
    with servers.redis_server() as port:
        yield port
