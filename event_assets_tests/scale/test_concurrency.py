"""Many accounts are loaded into one table at the same time: nothing is lost, nothing doubled."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from starlette.requests import Request

from event_assets import warehouse
from event_assets_tests.scale.destinations import ducklake
from event_assets_tests.scale.servers import Postgres
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import ROOT, Project

ACCOUNTS = [f"a{number}" for number in range(50)]
WORKERS = 8
EVENTS = 120  # of each account
ROUNDS = 3
PATIENCE = 1200.0  # seconds for all rounds
Rows = list[dict[str, Any]]
TABLE = """
select account, id, name, start_time::varchar, tags::varchar, venue__name,
    coalesce({prices})
from events.event_data
"""


def listed(account: str, number: int) -> Rows:
    """Return an account's events in a round: some are new, some changed, some gone.

    All accounts get a field in the same round, some have prices of another type.
    """
    rows: Rows = events(EVENTS, first=7 * number)
    shift = ACCOUNTS.index(account)
    for row in rows:
        index = int(row["id"][1:])
        row["price"] = shift * 1_000 + index
        row["tags"] = [account, index]
        if number and (index + shift) % 5 == 0:
            row["name"] += f" moved in {number}"
        if number == 1 and shift % 7 == 0 and index % 10 == 0:
            row["price"] = "free"
        if number == 2 and shift % 9 == 0:
            row["price"] += 0.5
        if number:
            row["venue"] = {"name": f"Hall {shift}"}
    return rows


def expected() -> set[tuple[Any, ...]]:
    """Return every event of every account, as of the last round that had it."""
    found = {
        (account, row["id"]): row
        for number in range(ROUNDS)
        for account in ACCOUNTS
        for row in listed(account, number)
    }
    return {
        (
            account,
            event,
            row["name"],
            row["start_time"].replace("T", " ").replace("Z", "+00"),
            json.dumps(row["tags"], separators=(",", ":")),
            row.get("venue", {}).get("name"),
            str(row["price"]).removesuffix(".0"),
        )
        for (account, event), row in found.items()
    }


def loaded() -> list[tuple[Any, ...]]:
    """Return the table in the same form."""
    with warehouse.connect() as database:
        columns = database.sql("from events.event_data").columns
        prices = ", ".join(
            f"regexp_replace({name}::varchar, '[.]0$', '')"
            for name in columns
            if name.startswith("price")
        )
        return database.sql(TABLE.format(prices=prices)).fetchall()


def rows(query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as database:
        return database.sql(query).fetchall()


@contextmanager
def workers() -> Iterator[Callable[[Any, list[str]], tuple[dict[str, str], int]]]:
    """Start the processes, and give what has them sync accounts: what failed, and the conflicts."""
    command = [sys.executable, "-m", "event_assets_tests.scale.workers", str(WORKERS)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as driver:
        assert driver.stdin
        assert driver.stdout
        asked, said = driver.stdin, driver.stdout

        def sync(document: Any, accounts: list[str]) -> tuple[dict[str, str], int]:
            asked.write(json.dumps([document, accounts]) + "\n")
            asked.flush()
            answer = said.readline()
            assert answer, "the workers have ended, or were ended after their time"
            failed, conflicts = json.loads(answer)
            return failed, conflicts

        alarm = Timer(PATIENCE, os.killpg, (driver.pid, signal.SIGKILL))
        alarm.start()
        try:
            yield sync
        finally:
            asked.close()
            status = driver.wait()
            alarm.cancel()
        assert status == 0


def test_accounts_that_load_at_once_lose_and_double_nothing(
    project: Project,
    postgres: Postgres,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    for variable, value in ducklake(postgres, tmp_path).items():
        project.environment.setenv(variable, value)
    number = 0

    def answer(request: Request) -> Any:
        return paged(listed(request.path_params["account"], number))(request)

    with serving({"/v1/{account}/events": answer}) as api, workers() as sync:
        document = source(api.url, accounts=ACCOUNTS)
        resources = document["attributes"]["rest_api"]["resources"]
        resources[0]["endpoint"]["path"] = "/v1/{account}/events"
        for number in range(ROUNDS):
            failed, conflicts = sync(document, ACCOUNTS)
            assert failed == {}
            record_property(f"conflicts in round {number + 1}", conflicts)
    table = loaded()
    assert len(table) == len(set(table))
    assert set(table) == expected()
    assert rows(
        "select account, count(*), bool_and(complete), min(distinct_ids), max(distinct_ids) "
        "from events.event_data_syncs group by 1 order by 1"
    ) == sorted((account, ROUNDS, True, EVENTS, EVENTS) for account in ACCOUNTS)
