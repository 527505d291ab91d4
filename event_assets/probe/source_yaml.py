"""The YAML of a source: settings by short paths, such as `params.status`, and comments on them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from event_assets.config.model import Keys

API: Keys = ("attributes", "rest_api")
CLIENT: Keys = (*API, "client")
RESOURCE: Keys = (*API, "resources", 0)
ENDPOINT: Keys = (*RESOURCE, "endpoint")
OF_ENDPOINT = {
    *("path", "method", "params", "json", "data_selector", "paginator", "incremental"),
    "response_actions",
}
PARENTS: Mapping[str, Keys] = {  # where a name belongs; all others are attributes
    **dict.fromkeys(("base_url", "auth", "headers"), CLIENT),
    **dict.fromkeys(("client", "resource_defaults", "resources"), API),
    "primary_key": (*API, "resource_defaults"),
    "attributes": (),
    "endpoint": RESOURCE,
}
REMOVED = object()  # in place of a value
WIDTH = 100
PARTS = re.compile(r"^(?=attributes:|  fields:|  schedule:)", re.MULTILINE)


def find_keys(setting: str, resource: Keys = RESOURCE) -> Keys:
    """Return the keys of a setting that is named by a short path; `resource` is that of events."""
    first, *rest = setting.strip().split(".")
    if first == "params" and rest:  # a parameter's name may have a dot
        rest = [".".join(rest)]
    names = (int(name) if name.isdecimal() else name for name in (first, *rest))
    if first in OF_ENDPOINT:
        return (*resource, "endpoint", *names)
    return (*PARENTS.get(first, ("attributes",)), *names)


def apply_settings(document: Any, settings: Mapping[str, Any]) -> Any:
    """Return a source's document with settings at short paths; null takes one out."""
    for keys, value in ((find_keys(setting), value) for setting, value in settings.items()):
        is_value = value is not None or keys[-1] == "total_path"  # whose null says: there is none
        document = set_value(document, keys, value if is_value else REMOVED)
    return document


def get_setting(settings: Mapping[str, Any], name: str) -> Any:
    """Return what settings at short paths make of one name: `paginator`, `params`, `auth`, ..."""
    keys, found = find_keys(name), None
    for own, value in ((find_keys(setting), value) for setting, value in settings.items()):
        if own[: len(keys)] == keys:
            found = set_value(found, own[len(keys) :], value)
    return found


def set_value(document: Any, keys: Keys, value: Any) -> Any:
    """Return a copy of a JSON document with a value at its keys, or with none if it is `REMOVED`.

    What is missing on the way is made.
    """
    if not keys:
        return value
    first, *rest = keys
    if isinstance(first, int) and isinstance(document, list):
        members = [*document, *([{}] if first == len(document) else [])]
        members[first] = set_value(members[first], tuple(rest), value)
        return members
    if isinstance(document, str):
        document = {"path": document}  # dlt's short form of an endpoint
    changed = dict(document) if isinstance(document, Mapping) else {}
    changed[first] = set_value(changed.get(first), tuple(rest), value)
    return {key: member for key, member in changed.items() if member is not REMOVED}


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
