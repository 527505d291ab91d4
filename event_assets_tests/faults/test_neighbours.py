"""Who gets at the webserver: this machine alone, with read-only or a password where it is asked."""

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from event_assets.definitions import defs
from event_assets_tests.faults.raw import self_signed
from event_assets_tests.support.dagster_dev import LAUNCH
from event_assets_tests.support.docs import page
from event_assets_tests.support.polling import free_port, until
from event_assets_tests.support.project import ROOT

PAGE = page("docs/operations.md")
READ_ONLY = next(command for command in PAGE.blocks() if "--read-only" in command)
(NGINX,) = PAGE.blocks("nginx")
PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
PASSWORD = "op:en ses/ame"
LISTENS = "0A"  # in /proc/net/tcp
MESSAGES = """subscription { pipelineRunLogs(runId: "%s") { __typename
  ... on PipelineRunLogsSubscriptionSuccess { messages { __typename } } } }"""


@contextmanager
def running(command: str, folder: Path) -> Iterator[int]:
    """Run a command line in a folder until the end of the block; gives its process' id."""
    process = subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        with suppress(ProcessLookupError):  # what it started
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listening(port: int) -> list[str]:
    """Return the addresses of the listeners on a port, as the system writes them."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    ends = [local.split(":") for _, local, _, state, *_ in lines if state == LISTENS]
    return [address for address, at in ends if int(at, 16) == port]


def test_make_dev_listens_on_this_machine_only(here: Path) -> None:
    shutil.copy(ROOT / "Makefile", here)
    assert "\nPORT ?= 3000\n" in (here / "Makefile").read_text()
    port = free_port()
    with running(f"make --old-file=.venv/.ready dev PORT={port}", here):
        found = until(lambda: listening(port))
    assert found == ["0100007F"]  # 127.0.0.1


def to_look_only(port: int) -> str:
    """Return the command of the page, with a free port."""
    assert "--port 3001" in READ_ONLY
    return f"env {READ_ONLY.replace('3001', str(port)).strip()}"


def ask(url: str, query: str, **settings: Any) -> Any:
    answer = requests.post(f"{url}/graphql", json={"query": query}, timeout=60, **settings)
    answer.raise_for_status()
    return answer.json()["data"]


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/server_info", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_a_read_only_webserver_shows_runs_and_starts_and_deletes_none(here: Path) -> None:
    run_id = cleaned(here)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(to_look_only(port), here):
        until(lambda: answers(url))
        refused = [
            ask(url, LAUNCH % "housekeeping")["launchRun"],
            ask(url, f'mutation {{ deleteRun(runId: "{run_id}") {{ __typename }} }}')["deleteRun"],
        ]
        (shown,) = ask(url, "{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"][
            "results"
        ]
    assert {answer["__typename"] for answer in refused} == {"UnauthorizedError"}
    assert shown == {"runId": run_id}


def cleaned(home: Path) -> str:
    """Run the shortest job there is, and give the run's id."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        job = defs().resolve_job_def("housekeeping")
        return job.execute_in_process(instance=instance).run_id


@contextmanager
def nginx(folder: Path, webserver: int, **users: str) -> Iterator[str]:
    """Run nginx with the page's configuration before a webserver's port; gives its address."""
    port = free_port()
    folder.mkdir()
    self_signed(folder)
    lines = [f"{name}:{hashed(password)}\n" for name, password in users.items()]
    (folder / "users").write_text("".join(lines))
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/private/dagster.pem": f"{folder}/server.pem",
        "/etc/nginx/dagster.users": f"{folder}/users",
        "127.0.0.1:3001": f"127.0.0.1:{webserver}",
    }
    server = NGINX
    for there, here in changes.items():
        assert there in server
        server = server.replace(there, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\npid {folder}/pid;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}\n{server}\n}}\n"
    )
    with running(f"{PROGRAM} -e {folder}/errors -p {folder} -c {folder}/nginx.conf", folder):
        until(lambda: listening(port))
        yield f"https://127.0.0.1:{port}"


def hashed(password: str) -> str:
    command = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(command, input=password, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def subscribed(url: str, run_id: str, user: str | None) -> str:
    """Ask for a run's messages as the UI does, by a websocket, and give what comes."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    sent = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
    with connect(
        f"{url.replace('https', 'wss')}/graphql",
        ssl=trusting,
        subprotocols=[Subprotocol("graphql-ws")],
        additional_headers={"Authorization": f"Basic {sent}"} if user else {},
    ) as socket:
        asked = {"id": "1", "type": "start", "payload": {"query": MESSAGES % run_id}}
        for message in ({"type": "connection_init"}, asked):
            socket.send(json.dumps(message))
        said = [json.loads(socket.recv(timeout=60)) for _ in range(2)]
    assert [answer["type"] for answer in said] == ["connection_ack", "data"]
    return json.dumps(said)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_nginx_in_front_asks_for_a_password_and_lets_websockets_through(here: Path) -> None:
    run_id = cleaned(here)
    port = free_port()
    with running(to_look_only(port), here), nginx(here / "nginx", port, me=PASSWORD) as url:
        until(lambda: answers(f"http://127.0.0.1:{port}"))
        for who in (None, ("me", "wrong"), ("you", PASSWORD)):
            for place in ("/", "/graphql", "/server_info"):
                refused = requests.get(f"{url}{place}", auth=who, verify=False, timeout=30)
                assert refused.status_code == 401
        for user in (None, "you"):
            with pytest.raises(InvalidStatus, match="401"):
                subscribed(url, run_id, user)
        shown = ask(url, "{ runsOrError { ... on Runs { results { runId } } } }",
                    auth=("me", PASSWORD), verify=False)  # fmt: skip
        assert shown["runsOrError"]["results"] == [{"runId": run_id}]
        page = requests.get(f"{url}/runs", auth=("me", PASSWORD), verify=False, timeout=30)
        assert "dagster" in page.text.lower()
        assert "RunSuccessEvent" in subscribed(url, run_id, "me")
