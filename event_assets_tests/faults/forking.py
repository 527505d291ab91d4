"""Forks syncs that start at once, in a process that has imported everything before.

For each line on standard input a child is forked, which is given the line. Its process id is
printed, and when it has ended its exit status (negative: the signal). Responses are recorded at
once, so that what a killed sync leaves does not depend on the clock.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable

from event_assets.http import journal


def record_at_once() -> None:
    """Let the journal of this process be written with each response, not now and then."""
    journal.MAX_BUFFERED_BYTES = 0


def serve(run: Callable[[str], bool]) -> None:
    """Serve until standard input ends; `run` tells whether it went well."""
    assert threading.active_count() == 1  # a fork has one thread
    record_at_once()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(run, line)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(run: Callable[[str], bool], line: str) -> None:
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        status = 0 if run(line) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
