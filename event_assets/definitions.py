"""What `dagster dev` and the `dagster` CLI load: every source under `defs/`."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Assemble the sources with the executor: in one process, for importing takes longer than work.

    Steps in processes of their own would each import everything again.
    """
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(executor=dg.in_process_executor),
    )
