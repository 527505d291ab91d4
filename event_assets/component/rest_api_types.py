"""What is done of dlt's REST API configuration: its types, and what is narrower here."""

import re
import sys
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dlt.sources.rest_api import typing as rest_api


def _with_paths(kind: type) -> type:
    """Return one of dlt's typed dictionaries with the paths that every paginator has here."""
    paths = dict.fromkeys(("total_path", "has_more_path"), str | None)
    members = {"__annotations__": paths, "__module__": kind.__module__, "__doc__": kind.__doc__}
    return type(kind)(kind.__name__, (kind,), members, total=False)


PAGINATORS: Mapping[str, type] = {
    "offset": rest_api.OffsetPaginatorConfig,
    "page_number": rest_api.PageNumberPaginatorConfig,
    "cursor": _with_paths(rest_api.JSONResponseCursorPaginatorConfig),
    "json_link": _with_paths(rest_api.JSONLinkPaginatorConfig),
    "header_link": _with_paths(rest_api.HeaderLinkPaginatorConfig),
    "header_cursor": _with_paths(rest_api.HeaderCursorPaginatorConfig),
    "single_page": _with_paths(rest_api.PaginatorTypeConfig),
    "auto": _with_paths(rest_api.PaginatorTypeConfig),
}
AUTHS: Mapping[str, type] = {
    "api_key": rest_api.ApiKeyAuthConfig,
    "bearer": rest_api.BearerTokenAuthConfig,
    "http_basic": rest_api.HttpBasicAuthConfig,
    "oauth2_client_credentials": rest_api.OAuth2ClientCredentialsConfig,
}
VARIANTS = {"paginator": PAGINATORS, "auth": AUTHS}
DEFAULTS = {"endpoint", "primary_key", "write_disposition", "include_from_parent"}
INCREMENTAL = {"cursor_path", "initial_value", "lag", "row_order"}  # the last saves no request
# The fields of dlt that are done, of the types of which some are not.
DONE: Mapping[type, Collection[str]] = {
    rest_api.ClientConfig: {"base_url", "headers", *VARIANTS},
    rest_api.EndpointResourceBase: DEFAULTS,
    rest_api.EndpointResource: {"name", *DEFAULTS},
    rest_api.IncrementalConfig: {*INCREMENTAL, "start_param", "end_param", "end_value"},
    rest_api.IncrementalParamConfig: {*INCREMENTAL, "type"},
    rest_api.OAuth2ClientCredentialsConfig: {
        *rest_api.OAuth2ClientCredentialsConfig.__annotations__
    }
    - {"access_token", "session"},
}
REQUIRED: Mapping[type, str] = {
    rest_api.OAuth2ClientCredentialsConfig: "access_token_url",
    rest_api.OffsetPaginatorConfig: "limit",
    rest_api.IncrementalConfig: "cursor_path",
    rest_api.IncrementalParamConfig: "cursor_path",
    rest_api.ResponseActionDict: "action",
}
SHORT_FORMS: Mapping[str, type] = {"endpoint": str, "incremental": type(None)}
INSTEAD: Mapping[str, str] = {  # of fields that are not done
    "columns": "types are set in `fields`; columns of other tables take the types of their values",
    "table_name": "a table is named like its resource: change `name`",
    "parallelized": "`concurrency` is the number of concurrent requests",
    "processing_steps": "select fields by `only` and `exclude`, and do the rest in SQL downstream",
    "selected": "delete the resource, or do not select its asset",
    "merge_key": "rows are merged by the `primary_key`",
}
PARTS: Mapping[str, type] = {
    "client": rest_api.ClientConfig,
    "resource_defaults": rest_api.EndpointResourceBase,
    "resources": rest_api.EndpointResource,
    "endpoint": rest_api.Endpoint,
    "incremental": rest_api.IncrementalConfig,
    "response_actions": rest_api.ResponseActionDict,
}
LISTS = {"resources", "response_actions"}
TYPES: Mapping[str, Set[type]] = {key: {float, str} for key in ("initial_value", "end_value")}
DIFFERENT: Mapping[type, Mapping[str, str | None]] = {  # parameters, by default
    rest_api.OffsetPaginatorConfig: {"offset_param": "offset", "limit_param": "limit"},
    rest_api.IncrementalConfig: {"start_param": None, "end_param": None},
}
TEXTS = {"path", "cursor_path", "next_url_path"}
PATHS = {"data_selector", "total_path", "has_more_path", "next_url_path", "cursor_path"}
NAME = re.compile(r".+_(param|path|selector)|path|name|links_next_key")  # of texts of one line
HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
OWN_HEADERS = {"content-length", "transfer-encoding", "connection"}
MOST = 2**53  # all whole numbers up to it are numbers of JSON
RANGES = {
    **dict.fromkeys(("maximum_offset", "maximum_page"), (1, MOST)),
    **dict.fromkeys(("offset", "base_page", "page", "lag"), (0, MOST)),
    "limit": (1, 1_000_000),
    "status_code": (100, 599),
}
KINDS: Mapping[Any, tuple[str, str]] = {  # of values, by dlt's types: in JSON, and in words
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    bool: ("boolean", "true or false"),
    str: ("string", "text"),
    dict: ("object", "a mapping"),
    list: ("array", "a list"),
}


def accepted_values(kind: type, name: str) -> tuple[list[str], Set[Any]]:
    """Return the values that a field of dlt's types may have, if they are listed, and its types."""
    if name in TYPES:
        return [], TYPES[name]
    hint = get_type_hints(kind, vars(sys.modules[kind.__module__]))[name]
    kinds = {hint, *get_args(hint)} - {type(None)}
    allowed = [choice for each in kinds if get_origin(each) is Literal for choice in get_args(each)]
    types = {get_origin(each) or each for each in kinds}
    return allowed, {list if each is Sequence else each for each in types}
