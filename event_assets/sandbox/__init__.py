"""An events API for development, tests and benchmarks.

`with Sandbox(250) as api:` serves 250 fixed events at `api.url`; `Sandbox(EventSimulation())`
serves events that change over time. Set `api.faults` to inject faults. `python -m
event_assets.sandbox` serves a live simulation in a process of its own.
"""

from event_assets.sandbox.faults import Faults
from event_assets.sandbox.server import AUTH, KEY, Sandbox, SandboxError
from event_assets.sandbox.simulation import Event, EventSimulation

__all__ = ["AUTH", "KEY", "Event", "EventSimulation", "Faults", "Sandbox", "SandboxError"]
