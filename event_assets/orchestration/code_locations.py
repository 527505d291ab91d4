"""The code locations that share an instance of Dagster."""

import dagster as dg

LOCATION_TAG = "dagster/code_location"  # on the runs that Dagster's services start


def is_in_location(run: dg.DagsterRun, location: str | None) -> bool:
    """Return whether a run may be of a code location: others have a tag with another name."""
    return location is None or run.tags.get(LOCATION_TAG, location) == location
