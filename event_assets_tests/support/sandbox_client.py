"""Requests to a sandbox, as a client sends them."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import requests

from event_assets.sandbox import KEY


def get_page(url: str, **query: object) -> requests.Response:
    """Request a page of events with the default key."""
    parameters = {"api_key": KEY, **{name: str(value) for name, value in query.items()}}
    return requests.get(f"{url}/v1/events", params=parameters, timeout=30)


def page_ids(response: requests.Response) -> list[str]:
    """Return the ids of the events on a page."""
    return [event["id"] for event in response.json()["data"]]


def refuses_connections(url: str) -> bool:
    """Return whether nothing listens at the URL."""
    address = urlsplit(url)
    try:
        socket.create_connection((str(address.hostname), int(address.port or 0)), 5).close()
    except OSError:
        return True
    return False
