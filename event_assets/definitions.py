"""The definitions that Dagster loads: every source under the project's `defs/`."""

import warnings

import dagster as dg

from event_assets.component.tree import load_tree
from event_assets.config.project import find_project
from event_assets.orchestration import executors
from event_assets.orchestration.alerts import build_sensors
from event_assets.orchestration.derived_assets import build_all_events
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.housekeeping import build_housekeeping

# Dagster itself passes beta parameters when it loads asset checks.
warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"dagster\.")


@dg.definitions
def defs() -> dg.Definitions:
    """Load the sources and add what they share.

    Raises:
        PlainFailure: a mistake in the configuration, by file and line.
    """
    return run_with_plain_errors(_load)


def _load() -> dg.Definitions:
    load_tree()  # whose mistakes Dagster would tell with a traceback
    sources = dg.load_from_defs_folder(path_within_project=find_project())
    return dg.Definitions.merge(sources, build_shared_definitions(sources))


def build_shared_definitions(sources: dg.Definitions) -> dg.Definitions:
    """Build `all_events`, the alerts, the executor and the housekeeping."""
    shared = dg.Definitions(
        assets=build_all_events(
            spec
            for assets in sources.assets or ()
            if isinstance(assets, dg.AssetsDefinition)
            for spec in assets.specs
        ),
        executor=executors.build_executor(),
        sensors=build_sensors(),
    )
    return dg.Definitions.merge(shared, build_housekeeping())
