"""The base of every model that is read from YAML, and its message about unknown names."""

import ast
import difflib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

Keys = tuple[str | int, ...]
PLACES: Mapping[str, str] = {  # where names belong that are written elsewhere
    **dict.fromkeys(("auth", "base_url", "headers"), "client"),
    **dict.fromkeys(("data_selector", "incremental", "method", "paginator", "params"), "endpoint"),
    **dict.fromkeys(("path", "response_actions"), "endpoint"),
    **dict.fromkeys(("client", "resource_defaults", "resources"), "rest_api"),
    **dict.fromkeys(("concurrency", "fields", "freshness", "rest_api", "schedule"), "attributes"),
    **dict.fromkeys(("accounts", "exclude", "only", "owners", "windows"), "attributes"),
    **dict.fromkeys(("warn_after_minutes", "fail_after_minutes"), "freshness"),
}
# What a value must be, by the types of pydantic's errors.
KINDS = {
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), "a mapping"),
    **dict.fromkeys(("list_type", "sequence_str", "is_instance_of"), "a list"),
}


# What a number must be, and the bound in pydantic's error.
BOUNDS = {
    "greater_than_equal": ("{} or more", "ge"),
    "greater_than": ("more than {}", "gt"),
    "less_than_equal": ("{} or less", "le"),
}


class StrictModel(BaseModel):
    """A model whose error for an unknown attribute lists the known ones."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    superseded: ClassVar[Mapping[str, str]] = {}  # names that are not known any more, and messages

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> Any:
        """Describe the fields by their docstrings, which pydantic would read at each start."""
        found = handler.resolve_ref_schema(handler(schema))
        for base in cls.__mro__[: cls.__mro__.index(StrictModel)]:
            definition: Any = ast.parse(inspect.getsource(base)).body[0]
            for field, below in pairwise(definition.body):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    name, text = ast.unparse(field.target), ast.literal_eval(below.value)
                    known = found["properties"][cls.model_fields[name].alias or name]
                    known.setdefault("description", inspect.cleandoc(text))
        return found

    @model_validator(mode="wrap")
    @classmethod
    def _explain_unknown_names(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            details = [cls._explain(detail) for detail in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, details)

    @classmethod
    def _explain(cls, detail: Any) -> InitErrorDetails:
        kind, path, message = detail["type"], detail["loc"], detail["msg"]
        if kind == "extra_forbidden" and len(path) == 1:
            name, kind = str(path[0]), "unknown_name"
            names = sorted(field.alias or known for known, field in cls.model_fields.items())
            message = cls.superseded.get(name) or unknown_name_message(name, names, "field")
        context = {**detail.get("ctx", {}), "message": message}
        kind = PydanticCustomError(kind, "{message}", context)
        return InitErrorDetails(type=kind, loc=path, input=detail["input"])


def refuse(problems: Iterable[tuple[Keys, str]]) -> None:
    """Raise a validation error of problems, each at its keys in what is validated, if any."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("rule", "{message}", {"message": message}),
            loc=keys,
            input=None,
        )
        for keys, message in problems
    ]
    if details:
        raise ValidationError.from_exception_data("rules", details)


def unknown_name_message(name: Any, allowed: list[str], noun: str) -> str:
    """Return that a name is unknown, the closest known name, and all known names."""
    if not isinstance(name, str):
        return f"must be one of {', '.join(allowed)}, not {shown(name)}"
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f", did you mean `{close[0]}`?" if close else "."
    if name in PLACES and noun == "field":
        hint = f" here: it belongs in `{PLACES[name]}`."
    return f"`{name}` is not a known {noun}{hint} Allowed: {', '.join(allowed)}."


def describe(error: ValidationError, given: Any) -> Iterator[tuple[Keys, str]]:
    """Yield the keys and the message of each error in what a YAML file gives."""
    kinds: dict[Keys, list[str]] = {}
    found: dict[Keys, str] = {}
    for detail in error.errors():
        keys, value = _find(given, detail["loc"])
        kind, context = detail["type"], detail.get("ctx", {})
        if kind in KINDS:
            kinds.setdefault(keys, []).append(KINDS[kind])
            but = "" if "auth" in keys else f", not {shown(value)}"  # it may be a key
            problem = f"must be {' or '.join(dict.fromkeys(kinds[keys]))}{but}"
        elif kind == "missing":
            problem = f"`{detail['loc'][-1]}` is missing"
        elif kind == "literal_error":
            allowed = re.findall("'(.*?)'", context["expected"])
            problem = unknown_name_message(value, allowed, "value")
        elif kind in BOUNDS:
            text, bound = BOUNDS[kind]
            problem = f"must be {text.format(f'{context[bound]:,.15g}')}, not {shown(value)}"
        elif kind == "string_pattern_mismatch":
            problem = f"must be a percentage such as 5%, not {shown(value)}"
        else:
            problem = str(context.get("error", detail["msg"]))
        name = re.match("`(.+?)`", problem)  # it may be about a member
        is_member = name and isinstance(value, dict) and name[1] in value
        found[(*keys, name[1]) if name and is_member else keys] = problem
    yield from found.items()


def _find(given: Any, loc: Sequence[Any]) -> tuple[Keys, Any]:
    """Return the keys, and the value there, of pydantic's location, which names types, too."""
    keys: Keys = ()
    for key in loc:
        is_key = isinstance(given, dict) and key in given
        if is_key or (isinstance(given, list) and isinstance(key, int)):
            keys, given = (*keys, key), given[key]
    return keys, given


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool) or value is None:
        return "nothing" if value is None else str(value).lower()
    return repr(value) if len(str(value)) <= 60 else f"{str(value)[:60]!r} ..."
