"""Apply suggested changes to a source's YAML and keep its comments."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from event_assets.config.source import EVENT_DATA
from event_assets.probe.report import Setting
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import MASK

Keys = tuple[str | int, ...]  # the keys that lead to a value


def apply_changes(text: str, changes: Mapping[Setting, Any], secrets: Sequence[str] = ()) -> str:
    """Apply changes to a YAML text and mask the secrets in it.

    Comments and layout are kept, unless a change does not fit the layout: then the whole document
    is rewritten.

    Raises:
        ConfigError: when the text is not one YAML document.
    """
    try:
        document = yaml.safe_load(text)
        for keys, value in list(_find_edits(document, changes, secrets)):
            text = _apply_edit(text, document, keys, value)
            document = _set_value(document, keys, value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError(
            f"No suggestion is possible: defs.yaml must be one YAML document{line}."
        ) from None
    return text


def _find_edits(
    document: Any, changes: Mapping[Setting, Any], secrets: Sequence[str]
) -> Iterator[tuple[Keys, Any]]:
    """Yield the keys and the new value of each change."""
    for setting, value in changes.items():
        yield _find_keys(document, setting), value
    for keys, value in _scalars(document, ()):
        if isinstance(value, str) and value in secrets and "rest_api" in keys:
            yield keys, MASK


def _scalars(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        yield keys, value
    for key, member in members:
        yield from _scalars(member, (*keys, key))


def _find_keys(document: Any, setting: Setting) -> Keys:
    """Return the keys of a setting: where it is now, or else where it belongs."""
    api: Keys = ("attributes", "rest_api")
    resources = document["attributes"]["rest_api"]["resources"]
    number = next(i for i, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    resource, defaults = (*api, "resources", number), (*api, "resource_defaults")
    if setting[0] in ("from", "format"):
        return ("attributes", "fields", setting[1], setting[0])
    if setting == ("primary_key",):
        return _first_existing(document, (*resource, "primary_key"), (*defaults, "primary_key"))
    parents = [(*resource, "endpoint"), (*defaults, "endpoint")]
    if setting[0] in ("limit", "total_path"):
        holders = [(*parent, "paginator") for parent in [*parents, (*api, "client")]]
        return (*_first_existing(document, *holders), *setting)
    return _first_existing(document, *((*parent, *setting) for parent in parents))


def _first_existing(document: Any, *candidates: Keys) -> Keys:
    return next((keys for keys in candidates if _depth(document, keys) == len(keys)), candidates[0])


def _depth(document: Any, keys: Keys) -> int:
    """Return the number of leading keys that exist."""
    for depth, key in enumerate(keys):
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(keys)


def _set_value(document: Any, keys: Keys, value: Any) -> Any:
    """Return the document with a value set."""
    if not keys:
        return value
    key, *rest = keys
    changed: Any = copy.copy(document)
    if isinstance(changed, str):
        changed = {"path": changed}  # dlt's short form of an endpoint
    if changed is None:
        changed = {}
    inner = changed[int(key)] if isinstance(changed, list) else changed.get(key)
    changed[key] = _set_value(inner, tuple(rest), value)
    return changed


def _apply_edit(text: str, document: Any, keys: Keys, value: Any) -> str:
    """Write a value into the text; rewrite all of it if the layout does not allow that."""
    wanted = _set_value(document, keys, value)
    try:
        edited = _edit_in_place(text, document, wanted, keys, value)
        if yaml.safe_load(edited) == wanted:
            return edited
    except (KeyError, yaml.YAMLError):  # KeyError: the value is merged from an anchor
        pass
    rewritten: str = yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=100)
    return rewritten


def _edit_in_place(text: str, document: Any, wanted: Any, keys: Keys, value: Any) -> str:
    node = yaml.compose(text, yaml.SafeLoader)
    depth = _depth(document, keys)
    for key in keys[:depth]:
        node = _get_member(node, key)
        wanted = wanted[key]
    if depth < len(keys) and isinstance(node, yaml.MappingNode) and node.value:
        return _insert_members(text, node, _set_value({}, keys[depth:], value))
    return _replace_node(text, node, wanted)


def _get_member(node: Any, key: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(key)]
    return {name.value: member for name, member in node.value}[key]


def _replace_node(text: str, node: Any, value: Any) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    kept = text[start:end]
    after = kept[len(kept.rstrip()) :]  # the end mark of a block is at the next node
    return f"{text[:start]}{_to_flow_style([value])}{after}{text[end:]}"


def _insert_members(text: str, mapping: Any, members: Mapping[str, Any]) -> str:
    new = _to_flow_style(members)
    if mapping.flow_style:
        end = mapping.end_mark.index - 1
        head = text[:end].rstrip()
        return f"{head}, {new}{text[len(head) : end]}{text[end:]}"
    first, _ = mapping.value[0]
    line_end = text.find("\n", _end_index(mapping))
    line_end = len(text) if line_end < 0 else line_end
    return f"{text[:line_end]}\n{' ' * first.start_mark.column}{new}{text[line_end:]}"


def _end_index(node: Any) -> int:
    """Return where a node ends; the end mark of a block is at the start of the next node."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_index(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return end


def _to_flow_style(value: Any) -> str:
    """Return the members of a list or mapping in flow style, which fits any layout."""
    written: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return written.strip()[1:-1]
