"""The sensor that keeps the partitions of a source equal to its list of accounts."""

import dagster as dg

from event_assets.config.source import SourceConfig
from event_assets.orchestration import partitions

INTERVAL = 30  # seconds
QUERY_INTERVAL = 900  # seconds; syncs need the database, too


def build_accounts_sensors(source: SourceConfig) -> list[dg.SensorDefinition]:
    """Build the sensor of the accounts; none without accounts."""
    if source.accounts is None:
        return []

    @dg.sensor(
        name=f"{partitions.partitions_name(source)}_sensor",
        description=f"Keeps the partitions of {source.name} equal to its list of accounts.",
        minimum_interval_seconds=QUERY_INTERVAL if source.accounts.query else INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sync_accounts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(
            f"{len(partitions.sync_partitions(source, context.instance)):,} accounts."
        )

    return [sync_accounts]
