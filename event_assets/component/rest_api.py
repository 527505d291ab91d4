"""`rest_api` in a source's YAML: dlt's REST API configuration, as far as it is done here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, WrapValidator, model_validator

from event_assets.component.rest_api_values import (
    BaseUrl,
    Header,
    HeaderName,
    JsonPath,
    Key,
    Path,
    Scalar,
    Text,
    check_scalar,
)
from event_assets.component.rest_api_variants import MAX, Auth, Paginator, Part
from event_assets.config.model import Keys, refuse
from event_assets.config.source_files import EVENT_DATA

TABLE_NAME = r"^(?!_dlt_)[a-z_][a-z0-9_]*$|\{\{"  # as dlt writes it, or a template


class Position(Part):
    """The field of a record by which an incremental sync continues."""

    cursor_path: JsonPath
    """JSON path of the time of the change."""
    initial_value: float | str | None = None
    lag: Annotated[float, Field(ge=0, le=MAX)] | None = None
    row_order: Literal["asc", "desc"] | None = None
    """The order in which the API lists records, as dlt takes it; it changes no result."""


class Incremental(Position):
    """Requests only what changed since the last sync."""

    start_param: Text | None = None
    """Query parameter for the start."""
    end_param: Text | None = None
    end_value: float | str | None = None

    @model_validator(mode="after")
    def _can_work(self) -> Incremental:
        self.require_two("start_param", "end_param")
        return self


class IncrementalParameter(Position):
    """A parameter whose value is the position of the last sync."""

    type: Literal["incremental"]


class ResolvedParameter(Part):
    """A parameter in the path, from a record of the parent resource; dlt's older form."""

    type: Literal["resolve"]
    resource: str
    field: str


KINDS: Mapping[str, type[Part]] = {
    "incremental": IncrementalParameter,
    "resolve": ResolvedParameter,
}


def _check_parameter(value: Any, _: object) -> Any:
    if isinstance(value, Mapping) and (kind := KINDS.get(str(value.get("type")))):
        kind.model_validate(value)
    else:
        for one in value if isinstance(value, list) else [value]:
            check_scalar(one)
    return value


def _has_parameter(value: Any) -> bool:
    """Return whether a body has what dlt fills in `params` only, and sends from a body as it is."""
    if isinstance(value, list):
        return any(map(_has_parameter, value))
    return isinstance(value, Mapping) and (
        (value.get("type") in KINDS and bool(value.keys() & {"cursor_path", "resource"}))
        or any(map(_has_parameter, value.values()))
    )


def _check_positions(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    mappings = [one for one in parameters.values() if isinstance(one, Mapping)]
    if [one["type"] for one in mappings].count("incremental") > 1:
        raise ValueError("only one parameter can be `incremental`")
    return parameters


Parameter: TypeAlias = Annotated[
    Scalar | list[Scalar] | IncrementalParameter | ResolvedParameter,
    WrapValidator(_check_parameter),
]


class ResponseAction(Part):
    """A response to ignore, by its status or content."""

    status_code: Annotated[int, Field(ge=100, le=599)] | None = None
    content: str | None = None
    action: Literal["ignore"]

    @model_validator(mode="after")
    def _can_work(self) -> ResponseAction:
        if self.status_code is None and not self.content:
            raise ValueError("has no effect without a `status_code` or `content`")
        return self


class Endpoint(Part):
    """The requests of a resource, and where the records are in their responses."""

    path: Path = ""
    """Path of the list, relative to `base_url`; `{resources.NAME.FIELD}` is of a parent."""
    method: Literal["GET", "POST"] | None = None
    params: Annotated[dict[str, Parameter], AfterValidator(_check_positions)] = Field({})
    """Query parameters."""
    headers: dict[HeaderName, Header] | None = None
    """Headers of each request."""
    body: dict[str, Any] | None = Field(default=None, alias="json")
    """Body of a POST request."""
    data: Any = None
    auth: Auth | None = None
    paginator: Paginator | None = None
    """Which page to request next."""
    data_selector: JsonPath | None = None
    """JSON path of the list of records in a response."""
    response_actions: list[ResponseAction] | None = None
    """Responses to ignore, by status or content."""
    incremental: Incremental | None = None
    """Request only what changed since the last sync."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Endpoint:
        if self.body and self.data:
            raise ValueError("`json` has no effect beside `data`: delete one of them")
        if _has_parameter([self.body, self.data]):
            problem = (
                "a mapping with this `type` is filled in `params` only: write "
                "{incremental.start_value}, beside `incremental`, or {resources.NAME.FIELD}"
            )
            refuse([(("json" if self.body else "data",), problem)])
        return self


class Table(Part):
    """How the table of a resource is written."""

    primary_key: Key | None = None
    """The field that identifies a record, or several."""
    write_disposition: Any = Field(
        default=None, json_schema_extra={"enum": ["merge", "replace", None]}
    )
    """`merge` by the primary key, or `replace` without one."""
    include_from_parent: list[str] | None = None
    """Fields of the parent resource that each record includes."""


class Defaults(Table):
    """What all resources have in common."""

    endpoint: Endpoint | None = None


class Resource(Table):
    """A list of the API, and the table that it fills."""

    name: Annotated[Text, Field(json_schema_extra={"pattern": TABLE_NAME})]
    endpoint: str | Endpoint = ""


class Client(Part):
    """What all requests have in common."""

    base_url: BaseUrl | None = None
    """The API's URL; unset: the built-in sandbox."""
    headers: dict[HeaderName, Header] | None = None
    """Headers of each request."""
    auth: Auth | None = None
    """How requests are authenticated; the key itself is in .env."""
    paginator: Paginator | None = None
    """Which page to request next."""


class RestApi(Part):
    """The requests to an API, and the tables of its lists."""

    client: Client
    resource_defaults: Defaults = Defaults()
    resources: list[Resource]
    """The lists of the API; `event_data` is the one of the events."""

    @model_validator(mode="after")
    def _has_tables(self) -> RestApi:
        refuse([*self._name_problems(), *self._disposition_problems()])
        return self

    def _name_problems(self) -> Iterator[tuple[Keys, str]]:
        names = [resource.name for resource in self.resources]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield ("resources", index, "name"), "each resource needs a name of its own"
        if EVENT_DATA not in names:
            close = names if len(names) == 1 else get_close_matches(EVENT_DATA, names, n=1)
            at: Keys = (names.index(close[0]), "name") if close else ()
            yield ("resources", *at), f"there must be a resource named `{EVENT_DATA}`"

    def _disposition_problems(self) -> Iterator[tuple[Keys, str]]:
        """Yield each `write_disposition` that is not what happens: merged, or else replaced."""
        defaults = self.resource_defaults
        for index, resource in enumerate(self.resources):
            is_own = "write_disposition" in resource.model_fields_set
            given = (resource if is_own else defaults).write_disposition
            has_own_key = "primary_key" in resource.model_fields_set
            key = (resource if has_own_key else defaults).primary_key
            has_key = bool(key) or resource.name == EVENT_DATA
            done = "merge" if has_key else "replace"
            if given not in (None, done) and (is_own or given != "merge"):
                at: Keys = ("resources", index) if is_own else ("resource_defaults",)
                how = "merged by the" if has_key else "replaced, without a"
                problem = (
                    f"rows of `{resource.name}` are {how} `primary_key`: write `{done}`, or nothing"
                )
                yield (*at, "write_disposition"), problem


def check_rest_api(config: dict[str, Any]) -> dict[str, Any]:
    """Check a configuration; raises ValidationError."""
    RestApi.model_validate(config)
    return config
