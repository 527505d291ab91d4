"""Find an API's own words about an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

MAX_LENGTH = 200  # characters
# Names of members that hold the words, or an object or a list with them; the best first.
NAMES = (
    *("error_description", "errors", "error", "message", "faultstring", "detail", "title"),
    *("fault", "description"),
)
MARKUP = re.compile(r"<[a-z!?/]", re.IGNORECASE)


def error_text(response: requests.Response) -> str:
    """Return what a response says about an error, as a sentence to append; empty if nothing.

    It is on one line, without secrets, and at most 200 characters long. Neither HTML nor broken
    JSON is shown.
    """
    try:
        found = find_words(response.json())
    except ValueError:
        broken = response.text.lstrip().startswith(("{", "["))  # JSON, perhaps with data
        found = "" if broken else response.text
    text = " ".join("".join(c if c.isprintable() else " " for c in found).split())
    if not text or MARKUP.search(text):
        return ""
    text = getattr(response, "redact", str)(text).replace('"', "'").rstrip(".")
    text = text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]} ..."
    return f' It says: "{text}".'


def find_words(document: Any, *, inside: bool = False) -> str:
    """Return the words about an error in a JSON document; empty if there are none.

    Inside of an error, objects may have the names of fields: `{"errors": {"from": ["too early"]}}`.
    """
    if isinstance(document, str):
        return document
    if isinstance(document, list):
        return "; ".join(filter(None, (find_words(one, inside=True) for one in document[:3])))
    if not isinstance(document, Mapping):
        return ""
    for name in NAMES:
        if words := find_words(document.get(name), inside=True):
            return words
    members = document.items() if inside else ()
    texts = {name: value for name, value in members if isinstance(value, (str, list))}
    return "; ".join(f"{name}: {find_words(value)}" for name, value in list(texts.items())[:3])
