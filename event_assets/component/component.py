"""`EventApi`, the Dagster component: one YAML file in, one source's definitions out."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, WithJsonSchema, model_validator
from pydantic import Field as Describe

from event_assets import warehouse
from event_assets.component import rest_api_config
from event_assets.component.scaffolder import EventApiScaffolder
from event_assets.config import accounts
from event_assets.config import model as config_model
from event_assets.config.accounts import JSON_SCHEMA as ACCOUNTS_SCHEMA
from event_assets.config.accounts import AccountsConfig
from event_assets.config.fields import FieldConfig, invalid_field_names
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.project import set_loaded_project
from event_assets.config.source import DEFAULT_CHECKPOINT_ROWS, DEFAULT_MAX_REJECTS, SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration.assets import build_assets
from event_assets.orchestration.checks import build_checks
from event_assets.orchestration.jobs import build_jobs
from event_assets.orchestration.schedules import build_freshness_policy
from event_assets.orchestration.sensors import build_accounts_sensors
from event_assets.records.contract import build_contract
from event_assets.values.errors import ConfigError
from event_assets.values.naming import normalize_name
from event_assets.warehouse import sql


def _rest_api(context: dg.ResolutionContext, value: Any) -> dict[str, Any]:
    config = context.resolve_value(value, as_type=dict)
    return rest_api_config.validate_rest_api(config, context)


def _fields(context: dg.ResolutionContext, value: dict[str, FieldConfig]) -> dict[str, FieldConfig]:
    if found := list(invalid_field_names(value)):
        raise rest_api_config.yaml_error(context, found)
    return value


def _accounts(context: dg.ResolutionContext, value: Any) -> AccountsConfig | None:
    given = context.resolve_value(value)
    if given is None:
        return None
    if found := list(accounts.find_errors(given)):
        raise rest_api_config.yaml_error(context, found)
    return AccountsConfig(**given) if isinstance(given, dict) else AccountsConfig(tuple(given))


class Timeouts(config_model.StrictModel):
    """How long the API may take, in seconds."""

    connect: float = Describe(
        default=DEFAULT_LIMITS.connect, description="Until the connection is there."
    )
    read: float = Describe(
        default=DEFAULT_LIMITS.read, description="Between two pieces of an answer."
    )
    answer: float = Describe(default=DEFAULT_LIMITS.total, description="For a whole answer.")

    @model_validator(mode="after")
    def _can_work(self) -> "Timeouts":
        if not all(0 < seconds < inf for seconds in (self.connect, self.read, self.answer)):
            raise ValueError("must be more than 0 seconds")
        return self

    def limits(self, megabytes: int) -> HttpLimits:
        """Give the limits of an answer that may be so large."""
        return HttpLimits(
            connect=self.connect, read=self.read, total=self.answer, megabytes=megabytes
        )


@dg.scaffold_with(EventApiScaffolder)
class EventApi(dg.Component, dg.Model, dg.Resolvable):
    """Every event of one REST API, in DuckDB as `event_data`, with checks and a schedule."""

    rest_api: Annotated[dict[str, Any], dg.Resolver(_rest_api, model_field_type=dict)] = Describe(
        description="dlt's REST API configuration: client, resource_defaults, resources. "
        "Without client.base_url the built-in sandbox is synced."
    )
    fields: Annotated[
        dict[str, FieldConfig], dg.Resolver(_fields, model_field_type=dict[str, FieldConfig])
    ] = Describe(
        description="Typed columns of event_data; other fields become columns by themselves."
    )
    accounts: Annotated[
        AccountsConfig | None,
        dg.Resolver(_accounts, model_field_type=Annotated[Any, WithJsonSchema(ACCOUNTS_SCHEMA)]),
    ] = Describe(
        default=None,
        description="The names of the platform's accounts to sync, each a partition: a list, or "
        "{file: PATH}, one name a line, or {query: SQL}, run in the warehouse. `{account}` in "
        "`rest_api` stands for the name.",
    )
    schedule: str | None = Describe(
        default=None, description="When to sync, as a cron expression in UTC; none: never."
    )
    full_sync: str | None = Describe(
        default=None,
        description="When to read everything, as a cron expression in UTC, where `incremental` "
        "lets the other syncs ask for what is new only; what does not come then is gone.",
    )
    freshness: FreshnessConfig | None = Describe(
        default=None, description="When the newest sync is too old."
    )
    concurrency: int = Describe(
        default=DEFAULT_CONCURRENCY, ge=1, description="Requests in flight at the most."
    )
    timeouts: Timeouts | None = Describe(
        default=None,
        description="How long the API may take, in seconds; "
        f"else {{connect: {DEFAULT_LIMITS.connect:g}, read: {DEFAULT_LIMITS.read:g}, "
        f"answer: {DEFAULT_LIMITS.total:g}}}.",
    )
    max_answer_mb: int = Describe(
        default=DEFAULT_LIMITS.megabytes,
        ge=1,
        description="How large an answer may be, decompressed, in megabytes.",
    )
    exclude: Sequence[str] = Describe(
        default=(), description="Paths in the records that are kept nowhere: `venue.location`."
    )
    only: Sequence[str] = Describe(
        default=(), description="Beside `fields`, keep these paths and nothing else."
    )
    windows: TimeWindowsConfig | None = Describe(
        default=None,
        description="Read the list in windows of time, where the API shows only the first rows of "
        "a long one.",
    )
    max_rejects: str = Describe(
        default=f"{DEFAULT_MAX_REJECTS:.0%}",
        pattern=r"^(100|\d{1,2}(\.\d+)?)%$",
        description="Share of the records that may break the contract; more stop the sync.",
    )
    checkpoint_rows: int | None = Describe(
        default=DEFAULT_CHECKPOINT_ROWS,
        ge=0,
        description="Rows after which the first sync of a list by offset loads what came, so that "
        "one that is interrupted goes on there; 0: everything is loaded at the end.",
    )
    ignore_changes: Sequence[str] = Describe(
        default=(), description="Columns whose changes `event_changes` leaves out."
    )
    owners: Sequence[str] = Describe(
        default=(), description="Owners of the assets: e-mail addresses or team:NAME."
    )

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Give the model of the YAML, which answers an unknown name with the known ones."""
        model: type[BaseModel] = type(
            "EventApiModel", (super().model(), config_model.StrictModel), {}
        )
        for name, field in model.model_fields.items():  # Dagster leaves most descriptions out
            field.description = cls.model_fields[name].description
        model.model_rebuild(force=True)
        return model

    def source(self, name: str) -> SourceConfig:
        """Give the source that this is, in the folder of that name."""
        return SourceConfig(
            name=name,
            rest_api=self.rest_api,
            fields=self.fields,
            concurrency=self.concurrency,
            exclude=self.exclude,
            only=self.only,
            max_rejects=float(self.max_rejects.rstrip("%")) / 100,
            ignore_changes=self.ignore_changes,
            windows=self.windows,
            limits=(self.timeouts or Timeouts()).limits(self.max_answer_mb),
            checkpoint_rows=self.checkpoint_rows or 0,
            accounts=self.accounts,
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the assets, checks, jobs and schedules of the source named by its folder."""
        set_loaded_project(context.project_root)
        name = Path(context.path).name
        warehouse.get_destination().validate_settings()
        if (
            normalize_name(name) != name
            or name in sql.reserved_schema_names()
            or name.endswith(("_staging", "_fully", "_on_schedule"))  # of another source
        ):
            raise ConfigError(
                f"The folder {context.path} names a source, and so a schema in DuckDB: give it a "
                "name of small letters, digits and underscores that is no word of SQL and does "
                "not end in _staging, _fully or _on_schedule."
            )
        source = self.source(name)
        if problem := _mismatch(source, self.full_sync):
            raise ConfigError(f"{context.path}/defs.yaml: {problem}")
        jobs, schedules = build_jobs(source, self.schedule, self.full_sync, self.freshness)
        return dg.Definitions(
            assets=build_assets(
                source,
                self.owners,
                build_freshness_policy(self.freshness) if self.freshness else None,
            ),
            asset_checks=build_checks(source, self.freshness),
            jobs=jobs,
            schedules=schedules,
            sensors=build_accounts_sensors(source),
        )


OWN_TABLES = {
    *("events_api", "current_events", "event_changes", "event_changes_snapshot", "event_calendar"),
    *("event_data_api", "event_data_accounts", "event_data_paths", "all_events"),
}


def _mismatch(source: SourceConfig, full_sync: str | None) -> str | None:
    """Say what does not go together."""
    if full_sync and not any(
        IncrementalCursor.from_endpoint(r.endpoint) for r in source.resources.values()
    ):
        return "`full_sync` is for an endpoint with `incremental`; without, every sync is full."
    if accounts.has_account_placeholder(source.rest_api) and not source.accounts:
        return "`{account}` stands for the name of an account: list these in `accounts`."
    for resource in source.resources.values():
        name = resource.name
        if source.accounts and accounts.ACCOUNT in build_contract(resource):
            return f"`account` is whose a record is: give another name to that of `{name}`."
        own = name in OWN_TABLES or name.endswith(("_syncs", "_rejects", "_checkpoint"))
        if normalize_name(name) != name or own:
            return (
                f"a resource cannot be called `{name}`: it names a table, of small letters, digits "
                "and underscores, and not one that is made here anyway."
            )
        is_incremental = IncrementalCursor.from_endpoint(resource.endpoint) is not None
        if resource.parent and is_incremental:
            return f"`incremental` of `{resource.name}` cannot work: it has a parent resource."
        if is_incremental and not resource.primary_key_columns:
            return f"`incremental` of `{resource.name}` needs a `primary_key` to merge by."
    return None
