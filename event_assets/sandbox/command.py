"""`event-assets sandbox`: serve the sandbox until it is interrupted."""

import queue
import signal
import sys
from collections.abc import Sequence
from urllib.parse import quote

import click

from event_assets.sandbox.faults import Faults, fault_notes, parse_faults
from event_assets.sandbox.server import KEY, Sandbox, SandboxError
from event_assets.sandbox.simulation import EventSimulation

NOTES = "\n".join(f"  {name:<20}{note}" for name, note in fault_notes().items())


def _parse_faults(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> Faults:
    try:
        return parse_faults(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(epilog=f"\b\nFaults, such as --fault page_cap=50; all are off by default:\n{NOTES}")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free port.")
@click.option("--events", type=click.IntRange(0), default=5000, show_default=True, help="How many.")
@click.option("--frozen", is_flag=True, help="Serve events that never change.")
@click.option("--key", default=KEY, show_default=True, help="Accepted api_key.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Which events; the same for the same number.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parse_faults,
    help="A fault to inject; may be given several times.",
)
def sandbox(port: int, events: int, frozen: bool, key: str, seed: int, faults: Faults) -> None:
    """Serve a fake events API, until it is interrupted."""
    # A SimpleQueue: its put is safe in a signal handler.
    stops: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stops.put(received))
    world = EventSimulation(events, seed, frozen)
    try:
        with Sandbox(world, key, faults, port=port, seed=seed) as api:
            events_url = f"{api.url}/v1/events?api_key={quote(key, safe='')}"
            example = f"curl '{events_url}&offset=0&limit=100'"
            print(f"The events API is at {api.url} - try: {example}", flush=True)
            stops.get()
    except SandboxError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
