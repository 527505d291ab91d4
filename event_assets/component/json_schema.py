"""The JSON schema of a source's YAML, by which editors and `dg check yaml` find its mistakes.

It knows the structure only; `make check` finds what depends on more than one value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from event_assets.component.rest_api import RestApi
from event_assets.component.yaml_file import TOP_LEVEL
from event_assets.config.fields import RESERVED_COLUMNS
from event_assets.config.project import find_project
from event_assets.config.source_files import COMPONENT, EVENT_DATA

Schema = dict[str, Any]
FILE = Path(__file__).resolve().with_name("schema.json")
DIALECT = "http://json-schema.org/draft-07/schema#"  # the newest that all editors know
NUMBER = r"^\s*[-+]?[0-9_]*\.?[0-9_]+\s*$|\{\{"  # may be quoted, or a template
CRON = r"^\s*(@|(\S+\s+){4}\S+\s*$)|\{\{"
OWNER = r"@|^team:|\{\{"
COMPONENTS = r"^event_assets\.EventApi$|^(?!event_assets\.)[\w.]*\.\w+$"  # a file may hold several
COLUMN = "^[a-z_][a-z0-9_]*$"


def complete(schema: Schema) -> Schema:
    """Return pydantic's schema of the attributes, with all of `rest_api`."""
    properties = schema["properties"]
    rest_api = RestApi.model_json_schema()
    schema["$defs"] |= rest_api.pop("$defs")
    properties["rest_api"] |= rest_api
    is_text = {"properties": {"type": {"const": "text"}}}
    properties["fields"] |= {
        "properties": {"id": {"allOf": [properties["fields"]["additionalProperties"], is_text]}},
        "required": ["id"],
        "propertyNames": {"pattern": COLUMN, "not": {"enum": [*RESERVED_COLUMNS]}},
    }
    named = {"properties": {"name": {"const": EVENT_DATA}}, "required": ["name"]}
    rest_api["properties"]["resources"]["contains"] = named
    _adapt(schema, schema["$defs"])
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


def _adapt(schema: Any, models: Mapping[str, Schema]) -> None:
    """Allow texts that become numbers, and tell models apart, so that a mistake has its line."""
    for member in schema if isinstance(schema, list) else schema.values():
        if isinstance(member, (dict, list)):
            _adapt(member, models)
    if isinstance(schema, list):
        return
    if isinstance(schema.get("title"), str):  # pydantic repeats the key as its title
        del schema["title"]
    if schema.get("type") in ("integer", "number"):  # a template is a text
        schema |= {"type": [schema["type"], "string"], "pattern": NUMBER}
    choices = schema.get("anyOf", ())
    if references := [choice for choice in choices if "$ref" in choice]:
        others = [choice for choice in choices if "$ref" not in choice]
        del schema["anyOf"]  # its mistakes would be ones of the whole
        schema |= {"if": {"anyOf": others}, "else": _by_type(references, models)}


def _by_type(references: Sequence[Schema], models: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that is of one of the models, by its `type`."""
    if len(references) == 1:
        return references[0]
    known: list[str] = []
    required, chosen = ["type"], []
    for reference in references:
        kind = models[reference["$ref"].rpartition("/")[2]]["properties"]["type"]
        names = kind.get("enum") or [kind["const"]]
        known += names
        required = [] if "default" in kind else required
        is_it = {"properties": {"type": {"enum": names}}, "required": ["type"]}
        chosen.append({"if": is_it, "then": reference})
    types = {"type": {"enum": known}}
    return {"type": "object", "properties": types, "required": required, "allOf": chosen}
