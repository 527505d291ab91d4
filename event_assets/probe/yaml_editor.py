"""Apply suggested changes to a source's YAML and keep its comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from event_assets.config.source import EVENT_DATA
from event_assets.probe.report import Setting
from event_assets.probe.settings import API, Keys, set_value
from event_assets.probe.yaml_writer import to_flow_style, write_yaml
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import MASK


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
    resources = document["attributes"]["rest_api"]["resources"]
    number = next(i for i, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    parents: list[Keys] = [(*API, "resources", number), (*API, "resource_defaults")]
    if setting[0] in ("from", "format", "html", "timezone"):
        return ("attributes", "fields", setting[1], setting[0])
    if setting != ("primary_key",):
        parents = [(*parent, "endpoint") for parent in parents]
    if setting[0] in ("limit", "total_path", "base_page"):
        holders = [(*parent, "paginator") for parent in [*parents, (*API, "client")]]
        return (*_find_existing(document, holders), *setting)
    return _find_existing(document, [(*parent, *setting) for parent in parents])


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
        new = f"{to_flow_style(keys[depth])}: {to_flow_style(wanted[keys[depth]])}"
        end = _end_index(text, node.value[-1][1])
        if node.flow_style:
            return f"{text[:end]}, {new}{text[end:]}"
        line_end = f"{text}\n".index("\n", end)
        indent = " " * node.value[0][0].start_mark.column
        return f"{text[:line_end]}\n{indent}{new}{text[line_end:]}"
    start, end = node.start_mark.index, _end_index(text, node)
    return f"{text[:start]}{to_flow_style(wanted)}{text[end:]}"


def _end_index(text: str, node: Any) -> int:
    """Return where a node ends; the end mark of a block is at the start of the next node."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return len(text[: node.end_mark.index].rstrip())
