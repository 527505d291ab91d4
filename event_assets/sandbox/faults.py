"""What the sandbox can be told to do wrong."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

TotalKind: TypeAlias = Literal["rows", "none", "page", "nested"]
Total: TypeAlias = TotalKind | int
RetryAfter: TypeAlias = float | str | None

_TOTALS: tuple[TotalKind, ...] = ("rows", "none", "page", "nested")


def parse_total(text: str) -> Total:
    """Read a `Faults.total` from a command line; raises ValueError if it is none."""
    for total in _TOTALS:
        if total == text:
            return total
    return int(text)


def parse_retry_after(text: str) -> RetryAfter:
    """Read a `Faults.retry_after` from a command line: seconds if it is a number."""
    try:
        return float(text)
    except ValueError:
        return text


@dataclass
class Faults:
    """What a sandbox does wrong; all off by default, each may be set while it serves.

    Every Nth means the requests N, 2N, ... to `/v1/events`, counted from the last change of any
    fault (so `fail_first = 2` always means the next two); 0 is never. Rows are counted in the
    order in which they first came into the list. The notes are the help of the command line.
    """

    latency: Annotated[float, "seconds every answer waits"] = 0.0
    fail_every: Annotated[int, "every Nth request fails"] = 0
    fail_first: Annotated[int, "the first N requests fail"] = 0
    fail_status: Annotated[int, "status of a failure"] = 503
    retry_after: Annotated[
        RetryAfter, "Retry-After of failures and 429s: seconds or an HTTP date", parse_retry_after
    ] = None
    rate_limit: Annotated[float, "requests a second beyond which the status is 429"] = 0.0
    page_cap: Annotated[int, "rows a page has at most, whatever the limit"] = 0
    total: Annotated[
        Total,
        "how the total is told: rows (as it is), none (absent), page (the rows of the page), "
        "nested (in pagination.total), or a number to add to it",
        parse_total,
    ] = "rows"
    delete_every: Annotated[int, "every Nth request deletes a row, one paged over if any"] = 0
    insert_every: Annotated[int, "every Nth request inserts a row before one paged over"] = 0
    null_id_every: Annotated[int, "every Nth row has a null id"] = 0
    missing_id_every: Annotated[int, "every Nth row has no id"] = 0
    bad_start_every: Annotated[int, "every Nth row has the start_time 'soon'"] = 0
    broken_json_every: Annotated[int, "every Nth answer is half a JSON text, status 200"] = 0
    html_every: Annotated[int, "every Nth answer is an HTML page, status 200"] = 0
    null_data_every: Annotated[int, "every Nth answer has null as its data"] = 0
    missing_data_every: Annotated[int, "every Nth answer has no data"] = 0
    reset_every: Annotated[int, "every Nth answer breaks off in the middle of its body"] = 0
    ignore_offset: Annotated[bool, "every page is the first one"] = False
    empty_page_at: Annotated[
        int | None, "offset whose page is empty, once, though more follow", int
    ] = None
    ignore_key: Annotated[bool, "any key is right, and none"] = False
    echo_key: Annotated[bool, "answers show the key, as api_key and in X-Api-Key"] = False


def due(every: int, number: int) -> bool:
    """Tell whether the `number`th (from 1) of something is one of every `every` (0: never)."""
    return every > 0 and number % every == 0
