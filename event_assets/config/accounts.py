"""The accounts of a source: where their names are listed, and how a name is written elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from event_assets.config.model import Keys, shown, unknown_name_message

ACCOUNT = "account"  # the column with a row's account
PLACEHOLDER = f"{{{ACCOUNT}}}"
FORMATTED_KEYS = {"params", "headers", "json", "data"}  # of an endpoint: dlt formats braces there
DUMMY_ACCOUNT = "ACCOUNT"  # in configurations that are inspected without an account
MAX_NAME_LENGTH = 200  # characters
MAX_PIPELINE_LENGTH = 64  # characters, by dlt
LOOKUPS = {  # where names may be listed, other than in the YAML
    "file": "A text file, one name per line; its path is relative to the project.",
    "query": "SQL, run in the warehouse; its first column has the names.",
}
JSON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        *(
            {
                "type": "object",
                "properties": {name: {"type": "string", "description": about}},
                "required": [name],
                "additionalProperties": False,
            }
            for name, about in LOOKUPS.items()
        ),
        {"type": "null"},
    ]
}


@dataclass(frozen=True)
class AccountsConfig:
    """Where the names of a source's accounts are listed: one of the three is set."""

    names: Sequence[str] = ()
    file: str | None = None
    query: str | None = None


def parse(given: Any) -> Any:
    """Return `accounts` of a YAML file as a configuration, if `find_errors` finds none."""
    if isinstance(given, Mapping):
        return AccountsConfig(**given)
    return AccountsConfig(tuple(given)) if isinstance(given, list) else given


def find_errors(given: Any) -> Iterator[tuple[Keys, str]]:
    """Yield the path and the message of each error in `accounts`."""
    if isinstance(given, Mapping):
        yield from _lookup_errors(given)
    elif not isinstance(given, list) or not given:
        yield (), "must be a list of names, or {file: PATH}, or {query: SQL}"
    else:
        seen: set[str] = set()
        for index, name in enumerate(given):
            if problem := name_error(name):
                yield (index,), problem
            elif name in seen:
                yield (index,), f"`{name}` is listed twice"
            seen.add(str(name))


def _lookup_errors(given: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    for name, value in given.items():
        if name not in LOOKUPS:
            yield (name,), unknown_name_message(str(name), sorted(LOOKUPS), "field")
        elif not isinstance(value, str) or not value.strip():
            yield (name,), "must be text"
        elif name == "query" and (problem := _query_error(value)):
            yield (name,), problem
    if len(given) != 1:
        yield (), "needs either `file` or `query`"


def name_error(name: Any) -> str | None:
    """Return why this cannot be the name of an account, or None."""
    if not isinstance(name, str):
        return f"must be text, in quotes, not {shown(name)}"
    if not name or name != name.strip():
        return f"{name!r} is empty or has blanks around it"
    if not name.isprintable() or "..." in name or len(name) > MAX_NAME_LENGTH:
        problem = "has control characters, has three dots, or is longer than"
        return f"{shown(name)} {problem} {MAX_NAME_LENGTH}"
    return None


def _query_error(text: str) -> str | None:
    """Return why a text is not one query, or None. It is parsed, not run."""
    import duckdb  # slow, and needed by few

    with duckdb.connect() as nowhere:
        try:
            statements = nowhere.extract_statements(text)
        except duckdb.Error as error:
            return f"is not valid SQL: {str(error).partition(chr(10))[0]}"
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return "must be a single SELECT"
    return None


def substitute_account(config: Any, account: str, *path: Any) -> Any:
    """Replace the placeholder by an account's name, escaped as the keys in `path` require."""
    if isinstance(config, str):
        if path and path[-1] in ("path", "base_url"):
            account = quote(account, safe="")
        elif "endpoint" in path and FORMATTED_KEYS.intersection(path):
            account = account.replace("{", "{{").replace("}", "}}")
        return config.replace(PLACEHOLDER, account)
    if isinstance(config, Mapping):
        return {
            name: substitute_account(value, account, *path, name) for name, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return [substitute_account(value, account, *path) for value in config]
    return config


def pipeline_name(source: str, resource: str, account: str) -> str:
    """Return the name of an account's dlt pipeline, which is unique."""
    digest = hashlib.sha256(json.dumps([source, resource, account]).encode()).hexdigest()[:16]
    readable = f"{source}__{resource}"[: MAX_PIPELINE_LENGTH - len(digest) - 2].rstrip("_")
    return f"{readable}__{digest}"


def env_var_segment(name: str) -> str:
    """Return a name as a part of a variable's name: `anna@example.com` is `ANNA_EXAMPLE_COM`."""
    return re.sub("[^A-Z0-9]", "_", name.upper())
