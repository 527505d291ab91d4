"""Servers shaped like platforms, in a folder outside the repository, as cases.

A server is `NAME/server.py PORT`. It tells its events at `/__expected` and its requests at
`/__log`, and `NAME/defs.yaml` is a configuration that reads them all.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from bench.connect.case import Event, Given, Served, Settings, as_documented

WAIT_SECONDS = 10.0
SECRETS = {
    "api_key": ["api_key"],
    "bearer": ["token"],
    "oauth2_client_credentials": ["client_id", "client_secret"],
}


@dataclass(frozen=True)
class Known:
    """What a person knows of a platform: the path that is copied, keys, settings."""

    url: str
    keys: Sequence[str] = ()
    headers: Sequence[str] = ()
    settings: Settings = field(default_factory=dict)


CONFIGURATIONS = ("defs.yaml", "defs_params.yaml")
ZOOM_USER = "u001_KdYKjnimT4K"
PLATFORMS: Mapping[str, Known] = {
    "google_calendar": Known(
        "/calendar/v3/calendars/team@group.calendar.google.com/events", ["gkey-0123456789"]
    ),
    "hubspot": Known("/marketing/v3/marketing-events/", ["hubtoken-1234"]),
    "localist": Known("/api/2/events?start=2026-11-01&days=370"),
    "meetup": Known("/gql-ext", ["meetuptoken-1"]),
    "msgraph": Known(
        "/v1.0/users/events@contoso.com/calendarView"
        "?startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z",
        ["cid", "csecret-123456"],
        settings={
            "auth.access_token_url": "{root}/tenant-1/oauth2/v2.0/token",
            "auth.access_token_request_data": {"scope": "https://graph.microsoft.com/.default"},
        },
    ),
    "natives": Known("/api/v10/guilds/1/scheduled-events", ["Bot discordtoken-1"]),
    "tribe": Known("/wp-json/tribe/events/v1/events?start_date=2000-01-01&end_date=2100-01-01"),
    "wix": Known("/events/v3/events/query", ["IST.wixkey-123456"], ["wix-site-id: 123456"]),
    "zoom": Known(
        f"/v2/users/{ZOOM_USER}/meetings?type=scheduled",
        ["zid", "zsecret-1234567"],
        settings={
            "auth.access_token_url": "{root}/oauth/token",
            "auth.access_token_request_data": {
                "grant_type": "account_credentials",
                "account_id": "acc1",
            },
        },
    ),
}


@contextmanager
def serve_platform(folder: Path, name: str) -> Iterator[Served]:
    """Serve one platform of the folder."""
    known, root = PLATFORMS[name], f"http://127.0.0.1:{_free_port()}"
    file = next(folder / name / each for each in CONFIGURATIONS if (folder / name / each).exists())
    client, endpoint = _configuration(file, root)
    server = subprocess.Popen(
        [sys.executable, str(folder / name / "server.py"), root.rpartition(":")[2]]
    )
    try:
        _wait_for(f"{root}/__log")
        auth = None
        if client.get("auth"):
            names = SECRETS[client["auth"]["type"]]
            auth = {**client["auth"], **dict(zip(names, known.keys, strict=True))}
        ids = _ids_of_a_user(root) if name == "zoom" else None
        settings = {name: _filled(value, root) for name, value in known.settings.items()}
        given = Given(root + known.url, known.keys, _curl(root, known, endpoint), settings)
        yield Served(
            given,
            lambda: _truth(root, ids),
            lambda: len(_get(f"{root}/__log")),
            {**_body(endpoint), "path": root + known.url},
            auth,
            as_documented(given, auth),
            [{"paginator": endpoint["paginator"]}, {"params": endpoint.get("params", {})}],
        )
    finally:
        server.kill()  # it may have inherited that SIGTERM is ignored
        server.wait()


def _configuration(file: Path, root: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the client and the endpoint of a configuration that is known to work."""
    rest_api = yaml.safe_load(file.read_text())["attributes"]["rest_api"]
    endpoint = rest_api["resources"][-1]["endpoint"]
    return _filled(rest_api["client"], root), endpoint


def _body(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return the method and the body of an endpoint's requests."""
    return {name: endpoint[name] for name in ("method", "json") if name in endpoint}


def _filled(value: Any, root: str) -> Any:
    """Return a value with the address of the server in place of a variable."""
    if isinstance(value, dict):
        return {name: _filled(member, root) for name, member in value.items()}
    return re.sub(r"\{root\}|\{\{ env\.\w+ \}\}", root, value) if isinstance(value, str) else value


def _curl(root: str, known: Known, endpoint: Mapping[str, Any]) -> str | None:
    """Return the command in a platform's documentation, where requests have a body."""
    if endpoint.get("method") != "POST":
        return None
    words = ["curl", "-X", "POST", root + known.url, "-H", "Content-Type: application/json"]
    for header in known.headers:
        words += ["-H", header]
    return shlex.join([*words, "-d", json.dumps(endpoint["json"])])


def _truth(root: str, ids: set[str] | None) -> dict[str, Event]:
    found = {
        id_: Event(each["name"], _moment(each["start"]), _moment(each["end"]) or ...)
        for id_, each in _get(f"{root}/__expected").items()
        if not each.get("deleted")
    }
    return {id_: event for id_, event in found.items() if ids is None or id_ in ids}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC) if text else None


def _ids_of_a_user(root: str) -> set[str]:
    """Return the ids of the meetings of the user whose list is connected."""
    form = PLATFORMS["zoom"].settings["auth.access_token_request_data"]
    client = (PLATFORMS["zoom"].keys[0], PLATFORMS["zoom"].keys[1])
    token = requests.post(f"{root}/oauth/token", data=form, auth=client).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    path = urlsplit(PLATFORMS["zoom"].url).path
    found = requests.get(root + path, params={"page_size": 300}, headers=headers).json()
    return {str(meeting["id"]) for meeting in found["meetings"]}


def _get(url: str) -> Any:
    return requests.get(url, timeout=WAIT_SECONDS).json()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            _get(url)
        except requests.ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
