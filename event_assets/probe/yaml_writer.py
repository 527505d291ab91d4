"""Write a source's configuration as YAML, with a comment beside each line that says why."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Keys = tuple[str | int, ...]
WIDTH = 100
AFTER_BLANK = (("attributes",), ("attributes", "fields"), ("attributes", "schedule"))
OPTIONS: Mapping[str, Any] = {"width": math.inf, "allow_unicode": True}


class _Dumper(yaml.SafeDumper):
    """Writes `{ a: 1 }` with blanks, double quotes, and no aliases."""

    def write_indicator(
        self, indicator: str, need_whitespace: bool, *places: bool, **at: bool
    ) -> None:
        if indicator == "{":
            places, at = (), {**at, "whitespace": False}
        super().write_indicator(indicator, need_whitespace or indicator == "}", *places, **at)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's)
        super().increase_indent(flow, False)

    def choose_scalar_style(self) -> str:
        style: str = super().choose_scalar_style()
        text = self.analysis.scalar if self.analysis else ""
        return '"' if style == "'" and not {*'"\\'} & {*text} else style

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's)
        return True


def write_yaml(document: Mapping[str, Any], comments: Mapping[Keys, str], header: str = "") -> str:
    """Return a document as YAML that reads back the same, with comments by keys.

    A mapping or list of scalars is written on one line, if it fits and has no comments inside.
    """
    root = _Dumper(io.StringIO(), sort_keys=False).represent_data(document)
    _lay_out(root, (), comments)
    text: str = yaml.serialize(root, Dumper=_Dumper, **OPTIONS)
    keys = {line: path for path, line in _find_lines(yaml.compose(text, yaml.SafeLoader))}
    lines = header.splitlines()
    for number, line in enumerate(text.rstrip("\n").split("\n")):
        path = keys.get(number, ())
        lines += [""] * (path in AFTER_BLANK)
        lines += _with_comment(line, comments.get(path, ""))
    return "\n".join(lines) + "\n"


def _lay_out(node: Any, keys: Keys, comments: Mapping[Keys, str]) -> int:
    """Choose whether a node is written on one line; return its length, too much if it is not."""
    if isinstance(node, yaml.ScalarNode):
        is_long = "\n" in node.value
        node.style = "|" if is_long else node.style
        return WIDTH if is_long else len(node.value) + 2
    members = [*_members(node)]
    length = sum(len(str(key)) + 2 + _lay_out(one, (*keys, key), comments) for key, one in members)
    is_deep = any(isinstance(one, yaml.MappingNode) and one.value for _, one in members)
    has_comment = any(len(one) > len(keys) and one[: len(keys)] == keys for one in comments)
    node.flow_style = (
        not is_deep and not has_comment and bool(keys) and 3 * len(keys) + length < WIDTH
    )
    return length if node.flow_style or not members else WIDTH


def _members(node: Any) -> Iterator[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)


def _find_lines(node: Any, keys: Keys = ()) -> Iterator[tuple[Keys, int]]:
    """Yield the keys of a document's mappings, with the lines on which they are."""
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if not node.flow_style:
            yield (*keys, key.value), key.start_mark.line
    for name, value in _members(node):
        yield from _find_lines(value, (*keys, name))


def _with_comment(line: str, comment: str) -> list[str]:
    """Return a line with its comment beside it, or above it if that is too long."""
    if not comment or len(line) + len(comment) + 3 <= WIDTH:
        return [f"{line} # {comment}" if comment else line]
    pad = " " * (len(line) - len(line.lstrip())) + "# "
    return [*textwrap.wrap(comment, WIDTH, initial_indent=pad, subsequent_indent=pad), line]
