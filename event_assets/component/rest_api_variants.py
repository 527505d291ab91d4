"""What the `type` of an `auth` or a `paginator` decides: dlt's, as far as they are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, WrapValidator, model_validator

from event_assets.component.rest_api_values import HEADER_NAME, JsonPath, Text, Url
from event_assets.config.model import StrictModel, refuse, unknown_name_message

MAX = 2**53  # JSON has every whole number up to here
Count = Annotated[int, Field(ge=0, le=MAX)]
Last = Annotated[int, Field(ge=1, le=MAX)]
NO_EFFECT: Mapping[str, str] = {  # what dlt knows and is not done, and what to do instead
    "columns": "types are set in `fields`; columns of other tables take the types of their values",
    "table_name": "a table is named like its resource: change `name`",
    "parallelized": "`concurrency` is the number of concurrent requests",
    "processing_steps": "select fields by `only` and `exclude`, and do the rest in SQL downstream",
    "selected": "delete the resource, or do not select its asset",
    "merge_key": "rows are merged by the `primary_key`",
    **dict.fromkeys(("access_token", "allow_external_schedulers", "convert"), "delete it"),
    **dict.fromkeys(("file_format", "last_value_func", "max_table_nesting"), "delete it"),
    **dict.fromkeys(("nested_hints", "on_cursor_value_missing"), "delete it"),
    **dict.fromkeys(("parent_table_name", "range_end", "range_start"), "delete it"),
    **dict.fromkeys(("references", "schema_contract", "session", "table_format"), "delete it"),
}


class Part(StrictModel):
    """A part of dlt's configuration, whose values stay as they are written."""

    model_config = ConfigDict(strict=True)
    superseded: ClassVar[Mapping[str, str]] = {
        name: f"`{name}` has no effect here: {instead}" for name, instead in NO_EFFECT.items()
    }

    def require_two(self, one: str, other: str) -> None:
        """Refuse a name that two parameters have."""
        name = getattr(self, one)
        if name and name == getattr(self, other):
            at = other if other in self.model_fields_set else one
            refuse([((at,), f"`{one}` and `{other}` must be two parameters, not both `{name}`")])


def _by_type(noun: str, kinds: Any, default: str | None = None) -> WrapValidator:
    """Return the validator of a mapping by the model of its `type`, or of a type alone."""
    models: dict[str, type[Part]] = {
        name: kind
        for kind in get_args(kinds)
        for name in get_args(kind.model_fields["type"].annotation)
    }

    def validate(value: Any, _: object) -> Any:
        given = value if isinstance(value, Mapping) else {"type": value}
        chosen = default if given.get("type") is None else given["type"]
        if chosen is None:
            raise ValueError("`type` is missing")
        if not isinstance(chosen, str) or chosen not in models:
            problem = unknown_name_message(chosen, sorted(models), f"{noun} type")
            refuse([(("type",) if given is value else (), problem)])
        models[chosen].model_validate({**given, "type": chosen})
        return value

    return WrapValidator(validate)


class ApiKeyAuth(Part):
    """A key under a name."""

    type: Literal["api_key"]
    name: Text | None = None
    """Name of the header, cookie or query parameter."""
    api_key: str | None = None
    location: Literal["header", "cookie", "query", "param"] | None = None

    @model_validator(mode="after")
    def _can_be_sent(self) -> ApiKeyAuth:
        name = self.name or "Authorization"
        if self.location in (None, "header") and not HEADER_NAME.fullmatch(name):
            refuse([(("name",), f"`{name}` cannot be the name of a header")])
        return self


class BearerAuth(Part):
    """A token in the header `Authorization`."""

    type: Literal["bearer"] = "bearer"
    token: str | None = None


class HttpBasicAuth(Part):
    """A user and a password."""

    type: Literal["http_basic"]
    username: str | None = None
    password: str | None = None


class OAuth2Auth(Part):
    """A token, requested with the id and the secret of a client."""

    type: Literal["oauth2_client_credentials"]
    access_token_url: Url
    """Where tokens are requested."""
    client_id: str | None = None
    client_secret: str | None = None
    access_token_request_data: dict[str, Any] | None = None
    default_token_expiration: int | None = None


Auths: TypeAlias = ApiKeyAuth | BearerAuth | HttpBasicAuth | OAuth2Auth
Auth: TypeAlias = Annotated[str | Auths, _by_type("auth", Auths, default="bearer")]


class AnyPaginator(Part):
    """What every paginator may have."""

    total_path: JsonPath | None = None
    """JSON path of the number of all rows, or of all pages with `page_number`."""
    has_more_path: JsonPath | None = None
    """JSON path of whether there are more pages."""


class OffsetPaginator(AnyPaginator):
    """Requests rows by their offset."""

    type: Literal["offset"]
    limit: Annotated[int, Field(ge=1, le=1_000_000)]
    """Rows per page."""
    offset: Count | None = None
    offset_param: Text | None = "offset"
    """Query parameter of the offset (`offset`)."""
    limit_param: Text | None = "limit"
    """Query parameter of the limit (`limit`)."""
    offset_body_path: Text | None = None
    limit_body_path: Text | None = None
    maximum_offset: Last | None = None
    stop_after_empty_page: bool | None = None

    @model_validator(mode="after")
    def _has_two_parameters(self) -> OffsetPaginator:
        self.require_two("offset_param", "limit_param")
        return self


class PageNumberPaginator(AnyPaginator):
    """Requests pages by their numbers."""

    type: Literal["page_number"]
    base_page: Count | None = None
    """Number of the first page (0)."""
    page: Count | None = None
    page_param: Text | None = None
    """Query parameter of the page's number (`page`)."""
    page_body_path: Text | None = None
    maximum_page: Last | None = None
    stop_after_empty_page: bool | None = None


class CursorPaginator(AnyPaginator):
    """Requests the next page by a cursor in the response."""

    type: Literal["cursor"]
    cursor_path: JsonPath = ""
    """JSON path of the next cursor."""
    cursor_param: Text | None = None
    """Query parameter of the cursor."""
    cursor_body_path: Text | None = None
    stop_after_empty_page: bool | None = None


class JsonLinkPaginator(AnyPaginator):
    """Follows a link in the response."""

    type: Literal["json_link"]
    next_url_path: JsonPath = ""
    """JSON path of the link to the next page."""


class HeaderLinkPaginator(AnyPaginator):
    """Follows a link in the header `Link`."""

    type: Literal["header_link"]
    links_next_key: Text | None = None
    """`rel` of the link to the next page (`next`)."""


class HeaderCursorPaginator(AnyPaginator):
    """Requests the next page by a cursor in a header."""

    type: Literal["header_cursor"]
    cursor_key: str | None = None
    cursor_param: Text | None = None
    """Query parameter of the cursor."""


class OtherPaginator(AnyPaginator):
    """Requests one page, or looks for what leads to the next."""

    type: Literal["single_page", "auto"]


Paginators: TypeAlias = (
    OffsetPaginator
    | PageNumberPaginator
    | CursorPaginator
    | JsonLinkPaginator
    | HeaderLinkPaginator
    | HeaderCursorPaginator
    | OtherPaginator
)
Paginator: TypeAlias = Annotated[str | Paginators, _by_type("paginator", Paginators)]
