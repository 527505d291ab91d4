"""Find the mistakes in a REST API configuration, by dlt's types and what is done of them."""

import difflib
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from dlt.sources.rest_api import typing as rest_api
from jsonpath_ng.exceptions import JSONPathError

from event_assets.component.rest_api_types import (
    DIFFERENT,
    DONE,
    HEADER_NAME,
    INSTEAD,
    KINDS,
    LISTS,
    NAME,
    OWN_HEADERS,
    PARTS,
    PATHS,
    RANGES,
    REQUIRED,
    SHORT_FORMS,
    TEXTS,
    VARIANTS,
    accepted_values,
)
from event_assets.config.fields import is_valid_source
from event_assets.config.model import Keys, shown, unknown_name_message
from event_assets.config.source_files import VARIABLE
from event_assets.http.credentials import find_bad_character
from event_assets.values.json_paths import as_list
from event_assets.values.response_paths import compile_path
from event_assets.values.urls import find_address_problem


def find_errors(config: Any) -> Iterator[tuple[Keys, str]]:
    """Yield the path and the description of each error."""
    if isinstance(config, Mapping):
        yield from _resource_errors(config)
    yield from _unknown_fields((), config, rest_api.RESTAPIConfig)


def _resource_errors(config: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """Yield what is wrong with the client and the resources, other than unknown fields."""
    for key in ("client", "resources"):
        if not config.get(key):
            at, problem = ((key,), "is empty") if key in config else ((), f"`{key}` is missing")
            yield at, problem
    yield from _address_errors(config.get("client"))
    resources = config.get("resources")
    if not resources:
        return
    if not isinstance(resources, list):
        yield ("resources",), "must be a list of resources"
        return
    for index, resource in enumerate(resources):
        if not isinstance(resource, Mapping) or not resource.get("name"):
            yield ("resources", index), "must be a mapping with a `name`"
        else:
            yield from _disposition_errors(index, resource, config.get("resource_defaults"))
    names = [str(r.get("name")) if isinstance(r, Mapping) else "" for r in resources]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("resources", index, "name"), "each resource needs a name of its own"
    if "event_data" not in names:
        close = names if len(names) == 1 else difflib.get_close_matches("event_data", names, n=1)
        at = ("resources", *((names.index(close[0]), "name") if close else ()))
        yield at, "there must be a resource named `event_data`"


def _disposition_errors(
    index: int, resource: Mapping[str, Any], defaults: Any
) -> Iterator[tuple[Keys, str]]:
    """Yield a `write_disposition` that is not what happens: a table is merged, or else replaced."""
    is_own = "write_disposition" in resource
    both = {**defaults, **resource} if isinstance(defaults, Mapping) else resource
    given = both.get("write_disposition")
    has_key = bool(both.get("primary_key")) or resource["name"] == "event_data"
    done = "merge" if has_key else "replace"
    if given not in (None, done) and (is_own or given != "merge"):
        at: Keys = ("resources", index) if is_own else ("resource_defaults",)
        how = "merged by the `primary_key`" if has_key else "replaced, without a `primary_key`"
        problem = f"rows of `{resource['name']}` are {how}: write `{done}`, or nothing"
        yield (*at, "write_disposition"), problem


def _address_errors(client: Any) -> Iterator[tuple[Keys, str]]:
    url = client.get("base_url") if isinstance(client, Mapping) else None
    if not url or not isinstance(url, str):
        return
    problem = None if VARIABLE.search(url) else find_address_problem(url)
    if not problem and {"?", "#"} & {*url}:
        problem = "must end before `?` and `#`: use `params`, and `auth` for a key"
    if problem:
        yield ("client", "base_url"), problem


def _unknown_fields(at: Keys, value: Any, kind: type) -> Iterator[tuple[Keys, str]]:
    """Yield the fields that dlt's types do not have, that have no effect, or a wrong value."""
    allowed = DONE.get(kind, kind.__annotations__)
    if not isinstance(value, Mapping):
        yield at, f"must be a mapping with the fields: {', '.join(sorted(allowed))}"
        return
    for key, child in value.items():
        path = (*at, key)
        if key in set(kind.__annotations__).difference(allowed):
            yield path, f"`{key}` has no effect here: {INSTEAD.get(key, 'delete it')}"
        elif key not in allowed:
            yield path, unknown_name_message(str(key), sorted(allowed), "field")
        elif key in ("params", "headers") and isinstance(child, Mapping):
            yield from _parameter_errors(path, child)
        elif key in VARIANTS and child is not None:
            yield from _variant_errors(path, child, VARIANTS[key], key)
        elif key in LISTS and isinstance(child, list):
            for index, item in enumerate(child):
                yield from _unknown_fields((*path, index), item, PARTS[key])
        elif key in PARTS and key not in LISTS and not isinstance(child, _short_form(kind, key)):
            yield from _unknown_fields(path, child, PARTS[key])
        else:
            yield from _value_errors(path, child, kind)
    required = REQUIRED.get(kind)
    if required and value.get(required) in (None, ""):
        yield (*at, required) if required in value else at, f"`{required}` is missing"
    yield from _contradictions(at, value, kind)


def _short_form(kind: type, key: str) -> Any:
    """Return what may stand in place of a mapping; dlt knows none in the defaults."""
    return () if kind is rest_api.EndpointResourceBase else SHORT_FORMS.get(key, ())


def _contradictions(at: Keys, value: Mapping[str, Any], kind: type) -> Iterator[tuple[Keys, str]]:
    """Yield fields of which one has no effect beside, or without, another."""
    if kind is rest_api.IncrementalConfig and ("end_param" in value) != ("end_value" in value):
        yield at, "`end_param` and `end_value` have no effect without each other"
    names = [value.get(name, default) for name, default in DIFFERENT.get(kind, {}).items()]
    if names and names[0] and names[0] == names[1]:
        one, other = DIFFERENT[kind]
        problem = f"`{one}` and `{other}` must be two parameters, not both `{names[0]}`"
        yield (*at, other if other in value else one), problem
    if kind is rest_api.ApiKeyAuthConfig and value.get("location", "header") == "header":
        name = value.get("name") or "Authorization"
        if isinstance(name, str) and not HEADER_NAME.fullmatch(name):
            yield (*at, "name"), f"`{name}` cannot be the name of a header"
    if kind is rest_api.Endpoint and value.get("json") and value.get("data"):
        yield at, "`json` has no effect beside `data`: delete one of them"
    if kind is rest_api.ResponseActionDict:
        if value.get("action") not in (None, "ignore"):
            yield (*at, "action"), f"`{value['action']}` has no effect here: `ignore` has"
        if value.get("status_code") is None and not value.get("content"):
            yield at, "has no effect without a `status_code` or `content`"


def _parameter_errors(at: Keys, params: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """Yield parameters and headers that cannot be sent as they are written."""
    cursors = 0
    for name, param in params.items():
        kind = param.get("type") if isinstance(param, Mapping) else None
        values = param if isinstance(param, list) and at[-1] == "params" else [param]
        if kind == "incremental":
            cursors += 1
            yield from _unknown_fields((*at, name), param, rest_api.IncrementalParamConfig)
        elif kind != "resolve" and any(isinstance(one, (Mapping, list)) for one in values):
            yield (*at, name), "cannot be sent: write JSON as a text, in quotes"
        elif at[-1] == "headers" and not HEADER_NAME.fullmatch(str(name)):
            yield (*at, name), f"`{name}` cannot be the name of a header"
        elif at[-1] == "headers" and str(name).lower() in OWN_HEADERS:
            yield (*at, name), f"`{name}` is set by itself: delete it"
        elif at[-1] == "headers" and (bad := find_bad_character(str(param), in_header=True)):
            yield (*at, name), f"holds the character {bad}, which cannot be sent in a header"
    if cursors > 1:
        yield at, "only one parameter can be `incremental`"


def _value_errors(at: Keys, value: Any, kind: type) -> Iterator[tuple[Keys, str]]:
    """Yield a value that is not allowed, or of another type than is required."""
    allowed, types = accepted_values(kind, str(at[-1]))
    accepted = types | ({int} if float in types else set())
    if allowed:
        if value is not None and value not in allowed:
            yield at, unknown_name_message(value, allowed, "value")
    elif value is None and at[-1] in TEXTS:
        yield at, "must be text, not nothing"
    elif value is not None and Any not in types and type(value) not in accepted:
        names = " or ".join(name for each, (_, name) in KINDS.items() if each in types)
        but = "" if "auth" in at else f", not {shown(value)}"  # it may be a key
        yield at, f"must be {names}{but}"
    elif at[-1] == "primary_key" and not all(map(_is_key, as_list(value or "id"))):
        yield at, "must be the path of a field, or a list of paths"
    elif isinstance(value, str) and NAME.fullmatch(str(at[-1])) and (problem := _problem(value)):
        yield at, problem
    elif at[-1] == "path" and "#" in value:
        yield at, "must end before `#`, which is for browsers"
    elif at[-1] == "path" and not _is_format(value):
        yield at, "has a brace without its partner"
    elif at[-1] == "access_token_url" and not VARIABLE.search(value):
        if problem := find_address_problem(value):
            yield at, problem
    elif isinstance(value, str) and at[-1] in PATHS and not _is_path(value):
        yield at, f"{shown(value)} is not a valid JSON path"
    elif isinstance(value, (int, float)) and at[-1] in RANGES:
        least, most = RANGES[str(at[-1])]
        if not least <= value <= most:
            bound = f"{most:,} or less" if value > most else f"{least:,} or more"
            yield at, f"must be {bound}, not {value}"


def _problem(text: str) -> str | None:
    """Return why a text cannot be a name or a path, or None."""
    if not text.strip():
        return "is empty: write it, or delete it"
    if bad := find_bad_character(text, in_header=False):
        return f"holds the character {bad}: delete it"
    return None if text == text.strip() else "has blanks around it: delete them"


def _is_format(path: str) -> bool:
    try:
        return list(Formatter().parse(path)) is not None
    except ValueError:
        return False


def _is_key(path: Any) -> bool:
    return isinstance(path, str) and is_valid_source(path)


def _is_path(text: str) -> bool:
    try:
        return compile_path(text) is not None
    except JSONPathError:
        return False


def _variant_errors(
    at: Keys, value: Any, kinds: Mapping[str, type], name: str
) -> Iterator[tuple[Keys, str]]:
    chosen = value.get("type") if isinstance(value, Mapping) else value
    if chosen is None and name == "auth":
        chosen = "bearer"  # dlt's shorthand
    kind = kinds.get(str(chosen))
    if chosen is None:
        yield at, "`type` is missing"
    elif kind is None:
        yield (
            (*at, "type") if isinstance(value, Mapping) else at,
            unknown_name_message(chosen, sorted(kinds), f"{name} type"),
        )
    else:
        given = value if isinstance(value, Mapping) else {"type": value}
        yield from _unknown_fields(at, given, kind)
