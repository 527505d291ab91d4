"""The values in `rest_api`: texts, paths, addresses, and what can be sent in a header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any

from jsonpath_ng.exceptions import JSONPathError
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from event_assets.config.fields import is_valid_source
from event_assets.config.model import shown
from event_assets.config.source_files import VARIABLE
from event_assets.http.credentials import find_bad_character
from event_assets.values.json_paths import as_list
from event_assets.values.response_paths import compile_path
from event_assets.values.urls import SCHEME, find_address_problem

HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
OWN_HEADERS = {"content-length", "transfer-encoding", "connection"}


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty: write it, or delete it")
    if bad := find_bad_character(text, in_header=False):
        raise ValueError(f"holds the character {bad}: delete it")
    if text != text.strip():
        raise ValueError("has blanks around it: delete them")
    return text


def _check_path(path: str) -> str:
    if "#" in path:
        raise ValueError("must end before `#`, which is for browsers")
    try:
        _ = [*Formatter().parse(path)]
    except ValueError:
        raise ValueError("has a brace without its partner") from None
    if SCHEME.match(path):
        _check_url("/".join(path.partition("?")[0].split("/")[:3]))
    return path


def _check_json_path(path: str) -> str:
    try:
        compile_path(path)
    except JSONPathError:
        raise ValueError(f"{shown(path)} is not a valid JSON path") from None
    return path


def _check_key(paths: str | list[str]) -> str | list[str]:
    if not all(map(is_valid_source, as_list(paths or "id"))):
        raise ValueError("must be the path of a field, or a list of paths")
    return paths


def _check_url(url: str) -> str:
    if url.startswith("$"):
        raise ValueError('must have a variable as "{{ env.EVENTS_API_URL }}", in quotes')
    if url and not VARIABLE.search(url) and (problem := find_address_problem(url)):
        raise ValueError(problem)
    return url


def _check_base(url: str) -> str:
    if {"?", "#"} & {*_check_url(url)}:
        raise ValueError("must end before `?` and `#`: use `params`, and `auth` for a key")
    return url


def _check_header_name(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise ValueError(f"`{name}` cannot be the name of a header")
    if name.lower() in OWN_HEADERS:
        raise ValueError(f"`{name}` is set by itself: delete it")
    return name


def check_scalar(value: Any) -> Any:
    """Check a value that is sent as text."""
    if isinstance(value, (Mapping, list)):
        raise ValueError("cannot be sent: write JSON as a text, in quotes")
    return value


def _check_header(value: Any) -> Any:
    if bad := find_bad_character(str(check_scalar(value)), in_header=True):
        raise ValueError(f"holds the character {bad}, which cannot be sent in a header")
    return value


Text = Annotated[  # without line breaks
    str, AfterValidator(_check_text), WithJsonSchema({"type": "string", "pattern": r"\S"})
]
Path = Annotated[Text, AfterValidator(_check_path)]
JsonPath = Annotated[Text, AfterValidator(_check_json_path)]
Key = Annotated[str | list[str], AfterValidator(_check_key)]
ADDRESS = WithJsonSchema({"type": "string", "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://|\{\{"})
Url = Annotated[Text, AfterValidator(_check_url), ADDRESS]
BaseUrl = Annotated[str, AfterValidator(_check_base), ADDRESS]
HeaderName = Annotated[str, AfterValidator(_check_header_name)]
SCALAR = WithJsonSchema({"not": {"type": ["object", "array"]}})
Scalar = Annotated[Any, BeforeValidator(check_scalar), SCALAR]
Header = Annotated[Any, BeforeValidator(_check_header), SCALAR]
