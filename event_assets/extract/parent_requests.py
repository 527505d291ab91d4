"""Prepare parent records for the requests of a resource that depends on them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any
from urllib.parse import quote

ESCAPED_FIELDS = "__in_path"  # a record's member: its fields, escaped for use in a URL's path
PLACEHOLDER = re.compile(r"\{resources\.(\w+)\.")


def escape_path_fields(endpoint: dict[str, Any]) -> None:
    """Let an endpoint's path use escaped parent fields: dlt inserts fields as they are."""
    for name, value in (endpoint.get("params") or {}).items():
        is_resolved = isinstance(value, dict) and value.get("type") == "resolve"
        if is_resolved and f"{{{name}}}" in endpoint["path"]:
            value["field"] = f"{ESCAPED_FIELDS}.{value['field']}"
    endpoint["path"] = PLACEHOLDER.sub(rf"{{resources.\1.{ESCAPED_FIELDS}.", endpoint["path"])


def parent_records(table: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Arrow table as API records: column `a.b` becomes member b of a."""
    for batch in table.to_batches():
        for row in batch.to_pylist():
            escaped = {path: _escape(value) for path, value in row.items()}
            yield {**_nest(row), ESCAPED_FIELDS: _nest(escaped)}


def _escape(value: Any) -> str:
    """Escape a value; `.` and `..` twice, because requests undoes one level."""
    text = quote(str(value), safe="")
    return text.replace(".", "%252E") if text in (".", "..") else text


def _nest(row: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for path, value in row.items():
        *objects, name = path.split(".")
        reduce(lambda inside, part: inside.setdefault(part, {}), objects, record)[name] = value
    return record
