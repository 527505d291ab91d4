"""`EventApi`, the Dagster component: one YAML file in, one source's definitions out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from pydantic import AfterValidator, BaseModel, BeforeValidator, RootModel, WithJsonSchema
from pydantic import Field as Describe

from event_assets import warehouse
from event_assets._compat.dagster import yaml_position
from event_assets.component import json_schema
from event_assets.component.scaffolder import EventApiScaffolder
from event_assets.component.source_name import require_source_name
from event_assets.component.validation import ATTRIBUTES, find_contradictions, validate
from event_assets.component.yaml_file import read_yaml
from event_assets.config import accounts
from event_assets.config import model as config_model
from event_assets.config.accounts import AccountsConfig
from event_assets.config.fields import FieldConfig
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.project import set_loaded_project
from event_assets.config.source import DEFAULT_MAX_REJECTS, DEFAULT_RESUME_HOURS, SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.orchestration.assets import build_assets
from event_assets.orchestration.checks import build_checks
from event_assets.orchestration.jobs import build_jobs
from event_assets.orchestration.partitions import build_accounts_sensors

MAX_SECONDS = 24 * 3600.0
AccountsYaml = Annotated[
    AccountsConfig | None, BeforeValidator(accounts.parse), WithJsonSchema(accounts.JSON_SCHEMA)
]


def _accepted_by(define: Callable[[str], object], rule: str) -> AfterValidator:
    """Return the validator of a text that a definition of Dagster must accept."""

    def check(text: str) -> str:
        try:
            define(text)
        except dg.DagsterInvalidDefinitionError:
            problem = f"{rule}, not {config_model.shown(text)}"
        else:
            return text
        raise ValueError(problem)

    return AfterValidator(check)


def _number_to_text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) else value


Cron = Annotated[
    str,
    _accepted_by(
        lambda cron: dg.ScheduleDefinition("of_a_source", job_name="any", cron_schedule=cron),
        "must be a cron expression of five fields in UTC that comes, such as `*/15 * * * *`",
    ),
    WithJsonSchema({"type": "string", "pattern": json_schema.CRON}),
]
Owner = Annotated[
    str,
    _accepted_by(
        lambda owner: dg.AssetSpec("of_a_source", owners=[owner]),
        "must be an e-mail address, or `team:` and a name",
    ),
    WithJsonSchema({"type": "string", "pattern": json_schema.OWNER}),
]


class Timeouts(config_model.StrictModel):
    """How long the API may take, in seconds."""

    connect: float = Describe(
        default=DEFAULT_LIMITS.connect, gt=0, le=MAX_SECONDS, description="To connect."
    )
    read: float = Describe(
        default=DEFAULT_LIMITS.read,
        gt=0,
        le=MAX_SECONDS,
        description="Between two parts of a response.",
    )
    answer: float = Describe(
        default=DEFAULT_LIMITS.total, gt=0, le=MAX_SECONDS, description="For a whole response."
    )


class _Attributes(RootModel[dict[str, Any]]):
    """The attributes in the YAML, before they are validated."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the schema of `EventApi`, by which `dg check yaml` finds the line of a mistake."""
        return json_schema.complete(EventApi.model_json_schema(*args, **kwargs))


@dg.scaffold_with(EventApiScaffolder)
class EventApi(config_model.StrictModel, dg.Component, dg.Resolvable):
    """Every event of one REST API, in DuckDB as `event_data`, with checks and a schedule."""

    rest_api: dict[str, Any] = Describe(
        description="dlt's REST API configuration: client, resource_defaults, resources. "
        "Without client.base_url, the built-in sandbox."
    )
    fields: dict[str, FieldConfig] = Describe(
        description="Typed columns of event_data. Other fields become columns by themselves."
    )
    accounts: AccountsYaml = Describe(
        default=None,
        description="The accounts to sync, each a partition: a list of names, {file: PATH} with "
        "one name per line, or {query: SQL} on the warehouse. `{account}` in `rest_api` stands for "
        "the name.",
    )
    schedule: Cron | None = Describe(
        default=None, description="When to sync: a cron expression in UTC. Without it, no schedule."
    )
    full_sync: Cron | None = Describe(
        default=None,
        description="When to read everything, with `incremental`: a cron expression in UTC. "
        "Events that are missing from it are gone.",
    )
    freshness: FreshnessConfig | None = Describe(
        default=None, description="When the newest sync is too old."
    )
    concurrency: int = Describe(
        default=DEFAULT_CONCURRENCY,
        ge=1,
        le=1000,
        description="Maximum number of concurrent requests; fewer while more make the API slower.",
    )
    requests_per_second: float | None = Describe(
        default=None,
        gt=0,
        le=100_000,
        description="Maximum number of requests per second, as the API's documentation allows. "
        "Without it, as the API's headers and refusals allow.",
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
        le=100_000,
        description="Maximum size of a decompressed response, in megabytes.",
    )
    exclude: Sequence[str] = Describe(
        default=(), description="Paths in the records that are not stored: `venue.location`."
    )
    only: Sequence[str] = Describe(
        default=(), description="The only paths that are stored, beside `fields`."
    )
    windows: TimeWindowsConfig | None = Describe(
        default=None,
        description="Read a long list in time windows, if the API shows only its first rows.",
    )
    max_rejects: Annotated[str, BeforeValidator(_number_to_text)] = Describe(
        default=f"{DEFAULT_MAX_REJECTS:.0%}",
        pattern=r"^(100|\d{1,2}(\.\d+)?)%$",
        description="Share of rejected records above which a sync fails.",
    )
    resume_hours: float = Describe(
        default=DEFAULT_RESUME_HOURS,
        ge=0,
        le=24 * 365,
        description="Hours within which an interrupted sync resumes where it was, from its last "
        "response. 0: every sync starts over.",
    )
    ignore_changes: Sequence[str] = Describe(
        default=(), description="Columns that `event_changes` ignores."
    )
    removed_when: dict[str, Any] = Describe(
        default={},
        description="Marks of records of removed events, by path: a value, a list of values, or "
        "`true` for any value but false. They erase no value, and the event is no longer current.",
    )
    owners: Sequence[Owner] = Describe(
        default=(), description="Owners of the assets: e-mail addresses or team:NAME."
    )

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return a model of anything, since `load` validates it to tell the line of a mistake."""
        return _Attributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Any:
        """Load the YAML, with the variables of the project's `.env`.

        Raises:
            ConfigError: the mistakes in the YAML, each with its line.
        """
        set_loaded_project(context.project_root)
        return super().load(attributes or _Attributes({}), context)  # makes `context` a variable

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Any:
        """Validate the attributes, with their templates filled in."""
        position = yaml_position(context)
        file = Path(position.filename)
        documents = read_yaml(file)
        document = next(one for one in documents if one.values[()].line == position.start.line)
        component = validate(cls, vars(model)["root"], context, document)
        source = component.source(file.parent.name)
        contradictions = find_contradictions(source, component.full_sync)
        if error := document.error(contradictions, *ATTRIBUTES):
            raise error
        return component

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
                requests_per_second=self.requests_per_second,
            ),
            resume_hours=self.resume_hours,
            accounts=self.accounts,
        )

    def configure(self, name: str, tree: dg.ComponentTree) -> SourceConfig:
        """Return the configuration of the source; the sandbox beside an API is not synced."""
        source = self.source(name)
        if source.base_url:
            return source
        apis = tree.get_all_components(of_type=EventApi)
        return replace(source, is_synced=not any(api.source(name).base_url for api in apis))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Build the assets, checks, jobs and schedules of the source named by its folder."""
        name = Path(context.path).name
        warehouse.get_destination().validate_settings()
        require_source_name(context.path)
        source = self.configure(name, context.component_tree)
        freshness = self.freshness if source.is_synced else None
        jobs, schedules = build_jobs(source, self.schedule, self.full_sync, freshness)
        return dg.Definitions(
            assets=build_assets(source, self.owners, freshness),
            asset_checks=build_checks(source, freshness),
            jobs=jobs,
            schedules=schedules if source.is_synced else (),
            sensors=build_accounts_sensors(source),
        )
