"""Write a source's YAML, with comments that say why its lines are as they are."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from event_assets.config.model import Keys
from event_assets.config.source_files import EVENT_DATA
from event_assets.probe.settings import API, find_keys, set_value
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import MASK

WIDTH = 100
PARTS = re.compile(r"^(?=attributes:|  fields:|  schedule:)", re.MULTILINE)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are, and no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def write_yaml(document: Mapping[str, Any], comments: Mapping[Keys, str], header: str = "") -> str:
    """Return a document as YAML that reads back the same, with comments by keys."""
    text = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,  # one line for what has no objects inside
        allow_unicode=True,
        width=WIDTH,
    )
    root = yaml.compose(text, yaml.SafeLoader)
    places = [(*_find_lines(root, keys), comment) for keys, comment in comments.items()]
    for start, end, comment in sorted(places, reverse=True):
        text = _add_comment(text, start, end, comment)
    text = PARTS.sub("\n", text)
    return f"{header.rstrip()}\n{text}" if header else text


def _find_lines(node: Any, keys: Keys) -> tuple[int, int]:
    """Return where the first line and the value at keys begin and end; a block's is one line."""
    start = 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            name, node = next(one for one in node.value if one[0].value == key)
            start = name.start_mark.index
        else:
            node = node.value[key]
            start = node.start_mark.index
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    return start, start if is_block else node.end_mark.index


def _add_comment(text: str, start: int, end: int, comment: str) -> str:
    """Add a comment beside the line of a value, or above it if that is too long."""
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.index("\n", start)
    line = text[line_start:line_end]
    if end <= line_end and len(line) + len(comment) + 3 <= WIDTH:
        return f"{text[:line_end]} # {comment}{text[line_end:]}"
    indent = " " * (len(line) - len(line.lstrip()))
    above = textwrap.indent("\n".join(textwrap.wrap(comment, WIDTH - len(indent) - 2)), "# ")
    return f"{text[:line_start]}{textwrap.indent(above, indent)}\n{text[line_start:]}"


def suggest_yaml(text: str, changes: Mapping[str, Any], secrets: Sequence[str] = ()) -> str:
    """Return a source's YAML with settings changed, what was there as a comment; mask secrets.

    Raises:
        ConfigError: the text is not one YAML document.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError(
            f"No suggestion is possible: defs.yaml must be one YAML document{line}."
        ) from None
    document, comments = _mask(document, secrets), {}
    document = _with_own_paginator(document, changes)
    resource = _find_resource(document)
    for setting, value in changes.items():
        keys = find_keys(setting, resource)
        if setting == "primary_key" and _get(document, (*resource, setting)) is not None:
            keys = (*resource, setting)
        before = _get(document, keys)
        comments[keys] = "new" if before is None else f"it was {before}"
        document = set_value(document, keys, value)
    lines = re.match(r"(#.*\n|\n)*", text)
    return write_yaml(document, comments, lines[0] if lines else "")


def _find_resource(document: Any) -> Keys:
    """Return the keys of the resource of events."""
    resources = _get(document, (*API, "resources"))
    number = next(at for at, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    return (*API, "resources", number)


def _with_own_paginator(document: Any, changes: Mapping[str, Any]) -> Any:
    """Copy the paginator of the defaults to the resource of events, if a part of it changes."""
    keys = find_keys("paginator", _find_resource(document))
    if not any(one.startswith("paginator.") for one in changes) or _get(document, keys):
        return document
    defaults = ((*API, "resource_defaults", "endpoint", "paginator"), (*API, "client", "paginator"))
    return set_value(document, keys, next(filter(None, (_get(document, one) for one in defaults))))


def _get(document: Any, keys: Keys) -> Any:
    for key in keys:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _mask(value: Any, secrets: Sequence[str]) -> Any:
    """Return a document with what is secret in it masked."""
    if isinstance(value, dict):
        return {key: _mask(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [_mask(member, secrets) for member in value]
    return MASK if value in secrets else value
