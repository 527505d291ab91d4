"""`EventApi`, the Dagster component: one YAML file in, one source's definitions out."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from math import inf
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel, WithJsonSchema, model_validator
from pydantic import Field as Describe

from event_assets import warehouse
from event_assets.component import rest_api_config
from event_assets.component.scaffolder import EventApiScaffolder
from event_assets.component.yaml_texts import escape_braces, resolve_texts
from event_assets.config import accounts
from event_assets.config import model as config_model
from event_assets.config.accounts import AccountsConfig
from event_assets.config.fields import FieldConfig, invalid_field_names, invalid_marks
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.project import set_loaded_project
from event_assets.config.source import DEFAULT_MAX_REJECTS, DEFAULT_RESUME_HOURS, SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.extract.cursor import IncrementalCursor
from event_assets.orchestration.assets import build_assets
from event_assets.orchestration.checks import build_checks
from event_assets.orchestration.jobs import build_jobs
from event_assets.orchestration.partitions import build_accounts_sensors
from event_assets.records.contract import build_contract
from event_assets.values.errors import ConfigError
from event_assets.values.naming import normalize_name
from event_assets.warehouse import sql

RESERVED_TABLES = {
    *("events_api", "current_events", "event_changes", "event_changes_snapshot", "event_calendar"),
    *("event_data_api", "event_data_accounts", "event_data_paths", "event_data_removed"),
    "all_events",
}
RESERVED_SUFFIXES = ("_syncs", "_rejects")
TextList = Annotated[Sequence[str], dg.Resolver(resolve_texts, model_field_type=Sequence[str])]
AccountsYaml = Annotated[Any, WithJsonSchema(accounts.JSON_SCHEMA)]


def _resolve_rest_api(context: dg.ResolutionContext, value: Any) -> dict[str, Any]:
    config = resolve_texts(context, value)
    found = chain(rest_api_config.find_errors(config), rest_api_config.retyped(context, value))
    rest_api_config.raise_errors(context, found)
    return dict(escape_braces(config))


def _resolve_fields(
    context: dg.ResolutionContext, value: dict[str, FieldConfig]
) -> dict[str, FieldConfig]:
    rest_api_config.raise_errors(context, invalid_field_names(value))
    return value


def _resolve_marks(context: dg.ResolutionContext, value: Any) -> dict[str, Any]:
    marks = resolve_texts(context, value)
    rest_api_config.raise_errors(context, invalid_marks(marks))
    return dict(marks)


def _resolve_accounts(context: dg.ResolutionContext, value: Any) -> AccountsConfig | None:
    resolved = resolve_texts(context, value)
    if resolved is None:
        return None
    rest_api_config.raise_errors(context, accounts.find_errors(resolved))
    return (
        AccountsConfig(**resolved)
        if isinstance(resolved, dict)
        else AccountsConfig(tuple(resolved))
    )


class Timeouts(config_model.StrictModel):
    """How long the API may take, in seconds."""

    connect: float = Describe(default=DEFAULT_LIMITS.connect, description="To connect.")
    read: float = Describe(
        default=DEFAULT_LIMITS.read, description="Between two parts of a response."
    )
    answer: float = Describe(default=DEFAULT_LIMITS.total, description="For a whole response.")

    @model_validator(mode="after")
    def _validate_range(self) -> "Timeouts":
        if not all(0 < seconds < inf for seconds in (self.connect, self.read, self.answer)):
            raise ValueError("must be more than 0 seconds")
        return self


@dg.scaffold_with(EventApiScaffolder)
class EventApi(dg.Component, dg.Model, dg.Resolvable):
    """Every event of one REST API, in DuckDB as `event_data`, with checks and a schedule."""

    rest_api: Annotated[dict[str, Any], dg.Resolver(_resolve_rest_api, model_field_type=dict)] = (
        Describe(
            description="dlt's REST API configuration: client, resource_defaults, resources. "
            "Without client.base_url, the built-in sandbox."
        )
    )
    fields: Annotated[
        dict[str, FieldConfig],
        dg.Resolver(_resolve_fields, model_field_type=dict[str, FieldConfig]),
    ] = Describe(
        description="Typed columns of event_data. Other fields become columns by themselves."
    )
    accounts: Annotated[
        AccountsConfig | None, dg.Resolver(_resolve_accounts, model_field_type=AccountsYaml)
    ] = Describe(
        default=None,
        description="The accounts to sync, each a partition: a list of names, {file: PATH} with "
        "one name per line, or {query: SQL} on the warehouse. `{account}` in `rest_api` stands for "
        "the name.",
    )
    schedule: str | None = Describe(
        default=None, description="When to sync: a cron expression in UTC. Without it, no schedule."
    )
    full_sync: str | None = Describe(
        default=None,
        description="When to read everything, with `incremental`: a cron expression in UTC. "
        "Events that are missing from it are gone.",
    )
    freshness: FreshnessConfig | None = Describe(
        default=None, description="When the newest sync is too old."
    )
    concurrency: int = Describe(
        default=DEFAULT_CONCURRENCY, ge=1, description="Maximum number of concurrent requests."
    )
    timeouts: Timeouts | None = Describe(
        default=None,
        description="How long the API may take, in seconds. Default: "
        f"{{connect: {DEFAULT_LIMITS.connect:g}, read: {DEFAULT_LIMITS.read:g}, "
        f"answer: {DEFAULT_LIMITS.total:g}}}.",
    )
    max_answer_mb: int = Describe(
        default=DEFAULT_LIMITS.megabytes,
        ge=1,
        description="Maximum size of a decompressed response, in megabytes.",
    )
    exclude: TextList = Describe(
        default=(), description="Paths in the records that are not stored: `venue.location`."
    )
    only: TextList = Describe(
        default=(), description="The only paths that are stored, beside `fields`."
    )
    windows: TimeWindowsConfig | None = Describe(
        default=None,
        description="Read a long list in time windows, if the API shows only its first rows.",
    )
    max_rejects: str = Describe(
        default=f"{DEFAULT_MAX_REJECTS:.0%}",
        pattern=r"^(100|\d{1,2}(\.\d+)?)%$",
        description="Share of rejected records above which a sync fails.",
    )
    resume_hours: float = Describe(
        default=DEFAULT_RESUME_HOURS,
        ge=0,
        description="Hours within which an interrupted sync resumes where it was, from its last "
        "response. 0: every sync starts over.",
    )
    ignore_changes: TextList = Describe(
        default=(), description="Columns that `event_changes` ignores."
    )
    removed_when: Annotated[
        dict[str, Any], dg.Resolver(_resolve_marks, model_field_type=dict[str, Any])
    ] = Describe(
        default={},
        description="Marks of records of removed events, by path: a value, a list of values, or "
        "`true` for any value but false. They erase no value, and the event is no longer current.",
    )
    owners: Sequence[str] = Describe(
        default=(), description="Owners of the assets: e-mail addresses or team:NAME."
    )

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Return the model of the YAML, which names the allowed fields beside an unknown one."""
        model: type[BaseModel] = type(
            "EventApiModel", (super().model(), config_model.StrictModel), {}
        )
        for name, field in model.model_fields.items():  # Dagster leaves most descriptions out
            own = cls.model_fields[name]
            field.description = own.description
            if own.annotation in (int, float):  # on the texts that Dagster adds, a bound fails
                field.annotation = own.annotation
        model.model_rebuild(force=True)
        return model

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Any:
        """Load the YAML, with the variables of the project's `.env`."""
        set_loaded_project(context.project_root)
        return super().load(attributes, context)

    def source(self, name: str) -> SourceConfig:
        """Return the configuration of the source in the folder of this name."""
        timeouts = self.timeouts or Timeouts()
        return SourceConfig(
            name=name,
            rest_api=self.rest_api,
            fields=self.fields,
            concurrency=self.concurrency,
            exclude=self.exclude,
            only=self.only,
            max_rejects=float(self.max_rejects.rstrip("%")) / 100,
            ignore_changes=self.ignore_changes,
            removed_when=self.removed_when,
            windows=self.windows,
            limits=HttpLimits(
                connect=timeouts.connect,
                read=timeouts.read,
                total=timeouts.answer,
                megabytes=self.max_answer_mb,
            ),
            resume_hours=self.resume_hours,
            accounts=self.accounts,
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the assets, checks, jobs and schedules of the source named by its folder."""
        name = Path(context.path).name
        warehouse.get_destination().validate_settings()
        if (
            normalize_name(name) != name
            or name in sql.reserved_schema_names()
            or name.endswith(("_staging", "_fully", "_on_schedule"))  # of another source
        ):
            raise ConfigError(
                f"The folder {context.path} names a source and its schema in DuckDB: give it a "
                "name of small letters, digits and underscores that is not reserved in SQL and "
                "does not end in _staging, _fully or _on_schedule."
            )
        source = self.source(name)
        if not source.base_url:
            apis = context.component_tree.get_all_components(of_type=EventApi)
            source = replace(source, is_synced=not any(api.source(name).base_url for api in apis))
        if problem := _find_problem(source, self.full_sync):
            raise ConfigError(f"{context.path}/defs.yaml: {problem}")
        jobs, schedules = build_jobs(source, self.schedule, self.full_sync, self.freshness)
        return dg.Definitions(
            assets=build_assets(source, self.owners, self.freshness),
            asset_checks=build_checks(source, self.freshness),
            jobs=jobs,
            schedules=schedules,
            sensors=build_accounts_sensors(source),
        )


def _find_problem(source: SourceConfig, full_sync: str | None) -> str | None:
    """Return which parts of the configuration contradict each other, if any do."""
    if full_sync and not any(
        IncrementalCursor.from_endpoint(r.endpoint) for r in source.resources.values()
    ):
        return (
            "`full_sync` needs an endpoint with `incremental` that sends its start, such as by "
            "`start_param`; without, every sync is full."
        )
    if accounts.has_account_placeholder(source.rest_api) and not source.accounts:
        return "`{account}` stands for the name of an account: list the accounts in `accounts`."
    for resource in source.resources.values():
        name = resource.name
        if source.accounts and accounts.ACCOUNT in build_contract(resource):
            return f"`account` names the account of a record: rename that field of `{name}`."
        is_reserved = name in RESERVED_TABLES or name.endswith(RESERVED_SUFFIXES)
        if normalize_name(name) != name or is_reserved:
            return (
                f"a resource cannot be called `{name}`: the name of a table has small letters, "
                "digits and underscores, and some are reserved."
            )
        is_incremental = IncrementalCursor.from_endpoint(resource.endpoint) is not None
        if is_incremental and resource.parent:
            return f"`incremental` of `{name}` cannot work: it has a parent resource."
        if resource.config.get("include_from_parent") and not resource.parent:
            return f"`include_from_parent` of `{name}` has no effect: it has no parent resource."
        if is_incremental and not resource.primary_key_columns:
            return f"`incremental` of `{name}` needs a `primary_key` to merge by."
    return None
