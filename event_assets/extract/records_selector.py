"""Select the records of a response."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng.exceptions import JSONPathError
from requests import Response

from event_assets.values.errors import ConfigError
from event_assets.values.response_paths import compile_path

RecordsSelector = Callable[[Response], list[Any]]
PLAIN_SELECTOR = re.compile(r"[\w@:-]+(\.[\w@:-]+)*")


def plain_names(selector: str, document: Any) -> list[str]:
    """Return the names of a path's members: one, if the document has a member of that name."""
    is_member = isinstance(document, dict) and selector in document
    return [selector] if is_member else selector.split(".")


def build_records_selector(selector: str | None) -> RecordsSelector:
    """Build the function that returns the records of each response of a list.

    It follows dlt's rules; without a data selector, the first response decides where records are.

    Raises:
        ConfigError: The selector is not a JSON path.
    """
    if selector and PLAIN_SELECTOR.fullmatch(selector):
        return partial(_select_plainly, selector)
    client = RESTClient("")
    try:
        path = compile_path(selector)
    except JSONPathError:
        raise ConfigError(f"The data_selector `{selector}` is not a valid JSON path.") from None

    def select_records(response: Response) -> list[Any]:
        nonlocal path
        path = path or jsonpath.compile_path(client.detect_data_selector(response))
        return client.extract_response(response, path)

    return select_records


def _select_plainly(selector: str, response: Response) -> list[Any]:
    """Return the records at a path of names, in a response that passed the check."""
    value = response.json()
    for name in plain_names(selector, value):
        value = value.get(name) if isinstance(value, dict) else None
    if (rows := as_list(value)) is not None:
        return rows
    return [] if value is None else [value]


def as_list(value: Any) -> list[Any] | None:
    """Return a list, also one that PHP wrote as an object, by the numbers of its members."""
    if isinstance(value, dict) and value and all(map(str.isdecimal, value)):
        return [*value.values()]
    return value if isinstance(value, list) else None
