"""A Postgres and a Redis of the tests' own: in a temporary folder, on a free port."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg2
import redis

PATIENCE = 60.0  # seconds, until a server answers
USER = "events"
NOBODY = "postgres"  # the user that Debian's package makes
# Nothing has to outlive the tests.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
NAMES = count(1)


@dataclass(frozen=True)
class Postgres:
    """A server that answers.

    Attributes:
        port: on 127.0.0.1.
        password: of the role `events`, which may do everything.
    """

    port: int
    password: str

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, with its password."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database and give its address."""
        name = f"test_{next(NAMES)}"
        connection = psycopg2.connect(self.url())
        connection.autocommit = True  # CREATE DATABASE wants no transaction
        try:
            connection.cursor().execute(f"create database {name}")
        finally:
            connection.close()
        return self.url(name)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a Postgres."""
    folder_of = programs("postgres")
    with _folder() as folder:
        password = secrets.token_hex(8)
        given = folder / "password"
        given.write_text(password)
        data = folder / "data"
        made = _start(
            [
                str(folder_of / "initdb"),
                f"--pgdata={data}",
                f"--username={USER}",
                f"--pwfile={given}",
                *INITDB,
            ],
            folder,
        )
        made.wait()
        assert made.returncode == 0, _log(folder)
        settings = [part for name, value in FAST.items() for part in ("-c", f"{name}={value}")]

        def answers(port: int) -> None:
            psycopg2.connect(Postgres(port, password).url()).close()

        command = [str(folder_of / "postgres"), "-D", str(data), *settings, "-p"]
        with _running(command, folder, answers, psycopg2.OperationalError) as port:
            yield Postgres(port, password)


@contextmanager
def redis_server() -> Iterator[int]:
    """Run a Redis and give its port on 127.0.0.1."""
    with _folder() as folder:

        def answers(port: int) -> None:
            with redis.Redis(port=port) as client:
                client.ping()

        command = [str(programs("redis-server") / "redis-server"), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(folder), "--port"]
        with _running(command, folder, answers, redis.ConnectionError) as port:
            yield port


@contextmanager
def _running(
    command: Sequence[str], folder: Path, answers: Callable[[int], None], refused: type[Exception]
) -> Iterator[int]:
    """Run a server, whose last argument is its port, until the end of the block."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = _start([*command, str(port)], folder)
        try:
            while server.poll() is None:
                try:
                    answers(port)
                except refused:
                    assert time.monotonic() < deadline, _log(folder)
                    time.sleep(0.02)
                else:
                    yield port
                    return
        finally:
            server.send_signal(2)  # Postgres ends at once, without waiting for its clients
            server.wait()
        # It ended by itself: the port was taken in between.
        assert time.monotonic() < deadline, _log(folder)


def _start(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program, as somebody else if this is root, which may not run Postgres."""
    with (folder / "log").open("ab") as log:
        if os.getuid():
            return subprocess.Popen(command, stdout=log, stderr=log)
        return subprocess.Popen(
            command, stdout=log, stderr=log, user=NOBODY, group=NOBODY, extra_groups=()
        )


def _log(folder: Path) -> str:
    return (folder / "log").read_text()


@contextmanager
def _folder() -> Iterator[Path]:
    """Return a folder whose parents the user of the server can read."""
    folder = Path(tempfile.mkdtemp(prefix="events-server-"))
    try:
        if not os.getuid():
            shutil.chown(folder, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder)


def programs(name: str) -> Path:
    """Find the folder of a server's programs: Debian keeps Postgres' off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    program = found[-1] if found else shutil.which(name)
    assert program, f"there is no {name}: apt-get install postgresql redis-server"
    return Path(program).parent
