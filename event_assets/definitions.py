"""What `dagster dev` and the `dagster` CLI load: every source under `defs/`."""

from pathlib import Path

import dagster as dg

from event_assets.alerts import build_sensors


@dg.definitions
def defs() -> dg.Definitions:
    """Assemble the sources with the alerts and the executor.

    In one process: steps in processes of their own would each import everything again, which takes
    longer than their work.
    """
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(executor=dg.in_process_executor, sensors=build_sensors()),
    )
