"""The faults that a sandbox can inject."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, cast, get_args

TotalKind: TypeAlias = Literal["rows", "none", "page", "nested"]
Total: TypeAlias = TotalKind | int
RetryAfter: TypeAlias = float | str | None


def parse_total(text: str) -> Total:
    """Parse a `Faults.total` from the command line; raises ValueError when invalid."""
    return cast("TotalKind", text) if text in get_args(TotalKind) else int(text)


def parse_retry_after(text: str) -> RetryAfter:
    """Parse a `Faults.retry_after` from the command line: a number is seconds."""
    try:
        return float(text)
    except ValueError:
        return text


@dataclass
class Faults:
    """Faults of a sandbox, all off by default; they can be changed while it serves.

    "Every Nth" counts requests to `/v1/events` since the last change of any fault (so
    `fail_first = 2` always means the next two); 0 means never. Rows are counted in the order in
    which they were added to the list. The annotations are the help texts of the command line.
    """

    latency: Annotated[float, "seconds before each response"] = 0.0
    fail_every: Annotated[int, "fail every Nth request"] = 0
    fail_first: Annotated[int, "fail the first N requests"] = 0
    fail_status: Annotated[int, "status of failures"] = 503
    retry_after: Annotated[
        RetryAfter, "Retry-After of failures and 429s: seconds or an HTTP date", parse_retry_after
    ] = None
    rate_limit: Annotated[float, "respond 429 above this many requests per second"] = 0.0
    page_cap: Annotated[int, "maximum rows per page, whatever the limit"] = 0
    total: Annotated[
        Total,
        "reported total: rows (correct), none (absent), page (rows of the page), "
        "nested (as pagination.total), or a number to add to it",
        parse_total,
    ] = "rows"
    delete_every: Annotated[int, "delete a row before the offset at every Nth request"] = 0
    insert_every: Annotated[int, "insert a row before the offset at every Nth request"] = 0
    null_id_every: Annotated[int, "null id in every Nth row"] = 0
    missing_id_every: Annotated[int, "no id in every Nth row"] = 0
    bad_start_every: Annotated[int, "start_time 'soon' in every Nth row"] = 0
    broken_json_every: Annotated[int, "truncated JSON with status 200 in every Nth response"] = 0
    html_every: Annotated[int, "HTML with status 200 in every Nth response"] = 0
    null_data_every: Annotated[int, "null as data in every Nth response"] = 0
    missing_data_every: Annotated[int, "no data in every Nth response"] = 0
    reset_every: Annotated[int, "close the connection in the middle of every Nth response"] = 0
    ignore_offset: Annotated[bool, "always return the first page"] = False
    empty_page_at: Annotated[
        int | None, "offset of a page that is empty once, though more rows follow", int
    ] = None
    ignore_key: Annotated[bool, "accept any key, and none"] = False
    echo_key: Annotated[bool, "return the key as api_key and in X-Api-Key"] = False


def is_due(every: int, number: int) -> bool:
    """Return whether `number`, counted from 1, is a multiple of `every` (0: never)."""
    return every > 0 and number % every == 0
