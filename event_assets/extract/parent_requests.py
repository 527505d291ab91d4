"""Records from which the requests of another resource are made: one list for each of them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any
from urllib.parse import quote

IN_PATH = "__in_path"  # member of a record: its fields as a URL's path takes them
PLACEHOLDER = re.compile(r"\{resources\.(\w+)\.")


def with_safe_path(config: Mapping[str, Any]) -> dict[str, Any]:
    """Let a resource's path take the fields of its parent escaped: dlt puts them in as they are."""
    made = copy.deepcopy(dict(config))
    endpoint = made["endpoint"]
    for name, value in (endpoint.get("params") or {}).items():
        is_bound = isinstance(value, dict) and value.get("type") == "resolve"
        if is_bound and f"{{{name}}}" in endpoint["path"]:
            value["field"] = f"{IN_PATH}.{value['field']}"
    endpoint["path"] = PLACEHOLDER.sub(rf"{{resources.\1.{IN_PATH}.", endpoint["path"])
    return made


def records(table: Any) -> Iterator[dict[str, Any]]:
    """Give an Arrow table's rows as the API has them: column `a.b` is the member b of a."""
    for batch in table.to_batches():
        for row in batch.to_pylist():
            escaped = {path: _in_path(value) for path, value in row.items()}
            yield {**_nested(row), IN_PATH: _nested(escaped)}


def _in_path(value: Any) -> str:
    """Escape a value; one that would lead to another folder twice, for requests undoes one."""
    text = quote(str(value), safe="")
    return text.replace(".", "%252E") if text in (".", "..") else text


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for path, value in row.items():
        *objects, name = path.split(".")
        reduce(lambda inside, part: inside.setdefault(part, {}), objects, record)[name] = value
    return record
