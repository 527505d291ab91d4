"""The errors that a user can do something about."""

from __future__ import annotations

from collections.abc import Iterator


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that led to it, nearest first."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        cause = todo.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        todo += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


class ConfigError(ValueError):
    """The configuration cannot work. The message says where and what to do."""


class WarehouseError(Exception):
    """The database cannot be used. The message says which, why and what to do."""


class BusyError(Exception):
    """Another sync has the database."""
