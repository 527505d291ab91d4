"""Measure all contenders in one run and print one table (`make bench`)."""

import argparse
import os
import platform
import signal
import sys
from importlib.metadata import version

from bench import fault_losses, peers, scenarios
from bench.report import Results, build_rows, format_table
from bench.scenarios import (
    GROWTH_STEPS,
    LATENCY,
    LATENCY_SECONDS,
    MILLION_STEPS,
    SHAPE_EVENTS,
    SHAPE_STEPS,
    SHAPES,
    SIZE,
    SLOW_EVENTS,
    STAGES,
    SYNC,
    Scenario,
)

EVENTS, QUICK_EVENTS, MILLION = 100_000, 20_000, 1_000_000
RUNS = 5
MILLION_RUNS = 3
LOSSES = "losses"
FULL = ("million", "growth")
PARTS = ("sync", "parts", "latency", *SHAPES, "size", LOSSES, *FULL)


def main() -> int:
    """Measure what the options select and print the table."""
    # Exit through the context managers.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = _parse_options()
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    runs = 1 if options.quick else RUNS
    parts = options.only or [part for part in PARTS if part not in FULL or options.full]
    slow_events = min(events, SLOW_EVENTS)
    plan = {
        "sync": Scenario(events, SYNC, runs),
        "parts": Scenario(events, STAGES, runs),
        "latency": Scenario(slow_events, LATENCY, runs, LATENCY_SECONDS),
        "million": Scenario(MILLION, MILLION_STEPS, min(runs, MILLION_RUNS)),
        "size": Scenario(events if options.full else slow_events, SIZE),
        "growth": Scenario(MILLION, GROWTH_STEPS),
        **{
            shape: Scenario(SHAPE_EVENTS, SHAPE_STEPS, runs, records=build())
            for shape, build in SHAPES.items()
            if shape in parts
        },
    }
    peers.install()
    measured = {part: scenarios.run(scenario) for part, scenario in plan.items() if part in parts}
    losses = fault_losses.run(events) if LOSSES in parts else []
    print(_describe_machine(runs))
    print()
    print(format_table(list(build_rows(Results(plan, measured, losses)))))
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 events, one run each")
    parser.add_argument(
        "--full",
        action="store_true",
        help="also 1,000,000 events, growth to 3,000,000, and the 20 syncs with 100,000 events",
    )
    parser.add_argument("--events", type=int, help="events instead of 100,000")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="run only this part (repeatable)"
    )
    return parser.parse_args()


def _describe_machine(runs: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("dlt", "dagster", "duckdb"))
    return (
        f"{runs} runs of each; {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )


if __name__ == "__main__":
    sys.exit(main())
