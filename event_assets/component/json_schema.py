"""The JSON schema of a source's YAML, by which editors and `dg check yaml` find its mistakes.

It knows the structure only; `make check` finds what depends on more than one value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlt.sources.rest_api import typing as rest_api

from event_assets.component.rest_api_types import (
    DONE,
    KINDS,
    LISTS,
    PAGINATORS,
    PARTS,
    RANGES,
    REQUIRED,
    SHORT_FORMS,
    TEXTS,
    VARIANTS,
    accepted_values,
)
from event_assets.component.yaml_file import TOP_LEVEL
from event_assets.component.yaml_texts import is_number
from event_assets.config.fields import RESERVED_COLUMNS
from event_assets.config.project import find_project
from event_assets.config.source_files import COMPONENT, EVENT_DATA

Schema = dict[str, Any]
FILE = Path(__file__).resolve().with_name("schema.json")
DIALECT = "http://json-schema.org/draft-07/schema#"  # the newest that all editors know
NUMBER = r"^\s*[-+]?[0-9_]*\.?[0-9_]+\s*$|\{\{"  # in a text, or from a variable
CRON = r"^\s*(@|(\S+\s+){4}\S+\s*$)|\{\{"
OWNER = r"@|^team:|\{\{"
COMPONENTS = r"^event_assets\.EventApi$|^(?!event_assets\.)[\w.]*\.\w+$"  # a file may hold several
COLUMN = "^[a-z_][a-z0-9_]*$"
HEADER = r"^[^\r\n]*$"
SCALAR: Schema = {"not": {"type": ["object", "array"]}}
RESOLVED: Schema = {
    "properties": {"type": {"const": "resolve"}, "resource": {}, "field": {}},
    "required": ["type", "resource", "field"],
    "additionalProperties": False,
}
# What is narrower here than dlt's types.
NARROWER: Mapping[str, Schema] = {
    "base_url": {"pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://|\{\{"},
    **{name: {"pattern": r"\S"} for name in TEXTS},
    "write_disposition": {"enum": ["merge", "replace", None]},
    "action": {"const": "ignore"},
}
ABOUT: Mapping[str, str] = {
    "base_url": "The API's address; unset: the built-in sandbox.",
    "headers": "Headers of each request.",
    "auth": "How requests are authenticated; the key itself is in .env.",
    "paginator": "Which page to request next.",
    "resource_defaults": "What all resources have in common.",
    "resources": "The lists of the API; `event_data` is the one of the events.",
    "primary_key": "The field that identifies a record, or several.",
    "write_disposition": "`merge` by the primary key, or `replace` without one.",
    "include_from_parent": "Fields of the parent resource that each record includes.",
    "path": "Path of the list, relative to `base_url`; `{resources.NAME.FIELD}` is of a parent.",
    "params": "Query parameters.",
    "json": "Body of a POST request.",
    "data_selector": "JSON path of the list of records in a response.",
    "response_actions": "Responses to ignore, by status or content.",
    "incremental": "Request only what changed since the last sync.",
    "start_param": "Query parameter for the start.",
    "limit": "Rows per page.",
    "offset_param": "Query parameter of the offset (`offset`).",
    "limit_param": "Query parameter of the limit (`limit`).",
    "total_path": "JSON path of the number of all rows, or of all pages with `page_number`.",
    "has_more_path": "JSON path of whether there are more pages.",
    "base_page": "Number of the first page (0).",
    "page_param": "Query parameter of the page's number (`page`).",
    "next_url_path": "JSON path of the link to the next page.",
    "links_next_key": "`rel` of the link to the next page (`next`).",
    "cursor_path": "JSON path of the next cursor; with `incremental`, of the time of the change.",
    "cursor_param": "Query parameter of the cursor.",
    "access_token_url": "Where tokens are requested.",
}


def complete(schema: Schema) -> Schema:
    """Return pydantic's schema of the attributes, with all of `rest_api`."""
    for members in (schema, *schema["$defs"].values()):
        for member in members["properties"].values():
            for each in (member, *member.get("anyOf", ())):
                _allow_text(each)
    properties = schema["properties"]
    for member in properties.values():
        for choice in member.get("anyOf", ()):
            if "$ref" in choice:  # in an `anyOf`, each mistake is one of the whole
                member["$ref"] = choice["$ref"]
        if "$ref" in member:
            del member["anyOf"]
    is_text = {"properties": {"type": {"const": "text"}}}
    properties["fields"] |= {
        "properties": {"id": {"allOf": [properties["fields"]["additionalProperties"], is_text]}},
        "required": ["id"],
        "propertyNames": {"pattern": COLUMN, "not": {"enum": [*RESERVED_COLUMNS]}},
    }
    about = properties["rest_api"]["description"]
    properties["rest_api"] = {"description": about, **_ref(rest_api.RESTAPIConfig)}
    schema["$defs"] |= _definitions()
    return schema


def build_document(attributes: Schema) -> Schema:
    """Return the schema of a whole `defs.yaml`, from the one of its attributes."""
    rest = {name: value for name, value in attributes.items() if name != "$defs"}
    of_ours = {"properties": {"type": {"const": COMPONENT}}}
    return {
        "$schema": DIALECT,
        "title": f"A source of {COMPONENT}",
        "type": "object",
        "properties": {name: {} for name in TOP_LEVEL} | {"type": {"pattern": COMPONENTS}},
        "required": ["type"],
        "additionalProperties": False,
        "if": of_ours,
        "then": {"properties": {"attributes": rest}, "required": ["attributes"]},
        "$defs": attributes["$defs"],
    }


def editor_line(file: Path) -> str:
    """Return the comment by which editors find the schema of a YAML file, with its line feed.

    Without a schema within the project there is none: the path would be one of this machine.
    """
    if find_project().resolve() not in FILE.parents:
        return ""
    return f"# yaml-language-server: $schema={os.path.relpath(FILE, file.parent.resolve())}\n"


def _allow_text(member: Schema) -> None:
    """Allow a text where Dagster makes a number of it."""
    if member.get("type") in ("integer", "number"):
        member |= {"type": [member["type"], "string"], "pattern": NUMBER}


def _definitions() -> Schema:
    kinds = {rest_api.RESTAPIConfig, rest_api.IncrementalParamConfig, *PARTS.values()}
    kinds |= {kind for variants in VARIANTS.values() for kind in variants.values()}
    variants = {name: _variant(name) for name in VARIANTS}
    return variants | {kind.__name__: _mapping(kind) for kind in sorted(kinds, key=str)}


def _ref(kind: type | str) -> Schema:
    return {"$ref": f"#/$defs/{kind if isinstance(kind, str) else kind.__name__}"}


def _mapping(kind: type) -> Schema:
    """Return the schema of one of dlt's typed dictionaries, with what is done of it."""
    allowed = DONE.get(kind, kind.__annotations__)
    names = [name for name in kind.__annotations__ if name in allowed]
    required = [REQUIRED[kind]] if kind in REQUIRED else []
    if kind is rest_api.RESTAPIConfig:
        required = ["client", "resources"]
    if kind is rest_api.EndpointResource:
        required = ["name"]
    schema: Schema = {"type": "object", "additionalProperties": False, "required": required}
    if kind.__doc__ and not kind.__doc__.startswith("dict("):
        schema["description"] = " ".join(kind.__doc__.split())
    schema["properties"] = {
        name: {**({"description": ABOUT[name]} if name in ABOUT else {}), **_member(kind, name)}
        for name in names
    }
    return schema


def _member(kind: type, name: str) -> Schema:
    """Return the schema of a field of one of dlt's typed dictionaries."""
    if name in VARIANTS:
        return _ref(name)
    if name in ("params", "headers"):
        values = _parameter() if name == "params" else {**SCALAR, "pattern": HEADER}
        return {"type": ["object", "null"], "additionalProperties": values}
    if name == "resources":
        named = {"contains": {"properties": {"name": {"const": EVENT_DATA}}, "required": ["name"]}}
        return {"type": "array", "items": _ref(PARTS[name]), **named}
    if name in LISTS:
        return {"type": ["array", "null"], "items": _ref(PARTS[name])}
    if name in SHORT_FORMS:
        short, _ = KINDS.get(SHORT_FORMS[name], ("null", ""))
        return {"if": {"type": "object"}, "then": _ref(PARTS[name]), "else": {"type": short}}
    return _ref(PARTS[name]) if name in PARTS else _value(kind, name)


def _value(kind: type, name: str) -> Schema:
    allowed, types = accepted_values(kind, name)
    if allowed:
        return {"enum": [*allowed, None], **NARROWER.get(name, {})}
    if Any in types:
        return {}
    found = sorted({kind for each, (kind, _) in KINDS.items() if each in types})
    schema: Schema = {"type": found if name in TEXTS | {REQUIRED.get(kind)} else [*found, "null"]}
    if name == "primary_key":
        schema["items"] = {"type": "string"}
    if name in RANGES:
        schema["minimum"], schema["maximum"] = RANGES[name]
    part = "paginator" if kind in PAGINATORS.values() else ""
    if {"integer", "number"} & {*found} and is_number((part, name)):
        schema |= {"type": sorted({*schema["type"], "string"}), "pattern": NUMBER}
    return schema | NARROWER.get(name, {})


def _parameter() -> Schema:
    """Return the schema of a query parameter."""
    special = {
        "if": {"properties": {"type": {"const": "incremental"}}, "required": ["type"]},
        "then": _ref(rest_api.IncrementalParamConfig),
        "else": RESOLVED,
    }
    return {
        "if": {"type": "object"},
        "then": special,
        "else": {"if": {"type": "array"}, "then": {"items": SCALAR}},
    }


def _variant(name: str) -> Schema:
    """Return the schema of an auth or a paginator: its type's name, or a mapping with it."""
    kinds = VARIANTS[name]
    required = [] if name == "auth" else ["type"]  # dlt's shorthand: a bearer token
    chosen = [
        {"if": {"properties": {"type": {"const": each}}, "required": ["type"]}, "then": _ref(kind)}
        for each, kind in kinds.items()
    ]
    typed = {"required": required, "properties": {"type": {"enum": [*kinds]}}, "allOf": chosen}
    short = [each for each, kind in kinds.items() if kind not in REQUIRED]
    return {"if": {"type": "object"}, "then": typed, "else": {"enum": [*short, None]}}
