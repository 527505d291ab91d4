"""A Redis that is killed and comes back at the same address, having forgotten everything."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from types import TracebackType

import redis

from event_assets_tests.scale.servers import programs
from event_assets_tests.support.polling import free_port, until

OPTIONS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


class Broker:
    """A broker for the length of a `with` block.

    Attributes:
        port: on 127.0.0.1.
        url: as Celery wants it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = str(programs("redis-server") / "redis-server")
        with (self._folder / "redis.log").open("ab") as log:
            self._server = subprocess.Popen(
                [program, *OPTIONS, "--port", str(self.port), "--dir", str(self._folder)],
                stdout=log,
                stderr=log,
            )
        until(self._answers, "an answer of Redis")

    def kill(self) -> None:
        """Kill it, with all messages that it has."""
        self._server.kill()
        self._server.wait()

    def messages(self) -> list[str]:
        """Return the messages in the queues, decoded."""
        with redis.Redis(port=self.port) as client:
            waiting = [line for key in client.keys("dagster*") for line in lines_of(client, key)]
        return [f"{line} {base64.b64decode(json.loads(line)['body']).decode()}" for line in waiting]

    def _answers(self) -> bool:
        assert self._server.poll() is None, (self._folder / "redis.log").read_text()
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


def lines_of(client: redis.Redis, key: bytes) -> list[str]:
    """Return the lines of a list in Redis."""
    if client.type(key) != b"list":
        return []
    return [line.decode() for line in client.lrange(key, 0, -1)]
