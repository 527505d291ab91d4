"""Select the records of a response, and check that there is a list of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from operator import getitem
from typing import Any, cast

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from jsonpath_ng import Child, Descendants, Fields, JSONPath
from jsonpath_ng.exceptions import JSONPathError
from requests import Response

from event_assets.pagination.totals import TOTAL_PATHS, compile_path, find_count
from event_assets.values.errors import ConfigError

RecordsSelector = Callable[[Response], list[Any]]
ERROR_NAMES = ("errors", "error", "fault")
PLAIN_SELECTOR = re.compile(r"[\w@-]+(\.[\w@-]+)*")


def list_selector_check(selector: str | None) -> Callable[[Any], str | None]:
    """Build a check that a document has a list at a data selector, or says that it has no records.

    Returns:
        A function that returns the problem with a document, or None. Without a selector, only a
        document about an error is a problem.

    Raises:
        JSONPathError: The selector is not a JSON path.
    """
    if selector is None:
        return _error_problem
    if not PLAIN_SELECTOR.fullmatch(selector):
        return partial(_path_problem, selector, jsonpath.compile_path(selector))

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


def _error_problem(document: Any) -> str | None:
    """Return the problem of a document that is about an error and has no list."""
    if not isinstance(document, dict) or _has_list(document):
        return None
    is_error = any(document.get(name) for name in ERROR_NAMES) or (
        document.get("status") in ("error", "fail", "failed")
        or False in (document.get("success"), document.get("ok"))
    )
    return "has an error in place of records" if is_error else None


def _path_problem(selector: str, path: JSONPath, document: Any) -> str | None:
    """Return the problem of a document in which a path finds nothing, unless a list is empty."""
    if found := _find(path, document):
        has_records = any(type(v) in (dict, list) and v is not document for v in found)
        return None if has_records else _error_problem(document)
    of_any_depth = isinstance(path, Descendants) and isinstance(path.right, Fields)
    for shorter, step in _shorter_paths(path):
        if found := _find(shorter, document):
            # objects that are looked for everywhere may be the members of an empty list
            may_be_inside = of_any_depth and any(_has_list(value, empty=True) for value in found)
            if may_be_inside or any(_is_empty(value, step) for value in found):
                return None
            break
    return None if _says_empty(document) else f"has no `{selector}`"


def _says_empty(document: Any) -> bool:
    """Return whether a document says that there are no records, and so leaves out their list.

    HAL leaves `_embedded` out of a page without any, wherever it is.
    """
    if not isinstance(document, dict) or _error_problem(document):
        return False
    is_hal = "_embedded" not in document and bool({"_links", "page"} & document.keys())
    return is_hal or find_count(document, TOTAL_PATHS) == 0


def _find(path: JSONPath, document: Any) -> list[Any]:
    """Return what is at a path, but null."""
    return [match.value for match in path.find(document) if match.value is not None]


def _shorter_paths(path: JSONPath) -> Iterator[tuple[JSONPath, JSONPath]]:
    """Yield a path without its last step, its last two steps, and so on, and the step left out."""
    if isinstance(path, (Child, Descendants)):
        for shorter, step in _shorter_paths(path.right):
            yield type(path)(path.left, shorter), step
        yield path.left, path.right
        yield from _shorter_paths(path.left)


def _is_empty(value: Any, step: JSONPath) -> bool:
    """Return whether a value has no members that a step could find: filters may find none."""
    if isinstance(value, dict):
        return not value and str(step) == "*"
    return value == [] or (isinstance(value, list) and not isinstance(step, (Fields, Descendants)))


def _has_list(value: Any, *, empty: bool = False) -> bool:
    """Return whether there is a list, or an empty one, in nested objects, except about errors."""
    if isinstance(value, list):
        return not value or not empty or any(_has_list(one, empty=True) for one in value)
    return isinstance(value, dict) and any(
        _has_list(member, empty=empty) for name, member in value.items() if name not in ERROR_NAMES
    )


def response_check(endpoint: Mapping[str, Any]) -> Callable[[Response], str | None]:
    """Build the check of an endpoint's good responses, but those that `response_actions` name."""
    find_problem = list_selector_check(endpoint.get("data_selector"))

    def is_named(response: Response, action: Mapping[str, Any]) -> bool:
        status, content = action.get("status_code"), action.get("content")
        is_status = status is None or str(status) == str(response.status_code)
        return is_status and (content is None or content in response.text)

    actions = endpoint.get("response_actions") or ()

    def check(response: Response) -> str | None:
        if any(is_named(response, action) for action in actions):
            return None
        return find_problem(response.json())

    return check


def _names(selector: str, document: Any) -> list[str]:
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
