"""Forks syncs that start at once: all is imported and defined before.

For each line on standard input a child is forked, which runs the job `sync_events` in this process'
environment as `dagster job execute` does: same job, same executor, an instance of its own. Its
process id is printed, and when it has ended its exit status (negative: the signal).
"""

import os
import sys
import threading

from dagster import DagsterInstance, JobDefinition

from event_assets.definitions import defs


def main() -> None:
    """Serve until standard input ends."""
    job = defs().resolve_job_def("sync_events")
    with DagsterInstance.ephemeral():
        pass  # imports what every instance needs
    assert threading.active_count() == 1  # a fork has one thread
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            _run(job)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(job: JobDefinition) -> None:
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        with DagsterInstance.ephemeral() as instance:
            status = 0 if job.execute_in_process(instance=instance).success else 1
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
