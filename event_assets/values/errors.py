"""The errors that the package raises, and who must act.

    EventAssetsError                        internal, unless a branch below says otherwise
    ├── UserError                           the message is one sentence: what is wrong, what to do
    │   ├── ConfigError                     the YAML, a setting or a secret
    │   │   └── PaginationError             the paginator does not fit the API's responses
    │   ├── WarehouseError                  the database
    │   │   ├── BusyError                   another sync holds it
    │   │   └── ConcurrentSchemaChangeError another sync changed the columns
    │   └── ApiError                        the API, not the user, is at fault
    │       ├── ContentError                a response holds no list of records
    │       └── TooManyRejectsError         its records break the contract
    ├── ExpiredJournalError                 an interrupted sync cannot be resumed
    ├── ExpiredPositionError                the API knows no changes since a position
    └── ResponseError                       one attempt at a request failed; ends as an ApiError
        ├── InvalidResponseError
        │   └── FinalResponseError          another request would bring it again
        ├── ResponseTimeoutError
        └── ResponseTooLargeError

The sandbox, which imports nothing of the rest, has its own `SandboxError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class EventAssetsError(Exception):
    """Base of all errors of this package."""


class UserError(EventAssetsError):
    """An error whose message, one sentence without secrets, is shown without a traceback."""


class ConfigError(UserError, ValueError):
    """The configuration cannot work."""


class PaginationError(ConfigError):
    """The paginator does not fit the API's responses."""


class WarehouseError(UserError):
    """The database cannot be used."""


class BusyError(WarehouseError):
    """Another sync holds the database."""


class ConcurrentSchemaChangeError(WarehouseError):
    """Another account's sync changed a table's columns since this sync read them."""


class ApiError(UserError):
    """The API could not be read."""


class ContentError(ApiError):
    """The API's responses to a request do not hold what they should.

    Attributes:
        response: the last one.
        problem: what its check said.
    """

    def __init__(self, message: str, response: Any, problem: str) -> None:
        super().__init__(message)
        self.response, self.problem = response, problem


class TooManyRejectsError(ApiError):
    """More records break the contract than `max_rejects` allows."""


class ExpiredJournalError(EventAssetsError):
    """The API rejects a request made from a recorded response, or the journal is damaged."""


class ExpiredPositionError(EventAssetsError):
    """The API no longer knows the changes since the position of a sync: all is to be read."""


class ResponseError(EventAssetsError):
    """One attempt at a request failed. The message completes `sent a response that ...`."""


class InvalidResponseError(ResponseError):
    """A response with status 200 does not hold what the API should send; `said`: its words."""

    def __init__(self, problem: str, said: str = "") -> None:
        super().__init__(problem)
        self.said = said


class FinalResponseError(InvalidResponseError):
    """The same for one that another request would bring again."""


class ResponseTimeoutError(ResponseError, TimeoutError):
    """A response takes longer than `timeouts.answer`. A TimeoutError, as urllib3 expects."""


class ResponseTooLargeError(ResponseError):
    """A response is larger than `max_answer_mb`."""


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that led to it, nearest first."""
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
