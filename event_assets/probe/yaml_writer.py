"""Write a source's configuration as YAML, with a comment beside each line that says why."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from event_assets.probe.settings import Keys

WIDTH = 100
AFTER_BLANK = (("attributes",), ("attributes", "fields"), ("attributes", "schedule"))
OPTIONS: Mapping[str, Any] = {"width": math.inf, "allow_unicode": True}


def write_yaml(document: Mapping[str, Any], comments: Mapping[Keys, str], header: str = "") -> str:
    """Return a document as YAML that reads back the same, with comments by keys.

    A mapping or list of scalars is written on one line, if it fits and has no comments inside.
    """
    lines = (*header.splitlines(), *_write_members(document, (), comments))
    return "".join(f"{line}\n" for line in lines)


def to_flow_style(value: Any) -> str:
    """Return a value on one line, in a notation that fits any layout."""
    if isinstance(value, Mapping) and value:
        members = (f"{to_flow_style(key)}: {to_flow_style(one)}" for key, one in value.items())
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_flow_style, value))}]"
    text: str = yaml.safe_dump([value], default_flow_style=True, **OPTIONS).strip()[1:-1]
    return f'"{value}"' if text == f"'{value}'" and not {*'"\\'} & {*value} else text


def _write_members(value: Any, keys: Keys, comments: Mapping[Keys, str]) -> Iterator[str]:
    """Yield the lines of the members of a mapping or a list."""
    is_mapping = isinstance(value, Mapping)
    for key, member in value.items() if is_mapping else enumerate(value):
        if (*keys, key) in AFTER_BLANK:
            yield ""
        start = f"{to_flow_style(key)}:" if is_mapping else "-"
        yield from _write_member(start, member, (*keys, key), comments)


def _write_member(
    start: str, value: Any, keys: Keys, comments: Mapping[Keys, str]
) -> Iterator[str]:
    """Yield the lines of a value: its key, or the dash of a list, begins the first."""
    indent = 2 * (len(keys) - 1)
    has_comments = any(len(one) > len(keys) and one[: len(keys)] == keys for one in comments)
    line, inner = f"{start} {to_flow_style(value)}", []
    if isinstance(value, str) and "\n" in value:
        literal = yaml.safe_dump(value, default_style="|", **OPTIONS)
        line, *inner = f"{start} {literal}".removesuffix("\n").split("\n")
    elif _may_be_block(value) and (has_comments or _is_deep(value) or indent + len(line) > WIDTH):
        line, inner = start, [f"  {one}" for one in _write_members(value, keys, comments)]
        if start == "-":
            line, *inner = f"- {inner[0].strip()}", *inner[1:]
    yield from _with_comment(line, comments.get(keys, ""), WIDTH - indent)
    yield from inner


def _may_be_block(value: Any) -> bool:
    return isinstance(value, (Mapping, list)) and bool(value)


def _is_deep(value: Any) -> bool:
    """Return whether a mapping or list has a mapping or a text of several lines inside."""
    members = value.values() if isinstance(value, Mapping) else value
    return any(
        (isinstance(one, Mapping) and one)
        or (isinstance(one, list) and _is_deep(one))
        or (isinstance(one, str) and "\n" in one)
        for one in members
    )


def _with_comment(line: str, comment: str, width: int) -> list[str]:
    """Return a line with its comment beside it, or above it if that is too long."""
    if not comment or len(line) + len(comment) + 3 <= width:
        return [f"{line} # {comment}" if comment else line]
    wrapped = textwrap.wrap(comment, width, initial_indent="# ", subsequent_indent="# ")
    return [*wrapped, line]
