"""Resolve texts of the YAML as texts: to Dagster, `"1.10"` is a number; dlt formats `{}`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any, TypeAlias

import dagster as dg
from jinja2 import Environment, StrictUndefined, UndefinedError

from event_assets.config.accounts import FORMATTED_KEYS
from event_assets.config.model import Keys
from event_assets.config.source_files import VARIABLE
from event_assets.values.redaction import hide_random_words

TEMPLATE = re.compile(r"\{\{(?:(?!\}\}).)*\}\}", re.DOTALL)
TYPO = re.compile(r"\{\{\s*(?:env\b|\w+\.\w+\s*\}\})")  # a misspelt template, no JSON or GraphQL
SHELL = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")  # a variable, as shells and .env write it
TEMPLATES = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 (not HTML)
Problems: TypeAlias = list[tuple[Keys, str]]
PLACEHOLDER = re.compile(r"\{(?:(?:resources|incremental)\.[^{}]+|account)\}")


def resolve_texts(context: dg.ResolutionContext, value: Any, problems: Problems) -> Any:
    """Return a value of the YAML with its templates filled in, each text as a text.

    Only where there can be no text, one of digits is a number: a limit may come from a variable.
    What cannot be filled in is added to the problems.
    """
    if isinstance(value, Mapping):
        return {n: resolve_texts(context.at_path(n), v, problems) for n, v in value.items()}
    if isinstance(value, list):
        return [resolve_texts(context.at_path(n), v, problems) for n, v in enumerate(value)]
    text = _resolve_text(context, value, problems) if isinstance(value, str) else value
    is_digits = isinstance(text, str) and text.isdecimal()
    return int(text) if is_digits and is_number(context.path) else text


def is_number(path: Sequence[Any]) -> bool:
    """Return whether there can be no text at a path of the configuration."""
    *_, above, within, name = ("", "", *path)
    if within == "paginator":
        return not str(name).endswith(("_param", "_path", "_key"))
    if name == "lag":
        return within == "incremental" or above == "params"
    return name == "status_code" and above == "response_actions"


def _resolve_text(context: dg.ResolutionContext, text: str, problems: Problems) -> Any:
    """Return a text with its templates filled in; braces that are doubled for dlt stay.

    A variable that is not set is None as the address, for the sandbox. In the rest of `rest_api` it
    stays, for the sync to name it: definitions load without the settings of a sync.
    """
    is_open = "{{" in TEMPLATE.sub("", text)
    if (found := SHELL.search(text)) and "rest_api" in context.path:
        unfilled = f"`{found[0]}` is not filled in: write '{{{{ env.{found[1]} }}}}', in quotes"
        problems.append((tuple(context.path)[1:], unfilled))
        return text
    try:
        if is_open or "{%" in text:
            for name in VARIABLE.findall(text):
                hide_random_words(os.environ.get(name, ""))
            return TEMPLATES.from_string(text).render(context.scope)
        if whole := TEMPLATE.fullmatch(text.strip()):
            value = _fill(context, whole[0])
            if value == whole[0] and "rest_api" not in context.path:
                unset = f"the variable {VARIABLE.findall(text)[0]} is not set, in .env or elsewhere"
                problems.append((tuple(context.path)[1:], unset))
            return None if value == whole[0] and context.path[-1] == "base_url" else value
        return TEMPLATE.sub(lambda found: str(_fill(context, found[0])), text)
    except Exception as error:  # what a template calls may raise anything
        if is_formatted(context.path) and _is_format(text) and not TYPO.search(text):
            return text
        reason = str(error)
        if is_open:
            reason = "a template begins with {{ and ends with }}"
        elif isinstance(error, UndefinedError):
            reason += ": put `env.` before the name of a variable"
        problems.append((tuple(context.path)[1:], f"cannot be filled in: {reason}"))
    return text


def _fill(context: dg.ResolutionContext, template: str) -> Any:
    """Return what a template stands for; itself if it is a variable that is not set."""
    evaluate = TEMPLATES.compile_expression(template[2:-2], undefined_to_none=False)
    value = evaluate(context.scope)
    if isinstance(value, StrictUndefined):
        str(value)  # raises an UndefinedError that names it
    hide_random_words(str(value))  # a key may be in any variable
    return template if value is None and VARIABLE.fullmatch(template) else value


def escape_braces(value: Any, *path: Any) -> Any:
    """Double the braces of texts that dlt formats, except around its placeholders.

    A text whose braces are doubled already is left as it is.
    """
    if isinstance(value, Mapping):
        return {
            escape_braces(name, *path): escape_braces(member, *path, name)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [escape_braces(member, *path) for member in value]
    if not is_formatted(path) or not isinstance(value, str) or _is_format(value):
        return value
    braces = re.compile(rf"{PLACEHOLDER.pattern}|[{{}}]")
    return braces.sub(lambda found: found[0] * (2 if len(found[0]) == 1 else 1), value)


def is_formatted(path: Sequence[Any]) -> bool:
    """Return whether dlt formats a text at a path of the configuration."""
    return "endpoint" in path and bool(FORMATTED_KEYS.intersection(path))


def _is_format(text: str) -> bool:
    """Return whether a text is one that dlt formats as it is meant."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(text) if field is not None]
    except ValueError:
        return False
    return ("{" in text) == ("}" in text) and all(
        PLACEHOLDER.fullmatch(f"{{{field}}}") for field in fields
    )
