"""`python -m event_assets.sandbox`: serve the sandbox until it is interrupted."""

import argparse
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from urllib.parse import quote

from event_assets.sandbox.fault_flags import add_fault_flags, parse_faults
from event_assets.sandbox.server import KEY, Sandbox, SandboxError
from event_assets.sandbox.simulation import EventSimulation


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT, SIGTERM or the end of the parent process; return the exit status."""
    options = _parser().parse_args(arguments)
    # A SimpleQueue: its put is safe in a signal handler.
    stops: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stops.put(received))
    world = EventSimulation(options.events, options.seed, options.frozen)
    sandbox = Sandbox(
        world, options.key, parse_faults(options), port=options.port, seed=options.seed
    )
    try:
        with sandbox:
            events = f"{sandbox.url}/v1/events?api_key={quote(options.key, safe='')}"
            example = f"curl '{events}&offset=0&limit=100'"
            print(f"The events API is at {sandbox.url} - try: {example}", flush=True)
            if options.with_parent:
                threading.Thread(target=_wait_for_end_of_stdin, args=(stops,), daemon=True).start()
            stops.get()
    except SandboxError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets.sandbox", description="Serve a fake events API."
    )
    parser.add_argument("--port", type=_port, default=0, help="default: a free port")
    parser.add_argument("--events", type=_count, default=5000, help="how many (default: 5000)")
    parser.add_argument("--frozen", action="store_true", help="serve events that never change")
    parser.add_argument("--key", default=KEY, help=f"accepted api_key (default: {KEY})")
    parser.add_argument("--seed", type=int, default=0, help="of the random events (default: 0)")
    parser.add_argument("--with-parent", action="store_true", help="exit when standard input ends")
    add_fault_flags(parser)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return port


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return count


def _wait_for_end_of_stdin(stops: "queue.SimpleQueue[int]") -> None:
    # os.read: a thread that blocks in sys.stdin keeps Python from exiting.
    while os.read(0, 1024):
        pass
    stops.put(0)


if __name__ == "__main__":
    sys.exit(main())
