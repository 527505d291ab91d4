"""The base of every model that is read from YAML, and its message about unknown names."""

import difflib
from typing import Any

import dagster as dg
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

Keys = tuple[str | int, ...]
REMOVED = {
    "checkpoint_rows": "`checkpoint_rows` is gone, delete it: interrupted syncs resume by "
    "themselves within `resume_hours`."
}


class StrictModel(dg.Model):
    """A model whose error for an unknown attribute lists the known ones."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_unknown_names(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            names = sorted(field.alias or name for name, field in cls.model_fields.items())
            details = [_with_known_names(detail, names) for detail in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, details)


def _with_known_names(detail: Any, names: list[str]) -> InitErrorDetails:
    kind, path, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind == "extra_forbidden" and len(path) == 1:
        # Dagster builds the message from the type and its context.
        kind = "value_error"
        context = {"error": ValueError(unknown_name_message(str(path[0]), names, "field"))}
    return InitErrorDetails(type=kind, loc=path, input=detail["input"], ctx=context)


def unknown_name_message(name: str, allowed: list[str], noun: str) -> str:
    """Return that a name is unknown, the closest known name, and all known names.

    For a name that an earlier release knew, return what replaced it.
    """
    if name in REMOVED:
        return REMOVED[name]
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f", did you mean `{close[0]}`?" if close else "."
    return f"`{name}` is not a known {noun}{hint} Allowed: {', '.join(allowed)}."
