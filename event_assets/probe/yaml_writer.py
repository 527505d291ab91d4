"""Write a source's configuration as YAML, with a comment beside each line that says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Keys = tuple[str | int, ...]
WIDTH = 100
SCHEMA = "# yaml-language-server: $schema={}"


def write_yaml(document: Mapping[str, Any], comments: Mapping[Keys, str], header: str = "") -> str:
    """Return a document as YAML that reads back the same, with comments by keys.

    A mapping or list of scalars is written on one line, if it fits and has no comments inside.
    """
    lines = [*_write_mapping(document, (), comments)]
    return "\n".join([*header.splitlines(), *lines]) + "\n"


def _write_mapping(
    value: Mapping[str, Any], keys: Keys, comments: Mapping[Keys, str]
) -> Iterator[str]:
    indent = _indent(keys)
    for name, member in value.items():
        path = (*keys, name)
        if len(path) == 1 and name == "attributes":
            yield ""
        if path in (("attributes", "fields"), ("attributes", "schedule")):
            yield ""
        start = f"{indent}{_scalar(name)}:"
        yield from _write_member(start, member, path, comments)


def _write_member(
    start: str, member: Any, path: Keys, comments: Mapping[Keys, str]
) -> Iterator[str]:
    comment = f" # {comments[path]}" if path in comments else ""
    flow = _flow(member)
    has_inner = any(len(keys) > len(path) and keys[: len(path)] == path for keys in comments)
    is_short = len(start) + len(flow) < WIDTH and not _is_deep(member)
    if not isinstance(member, (Mapping, list)) or not member or (is_short and not has_inner):
        if isinstance(member, str) and (block := _block(member)):
            pad = " " * (len(start) - len(start.lstrip()) + 2)
            yield f"{start} {block[0]}{comment}"
            yield from (f"{pad}{line}".rstrip() for line in block[1:])
            return
        yield from _with_comment(f"{start} {flow}", comment)
        return
    yield from _with_comment(start, comment)
    if isinstance(member, Mapping):
        yield from _write_mapping(member, path, comments)
        return
    for number, one in enumerate(member):
        pad = _indent((*path, number))[:-2]
        if isinstance(one, Mapping) and one:
            lines = [*_write_mapping(one, (*path, number), comments)]
            yield f"{pad}- {lines[0].lstrip()}"
            yield from lines[1:]
        else:
            yield f"{pad}- {_flow(one)}"


def _block(text: str) -> list[str]:
    """Return the lines of a text of several lines, its sign first; none if it needs quotes."""
    lines = ["|" if text.endswith("\n") else "|-", *text.removesuffix("\n").split("\n")]
    block = "\n".join(["text: " + lines[0], *(f"  {line}".rstrip() for line in lines[1:])])
    is_same = "\n" in text and yaml.safe_load(block + "\n") == {"text": text}
    return lines if is_same else []


def _with_comment(line: str, comment: str) -> Iterator[str]:
    if len(line) + len(comment) <= WIDTH or not comment:
        yield line + comment
        return
    pad = " " * (len(line) - len(line.lstrip()))
    text = comment.removeprefix(" # ")
    words, row = text.split(" "), ""
    for word in words:
        if row and len(pad) + 2 + len(row) + 1 + len(word) > WIDTH:
            yield f"{pad}# {row}"
            row = word
        else:
            row = f"{row} {word}".strip()
    yield f"{pad}# {row}"
    yield line


def _indent(keys: Keys) -> str:
    """Return the indent of the members at a path: two blanks a level, of which a dash is one."""
    return "  " * len(keys)


def _is_deep(value: Any) -> bool:
    """Return whether a value has objects inside of objects, or long texts."""
    if isinstance(value, Mapping):
        return any(isinstance(one, Mapping) and one for one in value.values()) or any(
            isinstance(one, str) and "\n" in one for one in value.values()
        )
    return isinstance(value, list) and any(isinstance(one, Mapping) for one in value)


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_scalar(name)}: {_flow(one)}" for name, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    written: str = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=10**6
    ).strip()
    text = written[1:-1]
    is_plain = isinstance(value, str) and text == value and yaml.safe_load(text) == value
    if is_plain or not isinstance(value, str):
        return text
    return text if text.startswith('"') or '"' in value or "\\" in value else f'"{value}"'
