"""Write a source's YAML: anew, with a comment beside each line that says why, or changes to it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from event_assets.config.source import EVENT_DATA
from event_assets.probe.report import Setting
from event_assets.probe.settings import API, CLIENT, Keys, set_value
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import MASK

WIDTH = 100
AFTER_BLANK = (("attributes",), ("attributes", "fields"), ("attributes", "schedule"))
OPTIONS: Mapping[str, Any] = {"width": math.inf, "allow_unicode": True}


def write_yaml(document: Mapping[str, Any], comments: Mapping[Keys, str], header: str = "") -> str:
    """Return a document as YAML that reads back the same, with comments by keys.

    A mapping or list of scalars is written on one line, if it fits and has no comments inside.
    """
    lines = (*header.splitlines(), *_write_members(document, (), comments))
    return "".join(f"{line}\n" for line in lines)


def _to_flow_style(value: Any) -> str:
    """Return a value on one line, in a notation that fits any layout."""
    if isinstance(value, Mapping) and value:
        members = (f"{_to_flow_style(key)}: {_to_flow_style(one)}" for key, one in value.items())
        return f"{{ {', '.join(members)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_to_flow_style, value))}]"
    has_breaks = isinstance(value, str) and value.splitlines() not in ([], [value])
    style = '"' if has_breaks else None
    listed = yaml.safe_dump([value], default_flow_style=True, default_style=style, **OPTIONS)
    text: str = listed.strip()[1:-1]
    return f'"{value}"' if text == f"'{value}'" and not {*'"\\'} & {*value} else text


def _write_members(value: Any, keys: Keys, comments: Mapping[Keys, str]) -> Iterator[str]:
    """Yield the lines of the members of a mapping or a list."""
    is_mapping = isinstance(value, Mapping)
    for key, member in value.items() if is_mapping else enumerate(value):
        if (*keys, key) in AFTER_BLANK:
            yield ""
        start = f"{_to_flow_style(key)}:" if is_mapping else "-"
        yield from _write_member(start, member, (*keys, key), comments)


def _write_member(
    start: str, value: Any, keys: Keys, comments: Mapping[Keys, str]
) -> Iterator[str]:
    """Yield the lines of a value: its key, or the dash of a list, begins the first."""
    indent = 2 * (len(keys) - 1)
    has_comments = any(len(one) > len(keys) and one[: len(keys)] == keys for one in comments)
    line, inner = f"{start} {_to_flow_style(value)}", []
    if _has_lines(value):
        literal = yaml.safe_dump(value, default_style="|", **OPTIONS)
        line, *inner = f"{start} {literal}".removesuffix("\n").split("\n")
    elif _may_be_block(value) and (has_comments or _is_deep(value) or indent + len(line) > WIDTH):
        line, inner = start, [one and f"  {one}" for one in _write_members(value, keys, comments)]
        if start == "-":
            line, *inner = f"- {inner[0].strip()}", *inner[1:]
    yield from _with_comment(line, comments.get(keys, ""), WIDTH - indent)
    yield from inner


def _may_be_block(value: Any) -> bool:
    return isinstance(value, (Mapping, list)) and bool(value)


def _has_lines(value: Any) -> bool:
    """Return whether a value is a text of several lines, which each get their own."""
    return isinstance(value, str) and "\n" in value.strip("\n") and not value.endswith("\n\n")


def _is_deep(value: Any) -> bool:
    """Return whether a mapping or list has a mapping or a text of several lines inside."""
    members = value.values() if isinstance(value, Mapping) else value
    return any(
        (isinstance(one, Mapping) and one)
        or (isinstance(one, list) and _is_deep(one))
        or _has_lines(one)
        for one in members
    )


def _with_comment(line: str, comment: str, width: int) -> list[str]:
    """Return a line with its comment beside it, or above it if that is too long."""
    if not comment or len(line) + len(comment) + 3 <= width:
        return [f"{line} # {comment}" if comment else line]
    wrapped = textwrap.wrap(comment, width, initial_indent="# ", subsequent_indent="# ")
    return [*wrapped, line]


def apply_changes(text: str, changes: Mapping[Setting, Any], secrets: Sequence[str] = ()) -> str:
    """Apply changes to a YAML text and mask the secrets in it.

    Comments and layout are kept, unless a change does not fit the layout: then the whole document
    is rewritten.

    Raises:
        ConfigError: when the text is not one YAML document.
    """
    try:
        document = yaml.safe_load(text)
        edits = [(_find_keys(document, setting), value) for setting, value in changes.items()]
        edits += [(keys, MASK) for keys, value in _walk(document) if value in secrets]
        for keys, value in edits:
            text, document = _apply_edit(text, document, keys, value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError(
            f"No suggestion is possible: defs.yaml must be one YAML document{line}."
        ) from None
    return text


def _walk(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Yield the scalars inside `rest_api`, each with its keys."""
    if isinstance(value, (dict, list)):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _walk(member, (*keys, key))
    elif "rest_api" in keys:
        yield keys, value


def _find_keys(document: Any, setting: Setting) -> Keys:
    """Return the keys of a setting: where it is now, or else where it belongs."""
    if setting[0] in ("from", "format", "html", "timezone"):
        return ("attributes", "fields", setting[1], setting[0])
    resources = document["attributes"]["rest_api"]["resources"]
    number = next(i for i, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    inside = () if setting == ("primary_key",) else ("endpoint",)
    holders = [(*API, "resources", number, *inside), (*API, "resource_defaults", *inside)]
    if setting[0] in ("limit", "offset", "total_path", "base_page"):
        holders = [(*holder, "paginator") for holder in (*holders, CLIENT)]
        return (*_find_existing(document, holders), *setting)
    return _find_existing(document, [(*holder, *setting) for holder in holders])


def _find_existing(document: Any, candidates: Sequence[Keys]) -> Keys:
    return next((keys for keys in candidates if _depth(document, keys) == len(keys)), candidates[0])


def _depth(document: Any, keys: Keys) -> int:
    """Return the number of leading keys that exist."""
    for depth, key in enumerate(keys):
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(keys)


def _apply_edit(text: str, document: Any, keys: Keys, value: Any) -> tuple[str, Any]:
    """Set a value in the text and in its document; rewrite the text if its layout forbids that."""
    wanted = set_value(document, keys, value)
    try:
        edited = _edit_in_place(text, wanted, keys, _depth(document, keys))
        if yaml.safe_load(edited) == wanted:
            return edited, wanted
    except (KeyError, yaml.YAMLError):  # KeyError: the value is merged from an anchor
        pass
    return write_yaml(wanted, {}), wanted


def _edit_in_place(text: str, wanted: Any, keys: Keys, depth: int) -> str:
    """Insert the first missing key, after `depth` keys that exist; without one, replace a value."""
    node: Any = yaml.compose(text, yaml.SafeLoader)
    for key in keys[:depth]:
        is_list = isinstance(node, yaml.SequenceNode)
        members = enumerate(node.value) if is_list else ((k.value, v) for k, v in node.value)
        node, wanted = dict(members)[key], wanted[key]
    if depth < len(keys) and isinstance(node, yaml.MappingNode) and node.value:
        new = f"{_to_flow_style(keys[depth])}: {_to_flow_style(wanted[keys[depth]])}"
        end = _end_index(text, node.value[-1][1])
        if node.flow_style:
            return f"{text[:end]}, {new}{text[end:]}"
        line_end = f"{text}\n".index("\n", end)
        indent = " " * node.value[0][0].start_mark.column
        return f"{text[:line_end]}\n{indent}{new}{text[line_end:]}"
    start, end = node.start_mark.index, _end_index(text, node)
    return f"{text[:start]}{_to_flow_style(wanted)}{text[end:]}"


def _end_index(text: str, node: Any) -> int:
    """Return where a node ends; the end mark of a block is at the start of the next node."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return len(text[: node.end_mark.index].rstrip())
