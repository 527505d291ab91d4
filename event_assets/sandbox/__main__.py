"""Serves the sandbox until it is interrupted: `python -m event_assets.sandbox`."""

import argparse
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from urllib.parse import quote

from event_assets.sandbox.fault_flags import add_fault_flags, faults_of
from event_assets.sandbox.server import KEY, Sandbox, SandboxError
from event_assets.sandbox.simulation import World


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as `arguments` say until SIGINT, SIGTERM or the parent's end; return the status."""
    options = _parser().parse_args(arguments)
    # A SimpleQueue, because its put may be called from a signal handler.
    stops: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stops.put(received))
    world = World(options.events, options.seed, options.frozen)
    sandbox = Sandbox(world, options.key, faults_of(options), port=options.port, seed=options.seed)
    try:
        with sandbox:
            print(_first_line(sandbox.url, options.key), flush=True)
            if options.with_parent:
                threading.Thread(target=_await_end_of_stdin, args=(stops,), daemon=True).start()
            stops.get()
    except SandboxError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets.sandbox", description="Serves an events API to try things on."
    )
    parser.add_argument("--port", type=_port, default=0, help="0, the default, is a free one")
    parser.add_argument("--events", type=_count, default=5000, help="how many (default: 5000)")
    parser.add_argument("--frozen", action="store_true", help="exactly as many, never changing")
    parser.add_argument("--key", default=KEY, help=f"the api_key (default: {KEY})")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other events")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    add_fault_flags(parser)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        problem = "a port is a number from 0 to 65535"
        raise argparse.ArgumentTypeError(problem)
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        problem = "there cannot be less than no events"
        raise argparse.ArgumentTypeError(problem)
    return count


def _first_line(url: str, key: str) -> str:
    query = f"api_key={quote(key, safe='')}&offset=0&limit=100"
    return f"The events API is at {url} - try: curl '{url}/v1/events?{query}'"


def _await_end_of_stdin(stops: "queue.SimpleQueue[int]") -> None:
    # Not by sys.stdin: a thread that waits in there stops Python from exiting.
    while os.read(0, 1024):
        pass
    stops.put(0)


if __name__ == "__main__":
    sys.exit(main())
