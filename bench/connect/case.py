"""An API to connect: what a person knows of it, and what is true of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Event:
    """What is true of an event; `...` is not known, and not compared."""

    name: Any = ...
    start: Any = ...
    end: Any = ...


@dataclass(frozen=True)
class Given:
    """What a person gives: an address or a curl command, keys, and what the documentation says."""

    url: str
    keys: Sequence[str] = ()
    curl: str | None = None
    settings: Settings = field(default_factory=dict)


def as_documented(given: Given, auth: Settings | None) -> Given | None:
    """Return an address or a curl command with the key in its place; None where there is none."""
    if auth is None or auth["type"] == "oauth2_client_credentials":
        return None
    if auth.get("location") == "query":
        separator = "&" if "?" in given.url else "?"
        return replace(
            given, url=f"{given.url}{separator}{auth['name']}={auth['api_key']}", keys=()
        )
    option = {
        "api_key": lambda: ["-H", f"{auth['name']}: {auth['api_key']}"],
        "bearer": lambda: ["-H", f"Authorization: Bearer {auth['token']}"],
        "http_basic": lambda: ["-u", f"{auth['username']}:{auth['password']}"],
    }[auth["type"]]()
    command = given.curl or shlex.join(["curl", given.url])
    return replace(given, curl=f"{command} {shlex.join(option)}", keys=())


@dataclass(frozen=True)
class Served:
    """An API while it is served.

    Attributes:
        truth: the events that it has, by id, at the end of a sync.
        requests: how many it answered so far.
        endpoint, auth: dlt's configuration of the list and of the right auth.
        documented: what a person gives who copies the key's place from the documentation, too.
        hints: settings of which a person may say one, if it does not work at once.
        like: an example whose sync says the names and times.
        is_exact: whether other events than the true ones are wrong.
    """

    given: Given
    truth: Callable[[], Mapping[str, Event]]
    requests: Callable[[], int]
    endpoint: Settings = field(default_factory=dict)
    auth: Settings | None = None
    documented: Given | None = None
    hints: Sequence[Settings] = ()
    like: str | None = None
    is_exact: bool = True


@dataclass(frozen=True)
class Case:
    """One API to connect."""

    group: str
    name: str
    serve: Callable[[], AbstractContextManager[Served]]
