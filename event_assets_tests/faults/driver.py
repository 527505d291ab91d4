"""Forks runs of the job `sync_events` in this process' environment, for each empty line.

They are as `dagster job execute` makes them: same job, same executor, an instance of its own.
"""

from dagster import DagsterInstance

from event_assets.definitions import defs
from event_assets_tests.faults.forking import serve


def main() -> None:
    """Serve until standard input ends."""
    job = defs().resolve_job_def("sync_events")
    with DagsterInstance.ephemeral():
        pass  # imports what every instance needs

    def run(_: str) -> bool:
        with DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(instance=instance).success

    serve(run)


if __name__ == "__main__":
    main()
