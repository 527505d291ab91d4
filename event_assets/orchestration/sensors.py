"""The sensor that lets Dagster know the accounts of a source, also before anything ran."""

import dagster as dg

from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions

SECONDS = 30
SECONDS_OF_QUERY = 900  # the database is wanted by syncs, too


def build_accounts_sensors(source: SourceConfig) -> list[dg.SensorDefinition]:
    """Build the sensor that keeps the partitions as the list is; none without accounts."""
    if source.accounts is None:
        return []

    @dg.sensor(
        name=f"{partitions.partitions_name(source)}_sensor",
        description=f"Keeps the partitions of {source.name} as its list of accounts is.",
        minimum_interval_seconds=SECONDS_OF_QUERY if source.accounts.query else SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def keep(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(
            f"{len(partitions.sync_partitions(source, context.instance)):,} accounts."
        )

    return [keep]
