"""The sandbox as a child process, and its command line."""

import dataclasses
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from event_assets.sandbox import Faults, Sandbox, SandboxError, run_sandbox
from event_assets.sandbox.command import sandbox
from event_assets.sandbox.faults import format_faults, parse_faults
from event_assets_tests.support.project import ROOT
from event_assets_tests.support.sandbox_client import get_page, refuses_connections


def test_a_child_process_serves_with_faults_until_the_end_of_its_block() -> None:
    with run_sandbox(5, frozen=True, faults=Faults(total="none", ignore_key=True)) as url:
        page = get_page(url, api_key="any").json()
    assert (list(page), len(page["data"])) == (["data"], 5)
    assert refuses_connections(url)


def test_a_child_process_inherits_no_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uvicorn.py").write_text("raise SystemExit('the wrong uvicorn')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with run_sandbox(5) as url:
        assert get_page(url).status_code == 200


def test_a_child_process_that_does_not_start_explains_why() -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port or 0
        with (
            pytest.raises(SandboxError, match=f"did not start: Port {port} .* is in use"),
            run_sandbox(1, port=port),
        ):
            pass
    with (
        pytest.raises(SandboxError, match=r"not respond within 0\.001 s"),
        run_sandbox(timeout=0.001),
    ):
        pass


def test_a_child_process_ends_when_its_parent_is_killed() -> None:
    script = """
from event_assets.sandbox import run_sandbox
with run_sandbox(1, frozen=True) as url:
    print(url, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert get_page(url).ok
        parent.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 15
        while not refuses_connections(url):
            assert time.monotonic() < deadline, "the child still serves"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_a_curl_command_and_exits_cleanly(number: signal.Signals) -> None:
    options = ["--events=7", "--frozen", "--key=a b&c", "--with-parent"]
    with subprocess.Popen(
        [sys.executable, "-m", "event_assets.sandbox", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # stays open, so that the signal ends the process
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        words = shlex.split(server.stdout.readline())
        response = requests.get(words[words.index("curl") + 1], timeout=30)
        server.send_signal(number)
        server.wait(timeout=30)
        output, errors = server.communicate()
    assert response.json()["total"] == 7
    assert (server.returncode, output, errors) == (0, "", "")


@contextmanager
def restored_signal_handlers() -> Generator[None, None, None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "flag",
    [
        "--port=70000",
        "--events=-1",
        *(
            f"--fault={fault}"
            for fault in (
                "total=many",
                "page_cap",
                "page_cap=-5",
                "page_cap=1.5",
                "page_cap=true",
                "latency=-1",
                "latency=NaN",
                "latency=Infinity",
                "fail_status=99",
                "fail_status=200",
                "ignore_key=1",
                "x=1",
            )
        ),
    ],
)
def test_an_invalid_option_is_a_usage_error(flag: str) -> None:
    with restored_signal_handlers(), pytest.raises(SystemExit) as exit_:
        sandbox([flag])
    assert exit_.value.code == 2


def test_each_fault_can_be_given_and_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with restored_signal_handlers(), pytest.raises(SystemExit):
        sandbox(["--help"])
    usage = capsys.readouterr().out
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    values: dict[str, Any] = {"total": -3, "retry_after": date, "fail_status": 500}
    assert list(format_faults(Faults())) == []
    for fault in dataclasses.fields(Faults):
        default = True if isinstance(fault.default, bool) else 7
        faults = Faults(**{fault.name: values.get(fault.name, default)})
        (option,) = format_faults(faults)
        given = sandbox.make_context("sandbox", [f"--fault={option}"]).params["faults"]
        assert given == faults
        assert f"  {fault.name} " in usage
    assert parse_faults(["total=none", "latency=0.5"]) == Faults(total="none", latency=0.5)
