"""Validate the attributes of a source's YAML: each mistake is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeVar

import dagster as dg
from pydantic import BaseModel, ValidationError

from event_assets.component.literal_keys import find_literal_keys
from event_assets.component.references import find_reference_errors
from event_assets.component.yaml_file import Document, Scalar
from event_assets.component.yaml_texts import Problems, escape_braces, is_number, resolve_texts
from event_assets.config import accounts
from event_assets.config.fields import START
from event_assets.config.model import Keys, describe, shown
from event_assets.config.source import ResourceConfig, SourceConfig
from event_assets.extract.cursor import END_PLACEHOLDER, IncrementalCursor, find_needed_starts
from event_assets.pagination.factory import create_paginator
from event_assets.values.naming import normalize_name
from event_assets.values.urls import SCHEME, origin

T = TypeVar("T", bound=BaseModel)
DERIVED_TABLES = {"current_events", "event_changes", "event_changes_snapshot", "event_calendar"}
OWN_TABLES = {"event_data_api", "event_data_accounts", "event_data_paths", "event_data_removed"}
RESERVED_TABLES = DERIVED_TABLES | OWN_TABLES | {"events_api", "all_events"}
ATTRIBUTES = ("attributes",)
NO_ACCOUNTS = "`{account}` stands for the name of an account: list the accounts in `accounts`"
RESERVED_SUFFIXES = ("_syncs", "_rejects")

# Attributes in which a number may be meant as text.
WITH_TEXTS = {"rest_api", "accounts", "removed_when"}
# Those of numbers, for which pydantic takes `true` as 1.
OF_NUMBERS = {
    *("concurrency", "freshness", "max_answer_mb", "requests_per_second", "resume_hours"),
    "timeouts",
}


def validate(
    kind: type[T], attributes: Mapping[str, Any], context: dg.ResolutionContext, document: Document
) -> T:
    """Make a component from the attributes in its YAML, with their templates filled in.

    Raises:
        ConfigError: the mistakes in them, a line each.
    """
    scalars = [
        (keys[1:], scalar) for keys, scalar in document.values.items() if keys[:1] == ATTRIBUTES
    ]
    problems: Problems = [
        *_retyped(scalars),
        *find_literal_keys(scalars, document.file.parent.name),
    ]
    values = {
        key: value if key == "fields" else resolve_texts(context.at_path(key), value, problems)
        for key, value in attributes.items()
    }
    if not values.get("accounts"):
        texts = [(keys, str(scalar.value)) for keys, scalar in scalars if keys[:1] == ("rest_api",)]
        problems += [(keys, NO_ACCOUNTS) for keys, text in texts if accounts.PLACEHOLDER in text]
    wrong = {keys[0] for keys, _ in problems}
    if "rest_api" in values.keys() - wrong:
        values["rest_api"] = escape_braces(values["rest_api"])
    try:
        component = kind.model_validate({k: v for k, v in values.items() if k not in wrong})
    except ValidationError as error:
        problems += describe(error, values)
    if failure := document.error(problems, *ATTRIBUTES):
        raise failure
    return component


def _retyped(scalars: Iterable[tuple[Keys, Scalar]]) -> Iterator[tuple[Keys, str]]:
    """Yield what YAML reads as something else than it says: `NO`, `22:30`, `01234`, `1.10`.

    Where there can be no text, a number may be written in another way that means the same.
    """
    for keys, (_, value, word) in scalars:
        if word is None or not isinstance(value, (int, float)):
            continue
        is_text = keys[0] in WITH_TEXTS and not is_number(keys)
        if isinstance(value, bool):
            same = word.lower() == shown(value) or "paginator" in keys or keys[-1] == "nullable"
        else:
            same = str(value) == word or (not is_text and _is_decimal(word, value))
        if same and isinstance(value, bool) and keys[0] in OF_NUMBERS:
            yield keys, f"must be a number, not {word}"
        elif not same:
            read = "it as a number" if "auth" in keys else f"`{word}` as {shown(value)}"
            yield keys, f"YAML reads {read}: write it in quotes if it is text"


def _is_decimal(word: str, value: float) -> bool:
    try:
        return not isfinite(value) or float(word) == value
    except ValueError:
        return False


def find_contradictions(source: SourceConfig, full_sync: str | None) -> Iterator[tuple[Keys, str]]:
    """Yield which attributes contradict each other, or fail in dlt, by their keys."""
    for index, path in enumerate(source.exclude):
        is_field = path in source.fields and source.fields[path].source is None
        if path in source.only or is_field:
            other = "only" if path in source.only else "fields"
            yield ("exclude", index), f"`{path}` is stored, as `{other}` says: delete it in one"
    rest_api: Keys = ("rest_api",)
    if dangling := [*find_reference_errors(source.rest_api)]:
        yield from (((*rest_api, *at), problem) for at, problem in dangling)
        return
    try:
        resources = source.resources
    except ValueError as error:  # the later lines of dlt's message may show data
        yield rest_api, str(error).partition("\n")[0]
        return
    if full_sync and not any(
        IncrementalCursor.from_endpoint(r.endpoint) for r in resources.values()
    ):
        yield (
            ("full_sync",),
            "needs an endpoint with `incremental` that sends its start, such as by `start_param`; "
            "without, every sync is full",
        )
    windows = source.windows
    is_timed = START in source.fields and source.fields[START].type in ("timestamp", "date")
    if windows and (windows.since or windows.until) and not is_timed:
        problem = f"need a time or date `{START}` in `fields`, to know which events they leave out"
        yield ("windows",), problem
    for header, text in (source.rest_api["client"].get("headers") or {}).items():
        if found := re.search(r"\{(incremental|resources)\.[^{}]*\}", str(text)):
            problem = f"`{found[0]}` stands for a value in an endpoint only: move the header there"
            yield (*rest_api, "client", "headers", header), problem
    names = [each["name"] for each in source.rest_api["resources"]]
    for name, resource in resources.items():
        at: Keys = (*rest_api, "resources", names.index(name))
        yield from (((*at, *keys), problem) for keys, problem in _resource_problems(resource))
        columns = source.fields if resource.is_events else resource.primary_key_columns
        if source.accounts and accounts.ACCOUNT in columns:
            problem = f"`account` names the account of a record: rename that field of `{name}`"
            yield ("fields", accounts.ACCOUNT), problem


def _resource_problems(resource: ResourceConfig) -> Iterator[tuple[Keys, str]]:
    name, endpoint = resource.name, resource.endpoint
    is_long = len(resource.pipeline_name) > accounts.MAX_PIPELINE_LENGTH
    is_reserved = (
        name in RESERVED_TABLES or name.endswith(RESERVED_SUFFIXES) or name.startswith("_dlt_")
    )
    if normalize_name(name) != name or is_reserved or is_long:
        yield (
            ("name",),
            f"a resource cannot be called `{name}`: the name of a table has small letters, digits "
            "and underscores, is not long, and some are reserved",
        )
    cursor = IncrementalCursor.from_endpoint(endpoint)
    at: Keys = ("endpoint", "incremental")
    if cursor and resource.parent:
        yield at, f"`incremental` of `{name}` cannot work: it has a parent resource"
    if cursor and not resource.primary_key_columns:
        yield at, f"`incremental` of `{name}` needs a `primary_key` to merge by"
    if resource.config.get("include_from_parent") and not resource.parent:
        problem = f"`include_from_parent` of `{name}` has no effect: it has no parent resource"
        yield ("include_from_parent",), problem
    windows = resource.source.windows if resource.is_events else None
    for param in (windows.param_from, windows.param_to) if windows else ():
        if param in endpoint.get("params", {}):
            problem = f"`windows` sets `{param}`: delete it, and set its `since` and `until`"
            yield ("endpoint", "params", param), problem
    path, base = str(endpoint.get("path")), resource.source.base_url
    has_auth = endpoint.get("auth") or resource.source.rest_api["client"].get("auth")
    if base and has_auth and SCHEME.match(path) and origin(path) != origin(base):
        problem = f"is not of `base_url`, and no key is sent to it: set that to {origin(path)}"
        yield ("endpoint", "path"), problem
    try:
        create_paginator(resource.paginator, list)
    except ValueError as error:
        problem = str(error).partition("\n")[0]
        named = re.findall(r"'(\w+)'", problem)
        yield ("endpoint", "paginator", *named[:1]), problem
    if cursor and cursor.initial_value is None:
        yield from ((("endpoint", *keys), said) for keys, said in find_needed_starts(endpoint))
    yield from (((*at, *keys), problem) for keys, problem in _end_problems(endpoint))


def _end_problems(endpoint: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    """Yield what is wrong with `end_value`, and a position that is configured twice."""
    given = endpoint.get("incremental") or {}
    others = {name: value for name, value in endpoint.items() if name != "incremental"}
    has_value, is_used = given.get("end_value") is not None, END_PLACEHOLDER in str(others)
    if is_used and not has_value:
        yield (), f"needs an `end_value`, for which `{END_PLACEHOLDER}` stands"
    elif has_value != bool(given.get("end_param")) and not is_used:
        keys = () if has_value else ("end_param",)
        yield keys, "`end_param` and `end_value` have no effect without each other"
    params = (endpoint.get("params") or {}).values()
    if given and any(
        isinstance(one, Mapping) and one.get("type") == "incremental" for one in params
    ):
        yield (), "has no effect beside a parameter of `type: incremental`: delete one of them"
