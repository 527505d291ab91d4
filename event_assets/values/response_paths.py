"""Look up what a configuration names in a response: the name of a member, or a JSON path."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

from dlt.common import jsonpath
from jsonpath_ng import Child, Fields, JSONPath
from jsonpath_ng.exceptions import JSONPathError


class MemberOrPath(JSONPath):
    """The name of a member, names with dots between them, or a JSON path: the first that is there.

    So names may have signs that mean something in JSON paths: `@odata.count`, `hydra:view`.
    """

    def __init__(self, text: str, path: JSONPath) -> None:
        self.text = text
        self._paths: list[JSONPath] = [path]
        if "*" not in text:
            names: list[JSONPath] = [Fields(name) for name in text.split(".")]
            self._paths = [Fields(text), reduce(Child, names), path]

    def find(self, datum: Any) -> Any:
        """Return the values at the path, as jsonpath_ng does."""
        return next((found for path in self._paths if (found := path.find(datum))), [])

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def compile_path(path: str | None) -> JSONPath | None:
    """Compile a path, which is looked up as a plain member name first; parsing takes a millisecond.

    Raises:
        JSONPathError: It is neither a JSON path nor looks like the name of a member.
    """
    if not path:
        return None
    try:
        return MemberOrPath(path, jsonpath.compile_path(path))
    except JSONPathError:
        if not re.fullmatch(r"[\w@$:#. -]+", path):
            raise
        return MemberOrPath(path, Fields(path))


def find_value(body: Any, path: JSONPath) -> Any:
    """Return the first value at a JSON path; None if there is none."""
    return next(iter(jsonpath.find_values(path, body)), None)
