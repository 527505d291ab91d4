"""Check that a response contains a list of records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

PLAIN_SELECTOR = re.compile(r"[\w-]+(\.[\w-]+)*")


def list_selector_check(selector: Any) -> Callable[[Any], str | None] | None:
    """Build a check that a document has a list at a data selector.

    Returns:
        A function that returns the problem with a document, or None; None for a selector that is
        not a plain path: such a selector may match nothing, or several values.
    """
    if not isinstance(selector, str) or not PLAIN_SELECTOR.fullmatch(selector):
        return None
    names = selector.split(".")

    def find_problem(document: Any) -> str | None:
        for name in names:
            if not isinstance(document, dict) or name not in document:
                return f"has no `{selector}`"
            document = document[name]
        if isinstance(document, list):
            return None
        kind = "null" if document is None else "no list"
        return f"has {kind} under `{selector}`"

    return find_problem
