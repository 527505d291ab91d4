"""Runs syncs of all kinds, each in its own way, with a secret that is then looked for everywhere.

`python -m event_assets_tests.faults.canary URL...`: the folder to work in is DAGSTER_HOME.
"""

import json
import sys

import dagster as dg
from dagster import DagsterInstance

from event_assets_tests.support.platforms import definitions


def main() -> None:
    """Run the job of each source that is given on standard input, as JSON by name."""
    sources = json.load(sys.stdin)
    verbose = {"loggers": {"console": {"config": {"log_level": "DEBUG"}}}}
    with DagsterInstance.get() as instance:
        for name, document in sources.items():
            loaded: dg.Definitions = definitions({name: document})
            suffix = "events" if name == "events" else name
            job = loaded.resolve_job_def(f"sync_{suffix}")
            done = job.execute_in_process(
                instance=instance, raise_on_error=False, run_config=verbose
            )
            print(name, "succeeded" if done.success else "failed")


if __name__ == "__main__":
    main()
