"""Select the records of a response, and check that there is a list of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any, cast

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng.exceptions import JSONPathError
from requests import Response

from event_assets.pagination.totals import compile_path
from event_assets.values.errors import ConfigError

RecordsSelector = Callable[[Response], list[Any]]
PLAIN_SELECTOR = re.compile(r"[\w@-]+(\.[\w@-]+)*")


def list_selector_check(selector: Any) -> Callable[[Any], str | None] | None:
    """Build a check that a document has a list at a data selector.

    Returns:
        A function that returns the problem with a document, or None; None for a selector that is
        not a plain path: such a selector may match nothing, or several values.
    """
    if not isinstance(selector, str) or not PLAIN_SELECTOR.fullmatch(selector):
        return None

    def find_problem(document: Any) -> str | None:
        for name in _names(selector, document):
            if not isinstance(document, dict) or name not in document:
                return f"has no `{selector}`"
            document = document[name]
        if isinstance(document, list):
            return None
        kind = "null" if document is None else "no list"
        return f"has {kind} under `{selector}`"

    return find_problem


def _names(selector: str, document: Any) -> list[str]:
    """Return the names of a path's members: one, if the document has a member of that name."""
    is_member = isinstance(document, dict) and selector in document
    return [selector] if is_member else selector.split(".")


def build_records_selector(selector: Any) -> RecordsSelector:
    """Build the function that returns the records of each response of a list.

    It follows dlt's rules; without a data selector, the first response decides where records are.

    Raises:
        ConfigError: The selector is not a JSON path.
    """
    if list_selector_check(selector):

        def select_plainly(response: Response) -> list[Any]:
            document = response.json()
            return cast("list[Any]", reduce(getitem, _names(selector, document), document))

        return select_plainly
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
