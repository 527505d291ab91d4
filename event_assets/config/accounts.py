"""The accounts of a source: where their names are listed, and how a name is written elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from event_assets.config.model import StrictModel, refuse, shown

ACCOUNT = "account"  # the column with a row's account
PLACEHOLDER = f"{{{ACCOUNT}}}"
FORMATTED_KEYS = {"params", "headers", "json", "data"}  # dlt formats braces in these
DUMMY_ACCOUNT = "ACCOUNT"  # in configurations that are inspected without an account
MAX_NAME_LENGTH = 200  # characters
MAX_PIPELINE_LENGTH = 64  # characters, by dlt
A_LIST = "must be a list of names, or {file: PATH}, or {query: SQL}"


def _check_names(names: list[Any]) -> list[str]:
    twice = {n: f"`{name}` is listed twice" for n, name in enumerate(names) if name in names[:n]}
    problems = ((n, name_error(name) or twice.get(n)) for n, name in enumerate(names))
    refuse(((n,), problem) for n, problem in problems if problem)
    return names


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("must be text")
    return text


def _check_query(text: str) -> str:
    """Check that a text is one query; it is parsed, not run."""
    import duckdb  # slow, and needed by few

    with duckdb.connect() as nowhere:
        try:
            statements = nowhere.extract_statements(_check_text(text))
        except duckdb.Error as error:
            problem = f"is not valid SQL: {str(error).partition(chr(10))[0]}"
            raise ValueError(problem) from None
        if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
            raise ValueError("must be a single SELECT")
    return text


class AccountsConfig(StrictModel):
    """Where the names of a source's accounts are listed: one of the three is set."""

    model_config = ConfigDict(
        json_schema_extra={
            "type": ["array", "object"],
            "items": {"type": "string"},
            "minItems": 1,
            "uniqueItems": True,
            "minProperties": 1,
            "maxProperties": 1,
        }
    )
    names: SkipJsonSchema[Annotated[list[Any], AfterValidator(_check_names)]] = Field(default=[])
    file: Annotated[str, AfterValidator(_check_text)] | None = None
    """A text file, one name per line; its path is relative to the project."""
    query: Annotated[str, AfterValidator(_check_query)] | None = None
    """SQL, run in the warehouse; its first column has the names."""

    @model_validator(mode="before")
    @classmethod
    def _take_list(cls, given: Any) -> Any:
        if not isinstance(given, (Mapping, list)) or given == []:
            raise ValueError(A_LIST)
        return {"names": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _is_one(self) -> AccountsConfig:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs either `file` or `query`")
        return self


def name_error(name: Any) -> str | None:
    """Return why this cannot be the name of an account, or None."""
    if not isinstance(name, str):
        return f"must be text, in quotes, not {shown(name)}"
    if not name or name != name.strip():
        return f"{name!r} is empty or has blanks around it"
    if name in (".", ".."):
        return f"`{name}` cannot be a part of a URL"
    if not name.isprintable() or "..." in name or len(name) > MAX_NAME_LENGTH:
        problem = "has control characters, has three dots, or is longer than"
        return f"{shown(name)} {problem} {MAX_NAME_LENGTH}"
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
