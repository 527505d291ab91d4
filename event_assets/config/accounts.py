"""A source's accounts: where their names are listed, and what a name becomes elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import duckdb

from event_assets.config.model import Keys, unknown_name_message

ACCOUNT = "account"  # the column that says whose a row is
PLACEHOLDER = f"{{{ACCOUNT}}}"
URL_KEYS = ("path", "base_url")  # where a name is escaped
FORMATTED = {"params", "headers", "json", "data"}  # of an endpoint: where braces mean something
DUMMY_ACCOUNT = "ACCOUNT"  # in what is looked at for no account
MAX_NAME_LENGTH = 200  # characters of a name
MAX_PIPELINE_LENGTH = 64  # characters, by dlt
LOOKUPS = {  # where names may be, other than in the YAML
    "file": "A text file, one name a line; its path is relative to the project.",
    "query": "SQL, run in the warehouse; its first column has the names.",
}
JSON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
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
    """Where the names of a source's accounts are: one of the three.

    Attributes:
        names: the names themselves.
        file: a text file, one name a line.
        query: SQL whose first column has them.
    """

    names: Sequence[str] = ()
    file: str | None = None
    query: str | None = None


def find_errors(given: Any) -> Iterator[tuple[Keys, str]]:
    """Give the place and the description of everything that cannot be in `accounts`."""
    if isinstance(given, Mapping):
        yield from _lookup_errors(given)
    elif not isinstance(given, list) or not given:
        yield (), "must be a list of names, or {file: PATH}, or {query: SQL}"
    else:
        seen: set[str] = set()
        for place, name in enumerate(given):
            if problem := name_error(name):
                yield (place,), problem
            elif name in seen:
                yield (place,), f"`{name}` is listed twice"
            seen.add(str(name))


def _lookup_errors(given: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    for name, value in given.items():
        if name not in LOOKUPS:
            yield (name,), unknown_name_message(str(name), sorted(LOOKUPS), "field")
        elif not isinstance(value, str) or not value.strip():
            yield (name,), "must be a text"
        elif name == "query" and (problem := _query_error(value)):
            yield (name,), problem
    if len(given) != 1:
        yield (), "needs either `file` or `query`"


def name_error(name: Any) -> str | None:
    """Say why this cannot be the name of an account; None: it can."""
    if not isinstance(name, str):
        return f"{name!r} is no text: write it in quotes"
    if not name or name != name.strip():
        return f"{name!r} is empty, or has blanks around it"
    if not name.isprintable() or "..." in name or len(name) > MAX_NAME_LENGTH:
        shown = repr(name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]} ...")
        return f"{shown} has control characters, or three dots, or is longer than {MAX_NAME_LENGTH}"
    return None


def _query_error(text: str) -> str | None:
    """Say why a text is not one query; it is parsed, not run."""
    with duckdb.connect() as nowhere:
        try:
            statements = nowhere.extract_statements(text)
        except duckdb.Error as error:
            return f"is no SQL: {str(error).partition(chr(10))[0]}"
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return "must be a single SELECT"
    return None


def has_account_placeholder(config: Any) -> bool:
    """Does a configuration have a place for the name of an account?"""
    if isinstance(config, str):
        return PLACEHOLDER in config
    if isinstance(config, Mapping):
        return any(map(has_account_placeholder, config.values()))
    return isinstance(config, Sequence) and any(map(has_account_placeholder, config))


def substitute_account(config: Any, account: str, *place: Any) -> Any:
    """Put the name of an account into a configuration, escaped where that is needed.

    Args:
        config: dlt's, or a part of it.
        account: the name.
        place: the names under which the part is, from the top.
    """
    if isinstance(config, str):
        if place and place[-1] in URL_KEYS:
            account = quote(account, safe="")
        elif "endpoint" in place and FORMATTED.intersection(place):
            account = account.replace("{", "{{").replace("}", "}}")
        return config.replace(PLACEHOLDER, account)
    if isinstance(config, Mapping):
        return {
            name: substitute_account(value, account, *place, name) for name, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return [substitute_account(value, account, *place) for value in config]
    return config


def pipeline_name(source: str, resource: str, account: str) -> str:
    """Name the dlt pipeline of an account: no two are the same, whatever the names are."""
    whole = json.dumps([source, resource, account]).encode()
    digest = hashlib.sha256(whole).hexdigest()[:16]
    readable = f"{source}__{resource}"[: MAX_PIPELINE_LENGTH - len(digest) - 2].rstrip("_")
    return f"{readable}__{digest}"


def env_var_segment(name: str) -> str:
    """Spell a name as a part of a variable's name: `anna@example.com` is `ANNA_EXAMPLE_COM`."""
    return re.sub("[^A-Z0-9]", "_", name.upper())
