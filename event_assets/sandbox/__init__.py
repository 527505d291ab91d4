"""An events API for development, tests and benchmarks, in process or in a child process.

`with Sandbox(250) as api:` serves 250 fixed events at `api.url`; `Sandbox(EventSimulation())`
serves events that change over time. Set `api.faults` to inject faults; `api.requests` records the
requests. `run_sandbox()` and `python -m event_assets.sandbox` serve a live simulation.
"""

from event_assets.sandbox.faults import Faults
from event_assets.sandbox.process import run_sandbox
from event_assets.sandbox.server import KEY, RecordedRequest, Sandbox, SandboxError
from event_assets.sandbox.simulation import Event, EventSimulation

__all__ = [
    "KEY",
    "Event",
    "EventSimulation",
    "Faults",
    "RecordedRequest",
    "Sandbox",
    "SandboxError",
    "run_sandbox",
]
