"""The command line of the sandbox."""

import dataclasses
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from event_assets.sandbox import Faults, Sandbox
from event_assets.sandbox.command import sandbox
from event_assets.sandbox.faults import parse_faults
from event_assets_tests.support.project import ROOT


def test_a_port_in_use_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(1) as api:
        port = urlsplit(api.url).port
        with restored_signal_handlers(), pytest.raises(SystemExit) as exit_:
            sandbox([f"--port={port}"])
    assert exit_.value.code == 1
    assert capsys.readouterr().err == f"Port {port} of 127.0.0.1 is in use; choose another.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_a_curl_command_and_exits_cleanly(number: signal.Signals) -> None:
    options = ["--events=7", "--frozen", "--key=a b&c"]
    with subprocess.Popen(
        [sys.executable, "-m", "event_assets.sandbox", *options],
        cwd=ROOT,
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
    for fault in dataclasses.fields(Faults):
        value = values.get(fault.name, 7)
        option = f"--fault={fault.name}={json.dumps(value)}"
        given = sandbox.make_context("sandbox", [option]).params["faults"]
        assert given == Faults(**{fault.name: value})
        assert f"  {fault.name} " in usage
    assert parse_faults(["total=none", "latency=0.5"]) == Faults(total="none", latency=0.5)
