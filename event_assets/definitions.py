"""What `dagster dev` and the `dagster` CLI load: every source under `defs/`."""

from pathlib import Path

import dagster as dg

from event_assets.orchestration import executors
from event_assets.orchestration.alerts import build_sensors
from event_assets.orchestration.derived_assets import build_all_events
from event_assets.orchestration.housekeeping import build_housekeeping


@dg.definitions
def defs() -> dg.Definitions:
    """Assemble the sources with the alerts and the executor."""
    sources = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(sources, over_all(sources))


def over_all(sources: dg.Definitions) -> dg.Definitions:
    """Build what there is once, whatever the sources: the view over all, alerts, housekeeping."""
    once = dg.Definitions(
        assets=build_all_events(
            spec
            for assets in sources.assets or ()
            if isinstance(assets, dg.AssetsDefinition)
            for spec in assets.specs
        ),
        executor=executors.build_executor(),
        sensors=build_sensors(),
    )
    return dg.Definitions.merge(once, build_housekeeping())
