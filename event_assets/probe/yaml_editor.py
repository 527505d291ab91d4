"""A source's YAML with what the probe would change, and its comments."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from event_assets.config.source import EVENT_DATA
from event_assets.probe.formatting import MASK
from event_assets.probe.report import Setting
from event_assets.values.errors import ConfigError

Keys = tuple[str | int, ...]


def suggest(text: str, changes: Mapping[Setting, Any], secrets: Sequence[str] = ()) -> str:
    """Make the changes in a YAML text; a secret that stands in it is masked.

    Comments and layout stay, but where a change cannot be written into them: then the whole is
    written anew.

    Raises:
        ConfigError: when the text is not one YAML document.
    """
    try:
        document = yaml.safe_load(text)
        edits = list(_edits(document, changes, secrets))
        for place, value in edits:
            text = _edited(text, document, place, value)
            document = _with(document, place, value)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        raise ConfigError(
            f"There is no suggestion: defs.yaml must be one YAML document{line}."
        ) from None
    return text


def _edits(
    document: Any, changes: Mapping[Setting, Any], secrets: Sequence[str]
) -> Iterator[tuple[Keys, Any]]:
    """Give the place and the value of everything that is to be changed."""
    for setting, value in changes.items():
        yield _place(document, setting), value
    for place, value in _scalars(document, ()):
        if isinstance(value, str) and value in secrets and "rest_api" in place:
            yield place, MASK


def _scalars(value: Any, place: Keys) -> Iterator[tuple[Keys, Any]]:
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        yield place, value
    for key, member in members:
        yield from _scalars(member, (*place, key))


def _place(document: Any, setting: Setting) -> Keys:
    """Say where a setting is in the YAML: where it is now, else where it belongs."""
    api: Keys = ("attributes", "rest_api")
    resources = document["attributes"]["rest_api"]["resources"]
    number = next(i for i, one in enumerate(resources) if one.get("name") == EVENT_DATA)
    resource, defaults = (*api, "resources", number), (*api, "resource_defaults")
    if setting[0] in ("from", "format"):
        return ("attributes", "fields", setting[1], setting[0])
    if setting == ("primary_key",):
        return _first(document, (*resource, "primary_key"), (*defaults, "primary_key"))
    parents = [(*resource, "endpoint"), (*defaults, "endpoint")]
    if setting[0] in ("limit", "total_path"):
        holders = [(*parent, "paginator") for parent in [*parents, (*api, "client")]]
        return (*_first(document, *holders), *setting)
    return _first(document, *((*parent, *setting) for parent in parents))


def _first(document: Any, *places: Keys) -> Keys:
    return next((place for place in places if _depth(document, place) == len(place)), places[0])


def _depth(document: Any, place: Keys) -> int:
    """Count the keys of a place that there are."""
    for depth, key in enumerate(place):
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(place)


def _with(document: Any, place: Keys, value: Any) -> Any:
    """Give the document with a value at a place."""
    if not place:
        return value
    key, *rest = place
    changed: Any = copy.copy(document)
    if isinstance(changed, str):
        changed = {"path": changed}  # dlt's short form of an endpoint
    if changed is None:
        changed = {}
    inner = changed[int(key)] if isinstance(changed, list) else changed.get(key)
    changed[key] = _with(inner, tuple(rest), value)
    return changed


def _edited(text: str, document: Any, place: Keys, value: Any) -> str:
    """Write a value into the text; if the layout does not allow that, write all of it anew."""
    wanted = _with(document, place, value)
    try:
        edited = _in_place(text, document, wanted, place, value)
        if yaml.safe_load(edited) == wanted:
            return edited
    except (KeyError, yaml.YAMLError):  # KeyError: it is merged in from elsewhere
        pass
    anew: str = yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=100)
    return anew


def _in_place(text: str, document: Any, wanted: Any, place: Keys, value: Any) -> str:
    node = yaml.compose(text, yaml.SafeLoader)
    depth = _depth(document, place)
    for key in place[:depth]:
        node = _member(node, key)
        wanted = wanted[key]
    if depth < len(place) and isinstance(node, yaml.MappingNode) and node.value:
        return _inserted(text, node, _with({}, place[depth:], value))
    return _replaced(text, node, wanted)


def _member(node: Any, key: str | int) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(key)]
    return {name.value: member for name, member in node.value}[key]


def _replaced(text: str, node: Any, value: Any) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    kept = text[start:end]
    after = kept[len(kept.rstrip()) :]  # a block ends where the next thing begins
    return f"{text[:start]}{_flow([value])}{after}{text[end:]}"


def _inserted(text: str, mapping: Any, members: Mapping[str, Any]) -> str:
    new = _flow(members)
    if mapping.flow_style:
        end = mapping.end_mark.index - 1
        head = text[:end].rstrip()
        return f"{head}, {new}{text[len(head) : end]}{text[end:]}"
    first, _ = mapping.value[0]
    line_end = text.find("\n", _end(mapping))
    line_end = len(text) if line_end < 0 else line_end
    return f"{text[:line_end]}\n{' ' * first.start_mark.column}{new}{text[line_end:]}"


def _end(node: Any) -> int:
    """Say where the last thing in a node ends; a block's own mark is at what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return end


def _flow(value: Any) -> str:
    """Write the members of a list or a mapping as they may stand in any layout."""
    written: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return written.strip()[1:-1]
