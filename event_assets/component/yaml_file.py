"""Read a `defs.yaml`: where each value is in the file, and what is wrong with it as YAML."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from event_assets.config.model import Keys, shown, unknown_name_message
from event_assets.values.errors import ConfigError

COMPONENT = "event_assets.EventApi"
TOP_LEVEL = ["attributes", "post_processing", "requirements", "template_vars_module", "type"]
COMPONENT_NAME = re.compile(
    r"\.?[A-Za-z_]\w*(\.\w+)+|\.[A-Z]\w*"
)  # one of this folder has a dot first
MAX_VALUES = 20_000  # with what aliases stand for
MERGE = "tag:yaml.org,2002:merge"
QUOTES = "a text that begins with such a character needs quotes"
# What to do about an error, by PyYAML's words for it.
HINTS = {
    "found character '\\t'": "indent with blanks, not with tabs",
    "cannot start any token": QUOTES,
    "could not determine a constructor": QUOTES,
    "undefined alias": QUOTES,
    "mapping values are not allowed": "indent the names of a mapping alike, and put a text with a "
    "colon in quotes",
    "found '<scalar>'": "a quote is missing, or must be doubled inside a text",
    "expected <block end>": "indent the names of a mapping alike, and the items of a list",
    "end of stream": "a quote is not closed",
    "expected ',' or '}'": "a brace is not closed, or a comma is missing",
    "expected ',' or ']'": "a bracket is not closed, or a comma is missing",
    "could not find expected ':'": "a colon is missing",
    "another document": "a file holds one source: put others into files of their own",
    "unhashable key": 'a template needs quotes, as in "{{ ... }}"',
}


class Scalar(NamedTuple):
    """A value of a file: the line of its name, or its own in a list; its word without quotes."""

    line: int
    value: Any = None
    word: str | None = None


class _Loader(yaml.SafeLoader):
    """Refuses a name that is given twice, and reads dates as texts, as Dagster does."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if key.value in lines:
                    first = lines[key.value]
                    raise _error(key, f"`{key.value}` is given twice, first in line {first}")
                lines[key.value] = _line(key)
        return node


_Loader.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    "tag:yaml.org,2002:timestamp": yaml.SafeLoader.construct_yaml_str,
}


@dataclass(frozen=True)
class Document:
    """A YAML file, in which messages find the lines of its attributes."""

    file: Path
    root: Any  # a node of PyYAML; None for an empty file
    loader: _Loader

    @cached_property
    def values(self) -> Mapping[Keys, Scalar]:
        """Return the attributes and all that is in them, by their keys.

        Raises:
            YAMLError, ValueError, RecursionError: a name is no text, or aliases hold too much.
        """
        found: dict[Keys, Scalar] = {(): Scalar(_line(self.root))}
        for key, value in self.root.value:
            if key.value == "attributes":
                self._add(found, value, (), _line(key))
        return found

    def _add(self, found: dict[Keys, Scalar], node: Any, keys: Keys, line: int) -> None:
        found[keys] = Scalar(line)
        if len(found) > MAX_VALUES:
            raise _error(node, f"aliases make more than {MAX_VALUES:,} values of it")
        if isinstance(node, yaml.MappingNode):
            self.loader.flatten_mapping(node)
            for key, value in node.value:
                name = self.loader.construct_object(key, deep=True)
                if isinstance(name, (dict, list)):
                    raise _error(key, "unhashable key")
                if isinstance(name, bool) or name is None:
                    raise _error(key, f"put `{key.value}` in quotes: YAML reads {shown(name)}")
                self._add(found, value, (*keys, name), _line(key))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._add(found, value, (*keys, index), _line(value))
        else:
            value = self.loader.construct_object(node)
            found[keys] = Scalar(line, value, None if node.style else node.value)

    def error(self, problems: Iterable[tuple[Keys, str]]) -> ConfigError | None:
        """Return the problems with the attributes, a line each, as an error; None without any."""
        found = dict(reversed([*problems]))  # the first about a value
        above = {keys[:length] for keys in found for length in range(len(keys))}
        lines = sorted(self._locate(*one) for one in found.items() if one[0] not in above)
        return ConfigError("\n".join(_at(self.file, *one) for one in lines)) if lines else None

    def _locate(self, keys: Keys, problem: str) -> tuple[int, str]:
        known = next(keys[:n] for n in range(len(keys), -1, -1) if keys[:n] in self.values)
        path = ".".join(map(str, keys))
        return self.values[known].line, f"{path}: {problem}" if path else problem


def read_yaml(file: Path) -> Document:
    """Read a YAML file of a Dagster component.

    Raises:
        ConfigError: it is no YAML in UTF-8, names something twice, or names no component.
    """
    if file.suffix != ".yaml":
        raise ConfigError(f"{file}: Dagster reads no such file: call it {file.stem}.yaml.")
    text = ""
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
        loader = _Loader(text)
        document = Document(file, loader.get_single_node(), loader)
        problems = [*_find_problems(document)]
    except OSError as error:
        problems = [(1, f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems = [(line, "is not in UTF-8: save it in that encoding")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems = [(line, f"delete the character U+{error.character:04X}")]
    except yaml.MarkedYAMLError as error:
        problems = [_describe(error, text.splitlines())]
    except RecursionError:
        problems = [(1, "is nested too deeply, or an alias holds itself")]
    if problems:
        raise ConfigError("\n".join(_at(file, *problem) for problem in problems))
    return document


def _find_problems(document: Document) -> Iterator[tuple[int, str]]:
    """Yield what Dagster would refuse with a traceback, with its line."""
    if not isinstance(document.root, yaml.MappingNode):
        yield 1, f"must have `type: {COMPONENT}` and `attributes`"
        return
    given = {str(key.value): (_line(key), value.value) for key, value in document.root.value}
    unknown = [name for name in given if name not in TOP_LEVEL]
    for name in unknown:
        yield given[name][0], unknown_name_message(name, TOP_LEVEL, "field")
    line, kind = given.get("type", (1, COMPONENT))
    if "type" not in given and not unknown:
        yield line, f"`type` is missing: write `type: {COMPONENT}`"
    elif not COMPONENT_NAME.fullmatch(str(kind)) or (kind[0] != "." and not pydoc.locate(kind)):
        yield line, unknown_name_message(str(kind), [COMPONENT], "component")
    elif kind == COMPONENT and not document.values.keys() - {()} and not unknown:
        line, _ = given.get("attributes", (line, None))
        yield line, "`attributes` must be a mapping with `rest_api` and `fields`"


def _describe(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> tuple[int, str]:
    """Return the line of the mistake, which may be before the one where YAML notices it."""
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    problem = str(error.problem)
    hint = next((hint for words, hint in HINTS.items() if words in problem), problem)
    if mark is None:
        return 1, hint
    if began and ("flow" in str(error.context) or "end of stream" in problem):
        indents = [_indent(lines, each.line) for each in (began, mark)]
        mark = began if indents[1] <= indents[0] else mark
    said = hint if hint == problem else f"is no valid YAML here: {hint}"
    return mark.line + 1, said


def _indent(lines: Sequence[str], index: int) -> int:
    line = lines[index] if index < len(lines) else ""
    return len(line) - len(line.lstrip())


def _error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _at(file: Path, line: int, problem: str) -> str:
    return f"{file}:{line}: {problem.rstrip('.')}."
