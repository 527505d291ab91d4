"""Where in an answer the records are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.detector import find_response_page_data

from event_assets.extract.records_selector import list_selector_check
from event_assets.probe.suggestions import path_to, record_lists
from event_assets.records.contract import FieldReader


@dataclass(frozen=True)
class Selected:
    """Where the records are.

    Attributes:
        configured: the `data_selector` that there is, or None.
        used: what finds records; or an empty list, if that is all there is.
        problem: what is wrong with the answer there; empty when nothing is.
        better: finds records instead, where there is a problem; None: nothing does.
    """

    configured: str | None
    used: str
    problem: str = ""
    better: str | None = None


def select(document: Any, configured: str | None, contract: Mapping[str, FieldReader]) -> Selected:
    """Find the records in an answer: where it is said, or where they seem to be instead."""
    used = configured if configured is not None else _guessed(document)
    check = list_selector_check(configured)
    problem = check(document) if check else None
    if problem is None:
        rows = rows_at(document, used)
        if rows if configured else any(isinstance(row, dict) for row in rows):
            return Selected(configured, used)
        if check and configured:
            return Selected(configured, used)  # an empty list
    problem = problem or f"has no records under `{used}`"
    places = (place for place, _ in record_lists(document, contract))
    better = next((path for place in places if (path := path_to(document, place))), None)
    return Selected(configured, better or used, problem, better)


def _guessed(document: Any) -> str:
    """Say where dlt takes the records from when nobody says it."""
    names, _ = find_response_page_data(document)
    return path_to(document, names) or "$" if names != ("$",) else "$"


def rows_at(document: Any, selector: str) -> list[Any]:
    """Give the records in an answer, as dlt's client does."""
    found = jsonpath.find_values(jsonpath.compile_path(selector), document)
    rows = found[0] if len(found) == 1 else found
    if isinstance(rows, list):
        return rows
    return [] if rows is None else [rows]
