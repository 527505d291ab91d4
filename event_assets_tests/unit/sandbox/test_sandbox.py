"""The sandbox serves pages of events to clients with the key."""

import dataclasses
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

from event_assets.sandbox import Event, SandboxError
from event_assets_tests.support.project import ROOT
from event_assets_tests.support.sandbox import Sandbox
from event_assets_tests.support.sandbox_client import get_page, page_ids, refuses_connections


def records(count: int) -> list[Event]:
    return [{"id": f"e{number}", "name": f"Ünïcode 東京 {number}"} for number in range(count)]


def test_a_page_has_the_records_from_offset_to_limit_and_the_total() -> None:
    with Sandbox(records(10)) as api:
        response = get_page(api.url, offset=3, limit=4)
        assert get_page(api.url, offset=10).json() == {"data": [], "total": 10}
    assert response.json() == {"data": records(10)[3:7], "total": 10}
    assert response.headers["Content-Type"] == "application/json"


def test_a_wrong_or_missing_key_is_unauthorized() -> None:
    with Sandbox(5, key="right") as api:
        wrong = get_page(api.url, api_key="wrong")
        missing = requests.get(f"{api.url}/v1/events", timeout=30)
        assert get_page(api.url, api_key="right").status_code == 200
    assert wrong.status_code == missing.status_code == 401
    assert list(wrong.json()) == ["error"]


@pytest.mark.parametrize("query", [{"offset": "-1"}, {"offset": "²"}, {"limit": "0"}])
def test_an_invalid_offset_or_limit_is_a_bad_request(query: dict[str, str]) -> None:
    with Sandbox(5) as api:
        response = get_page(api.url, **query)
    assert response.status_code == 400
    assert next(iter(query)) in response.json()["error"]


def test_requests_are_recorded_without_the_key() -> None:
    before = time.monotonic()
    with Sandbox(5, key="s3cret") as api:
        get_page(api.url, api_key="s3cret", offset=2, limit=3)
        get_page(api.url, api_key="other")
        requests.get(f"{api.url}/nowhere", timeout=30)
    first, second, third = api.requests
    assert before <= first.at <= time.monotonic()
    assert dataclasses.astuple(dataclasses.replace(first, at=0)) == (
        "GET",
        "/v1/events",
        2,
        3,
        200,
        0,
        True,
    )
    assert (second.status, second.authorized, second.offset) == (401, False, None)
    assert (third.path, third.status) == ("/nowhere", 404)
    assert "s3cret" not in repr(api.requests)


def test_events_can_be_replaced_while_it_serves() -> None:
    with Sandbox(records(3)) as api:
        api.replace(records(5)[1:])
        assert page_ids(get_page(api.url)) == ["e1", "e2", "e3", "e4"]
        assert api.present_throughout() == {"e1", "e2"}


def test_it_listens_on_the_loopback_address_only() -> None:
    with Sandbox(1) as api:
        assert refuses_connections(api.url.replace("127.0.0.1", "127.0.0.2"))
        assert not refuses_connections(api.url)


def test_a_port_in_use_is_an_error() -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port or 0
        with pytest.raises(SandboxError, match=f"Port {port} .* is in use"), Sandbox(1, port=port):
            pass


def test_its_block_leaves_no_thread_or_connection_and_can_be_entered_again() -> None:
    threads = threading.active_count()
    api = Sandbox(1)
    for _ in range(2):
        with requests.Session() as client:
            with api:
                url = api.url
                client.get(url, timeout=30)  # keeps its connection open
            assert refuses_connections(url)
        assert threading.active_count() == threads


def test_it_prints_nothing_and_its_import_loads_no_web_server() -> None:
    script = """
import sys, requests
from event_assets.sandbox import Faults, Sandbox
assert not {'uvicorn', 'starlette'} & set(sys.modules)
for faults in (Faults(), Faults(fail_every=1), Faults(latency=3600)):
    with requests.Session() as client, Sandbox(3, faults=faults) as api:
        try:
            client.get(api.url + "/v1/events?api_key=sandbox", timeout=0.2)
        except requests.RequestException:
            pass
"""
    command = [sys.executable, "-W", "error", "-c", script]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert (run.stdout, run.stderr) == ("", "")
