"""Forks what changes the tables beside a sync, and kills it (SIGKILL) at one of its steps.

A line of JSON holds `derive` or `erase`, how many steps are done, and the attributes of the source.
A step is a statement in the database, or the end of a file or a folder.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from event_assets.component.component import EventApi
from event_assets.warehouse import connection, erase
from event_assets_tests.faults.forking import serve
from event_assets_tests.support.direct_syncs import derive_tables

VALUE = "anna@example.org"
STATEMENTS = {"begin", "close", "commit", "execute", "sql", "table"}


class Steps:
    """Counts steps, and kills this process instead of the one after the last."""

    def __init__(self, count: int) -> None:
        self._left = count

    def counted(self, action: Callable[..., Any]) -> Callable[..., Any]:
        """Return an action as a step."""

        def act(*arguments: Any, **named: Any) -> Any:
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1
            return action(*arguments, **named)

        return act


class CountedDatabase:
    """A connection whose statements are steps."""

    def __init__(self, database: Any, steps: Steps) -> None:
        self._database, self._steps = database, steps

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._database, name)
        return self._steps.counted(member) if name in STATEMENTS else member


def run(line: str) -> bool:
    """Derive the tables of a source, or erase a value in them, up to a step."""
    action, count, attributes = json.loads(line)
    steps, open_database = Steps(count), connection._open

    def open_counted(folder: Path) -> Any:
        return CountedDatabase(open_database(folder), steps)

    patch.object(connection, "_open", open_counted).start()
    for owner, name in ((shutil, "rmtree"), (Path, "unlink"), (Path, "replace")):
        patch.object(owner, name, steps.counted(getattr(owner, name))).start()
    if action == "derive":
        derive_tables(EventApi.model_validate(attributes).source("events"))
    else:
        erase.erase("events", VALUE)
    return True


if __name__ == "__main__":
    serve(run)
