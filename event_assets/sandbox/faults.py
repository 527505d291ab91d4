"""The faults that a sandbox can inject."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_type_hints

MAX = 10**9  # of any number that a fault takes
NUMBERS = {int: "a whole number, 0 or more", float: "a number, 0 or more"}
TotalKind: TypeAlias = Literal["rows", "none", "page", "nested"]
Total: TypeAlias = TotalKind | int
RetryAfter: TypeAlias = float | str | None


@dataclass
class Faults:
    """Faults of a sandbox, all off by default; they can be changed while it serves.

    "Every Nth" counts requests to `/v1/events` since the last change of any fault (so
    `fail_first = 2` always means the next two); 0 means never. The annotations are the help texts
    of the command line.
    """

    latency: Annotated[float, "seconds before each response"] = 0.0
    fail_every: Annotated[int, "fail every Nth request"] = 0
    fail_first: Annotated[int, "fail the first N requests"] = 0
    fail_status: Annotated[int, "status of failures (400 to 599)", range(400, 600)] = 503
    retry_after: Annotated[
        RetryAfter, "Retry-After of failures and 429s: seconds or an HTTP date"
    ] = None
    rate_limit: Annotated[float, "respond 429 above this many requests per second"] = 0.0
    page_cap: Annotated[int, "maximum rows per page, whatever the limit"] = 0
    total: Annotated[
        Total,
        "rows (right), none, page, nested (pagination.total), or a number to add",
        range(-MAX, MAX),
    ] = "rows"
    delete_every: Annotated[int, "delete a row before the offset at every Nth request"] = 0
    insert_every: Annotated[int, "insert a row before the offset at every Nth request"] = 0


def is_due(every: int, number: int) -> bool:
    """Return whether `number`, counted from 1, is a multiple of `every` (0: never)."""
    return every > 0 and number % every == 0


def parse_faults(options: Iterable[str]) -> Faults:
    """Parse options such as `page_cap=50` or `total=none`.

    Raises:
        ValueError: there is no such fault, or it cannot have this value.
    """
    return Faults(**dict(map(_parse_fault, options)))


def fault_notes() -> dict[str, str]:
    """Return what each fault does, by its name."""
    hints = get_type_hints(Faults, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items()}


def _parse_fault(option: str) -> tuple[str, Any]:
    name, has_value, text = option.partition("=")
    hints = get_type_hints(Faults, include_extras=True)
    if name not in hints:
        raise ValueError(f"there is no fault `{name}`")
    if not has_value:
        raise ValueError(f"`{name}` needs a value: {name}=VALUE")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    kind, note, *limits = get_args(hints[name])
    if not _is_accepted(value, get_args(kind) or (kind,), *limits):
        raise ValueError(f"`{name}` is {NUMBERS.get(kind, note)}, not `{text}`")
    return name, value


def _is_accepted(value: Any, kinds: Sequence[Any], limits: range = range(MAX)) -> bool:
    """Return whether a value is of one of the types, and a number between the limits."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        is_number = type(value) in kinds or float in kinds
        return is_number and limits.start <= value < limits.stop
    words = [word for kind in kinds for word in get_args(kind)]
    return type(value) in kinds or value in words
