"""A first sync that is interrupted goes on where it was, on every destination."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets_tests.scale.destinations import DESTINATIONS
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.large_account import Account, account_of_1000, odd
from event_assets_tests.support.project import Project


@pytest.fixture(params=[name for name in DESTINATIONS if name != "duckdb"])
def account(
    request: pytest.FixtureRequest, project: Project, postgres: Postgres, tmp_path: Path
) -> Iterator[Account]:
    """An account that is synced into one of the destinations."""
    for name, value in DESTINATIONS[request.param](postgres, tmp_path).items():
        project.environment.setenv(name, value)
    with account_of_1000() as made:
        yield made


def test_it_goes_on_at_the_last_checkpoint(account: Account) -> None:
    odd(account.rows)
    account.sync_up_to(850)
    account.sync()
    assert account.asked == [792, 891, 990]
    kept = sorted(row["id"] for row in account.rows if "id" in row and row["start_time"] != "soon")
    assert account.ids() == kept == account.current()
    (row,) = account.synced
    assert (row["complete"], row["distinct_ids"]) == (True, 1_000)
    assert account.rows_of("select count(*) from events.event_data_rejects") == [(15,)]
    assert account.rows_of("select * from events.event_data_checkpoint") == []
