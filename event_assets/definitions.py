"""The definitions that Dagster loads: every source under the project's `defs/`."""

import gc
import warnings

import dagster as dg

from event_assets.component.tree import load_tree
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
    loaded = run_with_plain_errors(_load)
    gc.freeze()  # what is loaded stays: a sync searches it for garbage twice, for 0.3 s
    return loaded


def _load() -> dg.Definitions:
    # Not `load_from_defs_folder`: mistakes in YAML are told by `load_tree`, without a traceback.
    with warnings.catch_warnings():
        for category in (dg.BetaWarning, dg.PreviewWarning):  # of what Dagster itself uses
            warnings.simplefilter("ignore", category)
        sources = load_tree().build_defs()
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
