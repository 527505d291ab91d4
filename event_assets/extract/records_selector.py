"""Select the records of a response."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng.exceptions import JSONPathError
from requests import Response

from event_assets.values.errors import ConfigError
from event_assets.values.response_paths import compile_path

RecordsSelector = Callable[[Response], list[Any]]
PLAIN_SELECTOR = re.compile(r"[\w@:-]+(\.[\w@:-]+)*")


def build_records_selector(selector: str | None) -> RecordsSelector:
    """Build the function that returns the records of each response of a list.

    It follows dlt's rules; without a data selector, the first response decides where records are.

    Raises:
        ConfigError: The selector is not a JSON path.
    """
    _compile(selector or "$")

    def select_records(response: Response) -> list[Any]:
        nonlocal selector
        selector = selector or RESTClient("").detect_data_selector(response) or "$"
        return find_records(selector, response.json())

    return select_records


def find_records(selector: str, document: Any) -> list[Any]:
    """Return what is at a path, or in the one list that is there; nothing where null is."""
    found = find_values(selector, document)
    if len(found) != 1 or (rows := list_or_none(found[0])) is None:
        return [] if found == [None] else found
    return rows


def find_values(selector: str, document: Any) -> list[Any]:
    """Return what is at a path."""
    if isinstance(document, dict) and selector in document and "*" not in selector:
        return [document[selector]]  # as the path would, in a tenth of the time
    return jsonpath.find_values(_compile(selector), document)


@lru_cache(100)
def _compile(selector: str) -> Any:
    try:
        return compile_path(selector)
    except JSONPathError:
        raise ConfigError(f"The data_selector `{selector}` is not a valid JSON path.") from None


def list_or_none(value: Any) -> list[Any] | None:
    """Return a list, also one that PHP wrote as an object, by the numbers of its members."""
    if isinstance(value, dict) and value and all(map(str.isdecimal, value)):
        return [*value.values()]
    return value if isinstance(value, list) else None
