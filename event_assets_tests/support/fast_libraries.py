"""What the libraries compute again and again in every sync, and comes to the same, is kept."""

import copy
import functools
import itertools
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from inspect import unwrap
from typing import Any

import pyarrow as pa
import pytest
import tomlkit
from alembic.script import ScriptDirectory
from dagster.components.core import load_defs, package_entry, snapshot
from dlt.common import jsonpath, typing, validation
from dlt.common.configuration.specs import base_configuration
from dlt.common.configuration.specs.base_configuration import BaseConfiguration
from dlt.common.schema import schema as schema_module
from dlt.destinations import duckdb as dlt_duckdb
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from pydantic import BaseModel
from yaml import YAMLError
from yaml.events import Event
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call a function once for the same arguments, and copy what it returned."""
    cached = functools.cache(function)
    return lambda *args, **kwargs: copy.deepcopy(cached(*args, **kwargs))


def make_libraries_fast(patch: pytest.MonkeyPatch) -> None:
    """Let the libraries do in this process once what depends on their code alone."""
    patch.setattr(tomlkit, "parse", functools.cache(tomlkit.parse))
    patch.setattr(tomllib, "loads", functools.cache(tomllib.loads))
    schema = once(BaseModel.model_json_schema.__func__)  # type: ignore[attr-defined]
    patch.setattr(BaseModel, "model_json_schema", classmethod(schema))
    patch.setattr(dlt_duckdb, "capabilities", _capabilities_once())
    for function in (
        base_configuration.extract_inner_hint,
        base_configuration.is_secret_hint,
        typing.extract_type_if_modifier,
        typing.is_literal_type,
        typing.is_optional_type,
        typing.is_subclass,
        typing.is_union_type,
    ):
        _remember(patch, function)
    patch.setattr(BaseConfiguration, "__len__", _number_of_fields())  # of each that is tested
    patch.setattr(validation, "get_type_hints", _type_hints_once())
    patch.setattr(schema_module, "validate_dict", _validate_once())
    # without looking for its settings, of which it has none
    patch.setattr(
        schema_module, "import_normalizers", unwrap(vars(schema_module)["import_normalizers"])
    )
    patch.setattr(jsonpath, "_parse", functools.cache(vars(jsonpath)["_parse"]))
    patch.setattr(Parser, "__init__", _parse_yaml_once())
    _describe_components_once(patch)
    patch.setattr(ScriptDirectory, "from_config", _script_directory_once())
    if find_spec("pandas") is None:  # or DuckDB looks for it at each query
        pa.scalar(0, pa.timestamp("us", "UTC")).as_py()  # Arrow looks once, not for a None
        patch.setitem(sys.modules, "pandas", None)


def repeat_examples(patch: pytest.MonkeyPatch) -> None:
    """Let Hypothesis draw no numbers and texts from the modules that it finds imported.

    A change of any module, or another order of tests, would change the examples of all.
    """
    patch.setattr(providers, "_get_local_constants", Constants)


def _remember(patch: pytest.MonkeyPatch, function: Callable[..., Any]) -> None:
    """Keep what a function of types returned, wherever dlt has imported it."""
    cached = functools.cache(function)

    def look_up(*args: Any, **kwargs: Any) -> Any:
        try:
            return cached(*args, **kwargs)
        except TypeError:  # not all types are hashable
            return function(*args, **kwargs)

    for name, module in list(sys.modules.items()):
        if name.startswith("dlt.") and vars(module).get(function.__name__) is function:
            patch.setattr(module, function.__name__, look_up)


def _number_of_fields() -> Callable[[BaseConfiguration], int]:
    """Return the length of a configuration, which dlt looks up to know whether there is one."""
    length = functools.cache(lambda kind: sum(1 for _ in BaseConfiguration.__iter__(kind)))
    return lambda configuration: length(type(configuration))


def _type_hints_once() -> Callable[..., Any]:
    """Return what reads the types of a schema's parts, as dlt does whenever it loads a schema."""
    get_type_hints, found = vars(validation)["get_type_hints"], dict[type, Any]()

    def look_up(spec: type, globalns: Any) -> Any:
        if spec not in found:
            found[spec] = get_type_hints(spec, globalns=globalns)
        return dict(found[spec])

    return look_up


def _validate_once() -> Callable[..., None]:
    """Return what validates the hints that dlt itself adds to each schema, all the same."""
    validate, valid = vars(schema_module)["validate_dict"], set[tuple[type, str]]()

    def look_up(spec: type, document: Any, *args: Any, **kwargs: Any) -> None:
        key = spec, str(document)
        if key not in valid:
            validate(spec, document, *args, **kwargs)
            valid.add(key)

    return look_up


def _capabilities_once() -> Callable[..., Any]:
    """Return dlt's method that lists what DuckDB can do, which a sync calls a dozen times."""
    capabilities, found = dlt_duckdb.capabilities, dict[tuple[object, str], Any]()

    def look_up(destination: dlt_duckdb, config: Any = None, naming: Any = None) -> Any:
        key = type(naming), str(destination.caps_params)
        if key not in found:
            found[key] = capabilities(destination, config, naming)
        return copy.copy(found[key])

    return look_up


def _parse_yaml_once() -> Callable[[Any], None]:
    """Return what begins to parse a YAML text, which each command and Dagster do anew."""
    begin = Parser.__init__

    class Plain(Reader, Scanner, Parser):
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            begin(self)

    @functools.lru_cache(maxsize=100)
    def parse(text: str) -> tuple[list[Event], Exception | None]:
        parser: Any = Plain(text)
        events = list[Event]()
        try:
            while parser.check_event():
                events.append(parser.get_event())
        except YAMLError as error:
            return events, error
        return events, None

    def replay(text: str) -> Iterator[Event | None]:
        events, error = parse(text)
        yield from events
        if error:
            raise copy.copy(error)
        yield from itertools.repeat(None)

    def look_up(parser: Any) -> None:
        begin(parser)
        if parser.stream is None and parser.name == "<unicode string>":  # not a file, nor bytes
            parser.state = functools.partial(next, replay(parser.buffer.removesuffix("\0")))

    return look_up


def _describe_components_once(patch: pytest.MonkeyPatch) -> None:
    """Let Dagster list the components that are installed once, not whenever a project is loaded."""
    discover = functools.cache(package_entry.discover_entry_point_package_objects)
    patch.setattr(package_entry, "discover_entry_point_package_objects", discover)
    snaps, described = dict[Any, Any](), dict[tuple[Any, ...], Any]()
    get_snap, describe = snapshot.get_package_entry_snap, vars(load_defs)["json_for_all_components"]

    def snap(key: Any, component: object) -> Any:
        if key not in snaps:
            snaps[key] = get_snap(key, component)
        return snaps[key]

    def json_of(components: Any) -> Any:
        key = tuple(component.key for component in components)
        if key not in described:
            described[key] = describe(components)
        return described[key]

    patch.setattr(snapshot, "get_package_entry_snap", snap)
    patch.setattr(load_defs, "json_for_all_components", json_of)


def _script_directory_once() -> Callable[..., Any]:
    """Return alembic's method that reads the files of all migrations of Dagster's tables."""
    from_config, found = ScriptDirectory.from_config, dict[str, ScriptDirectory]()

    def look_up(config: Any) -> ScriptDirectory:
        folder = config.get_alembic_option("script_location")
        if folder not in found:
            found[folder] = from_config(config)
        return found[folder]

    return look_up
