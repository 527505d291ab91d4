"""The base of every model read from YAML, and its messages about names."""

import difflib
from typing import Any

import dagster as dg
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

Keys = tuple[str | int, ...]


class StrictModel(dg.Model):
    """Attributes in YAML: an unknown name is answered with the known ones."""

    @model_validator(mode="wrap")
    @classmethod
    def _answer_unknown_names(cls, value: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            names = sorted(field.alias or name for name, field in cls.model_fields.items())
            details = [_with_names(detail, names) for detail in error.errors()]
        raise ValidationError.from_exception_data(cls.__name__, details)


def _with_names(detail: Any, names: list[str]) -> InitErrorDetails:
    kind, place, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind == "extra_forbidden" and len(place) == 1:
        # Dagster builds the message anew from the kind and its context.
        kind = "value_error"
        context = {"error": ValueError(unknown_name_message(str(place[0]), names, "field"))}
    return InitErrorDetails(type=kind, loc=place, input=detail["input"], ctx=context)


def unknown_name_message(name: str, allowed: list[str], what: str) -> str:
    """Say that a name is not known, which one is close, and all that are."""
    close = difflib.get_close_matches(name, allowed, n=1)
    hint = f", did you mean `{close[0]}`?" if close else "."
    return f"`{name}` is no {what} here{hint} Allowed: {', '.join(allowed)}."
