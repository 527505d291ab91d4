"""Check that an answer holds a list where the records should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

PLAIN_SELECTOR = re.compile(r"[\w-]+(\.[\w-]+)*")


def list_selector_check(selector: Any) -> Callable[[Any], str | None] | None:
    """Make the check that an answer has a list where the records should be.

    Only for selectors that are plain names; others may find nothing, or many things, by design.
    """
    if not isinstance(selector, str) or not PLAIN_SELECTOR.fullmatch(selector):
        return None
    names = selector.split(".")

    def problem(document: Any) -> str | None:
        for name in names:
            if not isinstance(document, dict) or name not in document:
                return f"has no `{selector}`"
            document = document[name]
        if isinstance(document, list):
            return None
        kind = "null" if document is None else "no list"
        return f"has {kind} under `{selector}`"

    return problem
