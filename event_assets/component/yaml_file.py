"""Read a `defs.yaml`: where each value is in the file, and what is wrong with it as YAML."""

from __future__ import annotations

import pydoc
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import AfterValidator, ValidationError

from event_assets.config.model import Keys, StrictModel, describe, shown, unknown_name_message
from event_assets.config.source_files import COMPONENT, VARIABLE, Loader
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, MASK, find_random_words

SNAKE_CASE = re.compile(r"([a-z]+\d?_)+[a-z]+")  # such as `oauth2_client_credentials`
MAX_VALUES = 20_000  # counting an alias as what it stands for
MERGE = "tag:yaml.org,2002:merge"
NO_SPACE = re.compile(r"^ *([\u00a0\u2000-\u200b\ufeff])", re.MULTILINE)  # looks like a space
IN_QUOTES = "put a text that begins with `{}` in quotes"
# PyYAML's words for a mistake, by a pattern, and what to do about it.
ADVICE: Mapping[str, str] = {
    "unhashable key": 'a name must be text; a template needs quotes, as in "{{{{ ... }}}}"',
    r"'\\t'": "indent with spaces: YAML allows no tabs there",
    "mapping values are not allowed": "a name and `:` cannot stand here: indent the line as its "
    "neighbours, or put a text that holds `: ` in quotes",
    "<block end>, but found '<scalar>'": "text follows what has ended: check the quotes, and the "
    "indentation",
    "<block end>, but found": "the line is indented as none above it: indent it as its neighbours",
    "could not find expected ':'": "write `: ` behind the name",
    "unexpected end of stream": "the quote that opens here is not closed",
    r"found character '(\S)' that cannot": IN_QUOTES,
    "expected alphabetic or numeric": "put a text that begins with `*` or `&` in quotes",
    "found undefined (alias) ": IN_QUOTES.format("*"),
    "a constructor for the tag '!(?!!)": IN_QUOTES.format("!"),
    "a constructor for the tag '.*:(.+)'": "delete `!!{}`: no setting is of that type",
    "expected the node content": "a value is missing, or what opens here is not closed",
    "expected ',' or '(.)'": "what opens here is not closed: a comma, or {}, is missing",
}


def _check_component(name: str) -> str:
    is_ours = name.startswith("event_assets.")
    # A leading dot: of this folder.
    is_other = name.startswith(".") or (not is_ours and callable(pydoc.locate(name)))
    if name == COMPONENT or is_other:
        return name
    raise ValueError(unknown_name_message(name, [COMPONENT], "component"))


class _Requirements(StrictModel):
    env: list[str] | None = None


class _PostProcessing(StrictModel):
    assets: list[dict[str, Any]] | None = None


class _Component(StrictModel):
    """What Dagster allows in a document, and would refuse with a traceback."""

    type: Annotated[str, AfterValidator(_check_component)]
    attributes: dict[str, Any] | None = None
    template_vars_module: str | None = None
    requirements: _Requirements | None = None
    post_processing: _PostProcessing | None = None


TOP_LEVEL = [*_Component.model_fields]


class Scalar(NamedTuple):
    """A value of a file: the line of its name, or its own in a list; its word without quotes."""

    line: int
    value: Any = None
    word: str | None = None


class _Loader(Loader):
    """Refuses a name that is given twice, and types that JSON does not have."""

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

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError):  # such as `!!int x`, or too many digits
            problem = "YAML cannot read this value: write it in quotes if it is text"
            raise _error(node, problem) from None


TAG = "tag:yaml.org,2002:"
_Loader.yaml_constructors = {
    tag: constructor
    for tag, constructor in Loader.yaml_constructors.items()
    if tag not in {f"{TAG}{name}" for name in ("binary", "set", "omap", "pairs")}  # not in JSON
}


@dataclass(frozen=True)
class Document:
    """One component in a YAML file, whose values messages find in their lines."""

    file: Path
    loader: _Loader
    root: yaml.Node | None  # None in an empty file

    @cached_property
    def given(self) -> Any:
        """Return what it holds. This fills in its `<<`, too."""
        return (self.loader.construct_document(self.root) if self.root else None) or {}

    @cached_property
    def values(self) -> Mapping[Keys, Scalar]:
        """Return all that is in it, by its keys.

        Raises:
            MarkedYAMLError, RecursionError: a name is no text, or aliases hold too much.
        """
        found: dict[Keys, Scalar] = {}
        self._add(found, self.root, (), _line(self.root) if self.root else 1)
        return found

    def _add(self, found: dict[Keys, Scalar], node: Any, keys: Keys, line: int) -> None:
        found[keys] = Scalar(line)
        if len(found) > MAX_VALUES:
            raise _error(node, f"holds more than {MAX_VALUES:,} values, with those of aliases")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = self.loader.construct_object(key, deep=True)
                if not isinstance(name, str):
                    read = shown(name) if isinstance(name, bool) or name is None else "a number"
                    raise _error(key, f"put `{key.value}` in quotes: YAML reads {read}")
                self._add(found, value, (*keys, name), _line(key))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self._add(found, value, (*keys, index), _line(value))
        elif node:
            value = self.loader.construct_object(node)
            found[keys] = Scalar(line, value, None if node.style else node.value)

    def error(self, problems: Iterable[tuple[Keys, str]], *at: str) -> ConfigError | None:
        """Return the problems with what is at some keys, a line each; None without any."""
        found = {(*at, *keys): problem for keys, problem in reversed([*problems])}
        above = {keys[:length] for keys in found for length in range(len(keys))}
        lines = sorted(self._locate(*one) for one in found.items() if one[0] not in above)
        return ConfigError("\n".join(_at(self.file, *one) for one in lines)) if lines else None

    def _known(self, keys: Keys) -> Keys:
        return next(keys[:n] for n in range(len(keys), -1, -1) if keys[:n] in self.values)

    def _locate(self, keys: Keys, problem: str) -> tuple[int, str]:
        known = self._known(keys)
        if keys[1:3] == ("rest_api", "resources"):  # it may be among what all have in common
            given = self._known((*keys[:2], "resource_defaults", *keys[4:]))
            if len(given) > max(3, len(known) - 1):
                known, keys = given, (*keys[:2], "resource_defaults", *keys[4:])
        path = ".".join(map(str, keys[len(keys) > 1 :]))
        line, value, _ = self.values[known]
        if problem.startswith("must") and (whole := VARIABLE.fullmatch(str(value).strip())):
            problem = f"{whole[1]} {problem}"
        return line, f"{path}: {problem}" if path else problem


def read_yaml(file: Path) -> list[Document]:
    """Read a YAML file of Dagster components.

    Raises:
        ConfigError: it is no YAML in UTF-8, names something twice, or names no component.
    """
    text = ""
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if found := NO_SPACE.search(text):
            line = text.count("\n", 0, found.start(1)) + 1
            problem = f"indent with spaces, not with U+{ord(found[1]):04X}"
        else:
            return _read_documents(file, _Loader(text))
    except OSError as error:
        line, problem = 1, f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = "is not in UTF-8: save it in that encoding"
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"delete the character U+{error.character:04X}"
    except yaml.MarkedYAMLError as error:
        line, problem = describe_yaml_error(error)
    except RecursionError:
        line, problem = 1, "is nested too deeply, or an alias holds itself"
    raise ConfigError(_at(file, line, problem))


def _read_documents(file: Path, loader: _Loader) -> list[Document]:
    documents: list[Document] = []
    while loader.check_node() or not documents:
        document = Document(file, loader, loader.get_node())
        try:
            component = _Component.model_validate(document.given)
        except ValidationError as error:
            raise document.error(describe(error, document.given)) or error from None
        is_ours = component.type == COMPONENT and document.values
        if is_ours and any(each.given["type"] == COMPONENT for each in documents):
            raise _error(document.root, "a folder is one source: put another into its own")
        documents.append(document)
    return documents


def describe_yaml_error(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Return the line of the mistake, and what it is, else in PyYAML's words."""
    problem, context = str(error.problem), str(error.context or "")
    began = re.search("flow|quoted|simple key", context)  # point there, not to where it is noticed
    mark: Any = error.context_mark if began else error.problem_mark
    for pattern, advice in ADVICE.items():
        if found := re.search(pattern, problem):
            return mark.line + 1, advice.format(*found.groups())
    return mark.line + 1, f"{context}: {problem}" if context else problem


def _error(node: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _at(file: Path, line: int, problem: str) -> str:
    problem = KNOWN.redact_text(problem)
    for word in find_random_words(problem):  # a key in a wrong place
        if not SNAKE_CASE.fullmatch(word):
            problem = problem.replace(word, MASK)
    sentence = " ".join(problem.split()).rstrip(".")
    return f"{file}:{line}: {sentence}."
