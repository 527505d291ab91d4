"""Processes that sync accounts at the same time, each forked after all is imported.

Arguments: the number of processes. On standard input, a line a round, as JSON: the YAML of the
source `events`, and the accounts to sync. For each round a line on standard output, as JSON: what
failed, by account, and how many write conflicts were retried.
"""

import json
import logging
import multiprocessing
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from event_assets import EventApi
from event_assets.sync import runner
from event_assets.warehouse import destination

Task = tuple[dict[str, Any], str]


class Counting(logging.Handler):
    """Counts the log lines about write conflicts."""

    found = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count."""
        self.found += record.msg.startswith("Write conflict")


COUNTING = Counting()


def sync(task: Task) -> tuple[str, str, int]:
    """Sync an account; say what went wrong, if anything."""
    document, account = task
    before = COUNTING.found
    try:
        source = EventApi.model_validate(document["attributes"]).source("events")
        runner.run_sync(source.for_account(account).events, lambda _: None, lambda *_: None)
    except Exception:
        return account, traceback.format_exc(), COUNTING.found - before
    return account, "", COUNTING.found - before


def main() -> None:
    """Serve until standard input ends."""
    destination.LOG.addHandler(COUNTING)
    destination.LOG.setLevel(logging.INFO)
    destination.LOG.propagate = False
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(int(sys.argv[1]), fork) as pool:  # one that dies is an error
        for line in sys.stdin:
            document, accounts = json.loads(line)
            tasks = [(document, account) for account in accounts]
            done = list(pool.map(sync, tasks))
            failed = {account: problem for account, problem, _ in done if problem}
            print(json.dumps([failed, sum(conflicts for *_, conflicts in done)]), flush=True)


if __name__ == "__main__":
    main()
