"""The tree of errors, and the walk through what led to one."""

import re

from event_assets.values import errors
from event_assets.values.errors import EventAssetsError, exception_chain


def test_the_docstring_draws_the_tree_of_errors() -> None:
    drawn = re.findall(r"^    ([│├└─ ]*)(\w+Error)", errors.__doc__ or "", re.M)
    assert [(len(indent) // 4, name) for indent, name in drawn] == [
        (depth, error.__name__) for depth, error in _tree(EventAssetsError)
    ]


def _tree(
    error: type[EventAssetsError], depth: int = 0
) -> list[tuple[int, type[EventAssetsError]]]:
    own = [cls for cls in error.__subclasses__() if cls.__module__ == errors.__name__]
    return [(depth, error), *(row for cls in own for row in _tree(cls, depth + 1))]


def test_a_chain_holds_causes_contexts_reasons_and_arguments_once() -> None:
    cause, context, argument = KeyError("cause"), ValueError("context"), OSError("argument")
    error = RuntimeError("failed", argument)
    error.__cause__, error.__context__ = cause, context
    context.__context__ = error
    assert next(exception_chain(error)) is error
    assert set(exception_chain(error)) == {error, cause, context, argument}
    assert len(list(exception_chain(error))) == 4
