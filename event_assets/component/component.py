"""`EventApi`, the Dagster component: one YAML file in, one source's definitions out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import dagster as dg
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, RootModel, WithJsonSchema

from event_assets import warehouse
from event_assets._compat.dagster import ComponentTreeException, PlainFailure, yaml_position
from event_assets.component import json_schema
from event_assets.component.rest_api import check_rest_api
from event_assets.component.scaffolder import EventApiScaffolder
from event_assets.component.source_name import require_source_name
from event_assets.component.validation import ATTRIBUTES, find_contradictions, validate
from event_assets.component.yaml_file import read_yaml
from event_assets.config import model as config_model
from event_assets.config.accounts import AccountsConfig
from event_assets.config.env_file import set_loaded_project
from event_assets.config.fields import FieldConfig, check_fields, check_marks, check_source
from event_assets.config.freshness import FreshnessConfig
from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.config.project import require_project
from event_assets.config.settings import require_valid_settings
from event_assets.config.source import DEFAULT_MAX_REJECTS, DEFAULT_RESUME_HOURS, SourceConfig
from event_assets.config.time_windows import TimeWindowsConfig
from event_assets.orchestration.assets import build_assets
from event_assets.orchestration.checks import build_checks
from event_assets.orchestration.jobs import build_jobs, build_sensors
from event_assets.values.errors import ConfigError

PERCENTAGE = r"^(100|\d{1,2}(\.\d+)?)%$"


def _accepted_by(define: Callable[[str], object], rule: str) -> AfterValidator:
    """Return the validator of a text that a definition of Dagster must accept."""

    def check(text: str) -> str:
        try:
            define(text)
        except (dg.DagsterInvalidDefinitionError, ValueError):
            raise ValueError(f"{rule}, not {config_model.shown(text)}") from None
        return text

    return AfterValidator(check)


class ComponentError(ConfigError, PlainFailure, ComponentTreeException):
    """A mistake in a component, which Dagster does not wrap in errors of its own."""

    __init__ = PlainFailure.__init__


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Let Dagster tell a mistake by its sentence, also in a project with definitions of its own."""
    try:
        yield
    except ConfigError as error:
        raise ComponentError(str(error)) from None


def _require_entries(paths: Sequence[str]) -> Sequence[str]:
    if not paths:
        raise ValueError("is empty, and would keep everything: list a path, such as `id`")
    return paths


Cron = Annotated[
    str,
    _accepted_by(
        # a schedule takes a day that never comes, such as 31 April; partitions do not
        lambda cron: dg.TimeWindowPartitionsDefinition(
            start="2000", fmt="%Y", cron_schedule=cron
        ).get_first_partition_window(),
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


Seconds = Annotated[float, Field(gt=0, le=24 * 3600)]
SourcePath = Annotated[str, AfterValidator(check_source)]


class Timeouts(config_model.StrictModel):
    """How long the API may take, in seconds."""

    connect: Seconds = DEFAULT_LIMITS.connect
    """To connect."""
    read: Seconds = DEFAULT_LIMITS.read
    """Between two parts of a response."""
    answer: Seconds = DEFAULT_LIMITS.total
    """For a whole response."""


class _Attributes(RootModel[dict[str, Any]]):
    """The attributes in the YAML, before they are validated."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the schema of `EventApi`, by which `dg check yaml` finds the line of a mistake."""
        return json_schema.complete(EventApi.model_json_schema(*args, **kwargs))


@dg.scaffold_with(EventApiScaffolder)
class EventApi(config_model.StrictModel, dg.Component, dg.Resolvable):
    """Every event of one REST API, in DuckDB as `event_data`, with checks and a schedule.

    A component: the file `defs/concerts/defs.yaml` makes the source `concerts`, such as

        type: event_assets.EventApi
        attributes:
          rest_api:
            client: { base_url: "https://api.example.com" }
            resources: [{ name: event_data, primary_key: id, endpoint: { path: /v1/events } }]
          fields: { id: { type: text, nullable: false }, start_time: { type: timestamp } }

    `event-assets connect URL` writes one; docs/connect-your-api.md describes it.
    """

    superseded: ClassVar[Mapping[str, str]] = {
        "checkpoint_rows": "`checkpoint_rows` is gone, delete it: interrupted syncs resume by "
        "themselves within `resume_hours`."
    }
    rest_api: Annotated[dict[str, Any], AfterValidator(check_rest_api)]
    """dlt's REST API configuration: client, resource_defaults, resources. Without client.base_url,
    the built-in sandbox."""
    fields: Annotated[dict[str, FieldConfig], AfterValidator(check_fields)]
    """Typed columns of event_data. Other fields become columns by themselves."""
    accounts: AccountsConfig | None = None
    """The accounts to sync, each a partition: a list of names, {file: PATH} with one name per line,
    or {query: SQL} on the warehouse. `{account}` in `rest_api` stands for the name."""
    schedule: Cron | None = None
    """When to sync: a cron expression in UTC. Without it, no schedule."""
    full_sync: Cron | None = None
    """When to read everything, with `incremental`: a cron expression in UTC. Events that are
    missing from it are gone."""
    freshness: FreshnessConfig | None = None
    """When the newest sync is too old."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = DEFAULT_CONCURRENCY
    """Maximum number of concurrent requests; fewer while more make the API slower."""
    requests_per_second: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Maximum number of requests per second, as the API's documentation allows. Without it, as the
    API's headers and refusals allow."""
    timeouts: Timeouts = Field(default_factory=Timeouts)
    """Time limits of a request, in seconds."""
    max_answer_mb: Annotated[int, Field(ge=1, le=100_000)] = DEFAULT_LIMITS.megabytes
    """Maximum size of a decompressed response, in megabytes."""
    exclude: Sequence[SourcePath] = ()
    """Paths in the records that are not stored: `venue.location`."""
    only: Annotated[Sequence[SourcePath], AfterValidator(_require_entries)] = ()
    """The only paths that are stored, beside `fields`."""
    windows: TimeWindowsConfig | None = None
    """Read a long list in time windows, if the API shows only its first rows."""
    max_rejects: Annotated[str, BeforeValidator(str), Field(pattern=PERCENTAGE)] = (
        f"{DEFAULT_MAX_REJECTS:.0%}"
    )
    """Share of rejected records above which a sync fails."""
    resume_hours: Annotated[float, Field(ge=0, le=24 * 365)] = DEFAULT_RESUME_HOURS
    """Hours within which an interrupted sync resumes where it was, from its last response. 0: every
    sync starts over."""
    ignore_changes: Sequence[str] = ()
    """Columns that `event_changes` ignores."""
    removed_when: Annotated[dict[str, Any], AfterValidator(check_marks)] = Field(default={})
    """Marks of records of removed events, by path: a value, a list of values, or `true` for any
    value but false. They erase no value, and the event is no longer current."""
    owners: Sequence[Owner] = ()
    """Owners of the assets: e-mail addresses or team:NAME."""

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return a model of anything, since `load` validates it to tell the line of a mistake."""
        return _Attributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Any:
        """Load the YAML, with the variables of the project's `.env`.

        Raises:
            ConfigError: the mistakes in the YAML, each with its line; no project, or a setting of
                the environment that cannot be.
        """
        set_loaded_project(context.project_root)
        with _plain_errors():
            require_project()
            require_valid_settings()
            return super().load(attributes or _Attributes({}), context)  # `context` is a variable

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
                connect=self.timeouts.connect,
                read=self.timeouts.read,
                total=self.timeouts.answer,
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
        with _plain_errors():
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
            sensors=build_sensors(source),
        )
