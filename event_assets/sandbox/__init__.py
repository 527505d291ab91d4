"""An events API to develop, test and measure against, embedded or as a process of its own.

In a test, `with Sandbox(250) as api:` serves 250 events that never change at `api.url`; with
`Sandbox(World())` they live. `api.faults` holds what goes wrong, `api.requests` what was asked.
`with process() as url:` and `python -m event_assets.sandbox` serve a world that lives.
"""

from event_assets.sandbox.faults import Faults
from event_assets.sandbox.process import process
from event_assets.sandbox.server import KEY, Recorded, Sandbox, SandboxError
from event_assets.sandbox.simulation import Event, World

__all__ = [
    "KEY",
    "Event",
    "Faults",
    "Recorded",
    "Sandbox",
    "SandboxError",
    "World",
    "process",
]
