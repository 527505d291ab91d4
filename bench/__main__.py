"""Measure all contenders in one run and print one table (`make bench`)."""

import argparse
import os
import platform
import signal
import sys
from importlib.metadata import version

from bench import fault_losses, scenarios
from bench.report import Results, build_rows, format_table
from bench.scenarios import LATENCY, MEMORY, SIZE, STAGES, SYNC, Scenario

EVENTS, QUICK_EVENTS, MILLION = 100_000, 20_000, 1_000_000
SLOW_EVENTS = 20_000  # where every page waits or every sync is repeated
LATENCY_SECONDS = 0.05
RUNS = 3
LOSSES = "losses"
PARTS = ("sync", "parts", "latency", "memory", "size", LOSSES)


def main() -> int:
    """Measure what the options select and print the table."""
    # Exit through the context managers.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    options = _parse_options()
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    runs = 1 if options.quick else RUNS
    parts = options.only or [part for part in PARTS if part != "memory" or options.full]
    slow_events = min(events, SLOW_EVENTS)
    plan = {
        "sync": Scenario(events, SYNC, runs),
        "parts": Scenario(events, STAGES, runs),
        "latency": Scenario(slow_events, LATENCY, runs, LATENCY_SECONDS),
        "memory": Scenario(10 * events if options.events else MILLION, MEMORY, runs),
        "size": Scenario(events if options.full else slow_events, SIZE),
    }
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
        help="also 1,000,000 events, and the 20 syncs with all events instead of 20,000",
    )
    parser.add_argument(
        "--events",
        type=int,
        help="events instead of 100,000; ten times as many instead of 1,000,000",
    )
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
