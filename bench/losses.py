"""Events lost by this project's sync under each fault of the API."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb

from bench import project
from bench.measure import ContenderError, measure
from bench.parts import print_progress
from bench.results import Run
from event_assets_tests.support.sandbox import Faults, Sandbox

PART, ALL = "losses", "all"
SLOWLY = "429 above 5 requests per second"
FAULTS = {  # the fault, and the number of events: fewer where it makes a sync wait
    "page cap 50": (Faults(page_cap=50), 5000),
    "page cap 7": (Faults(page_cap=7), 1000),
    "no total": (Faults(total="none"), 5000),
    "deletion every 3rd request": (Faults(delete_every=3), 5000),
    "insertion every 3rd request": (Faults(insert_every=3), 5000),
    "both every 3rd request": (Faults(delete_every=3, insert_every=3), 5000),
    "503 every 5th request": (Faults(fail_every=5, retry_after=0), 5000),
    "every 10th response truncated": (Faults(reset_every=10), 2000),
    "429 above 20 requests per second": (Faults(rate_limit=20), 5000),
    SLOWLY: (Faults(rate_limit=5), 5000),
}


def run() -> Iterator[Run]:
    """Sync once under every fault, and yield what was lost, then the sum."""
    sums: Counter[str] = Counter()
    for label, (faults, events) in FAULTS.items():
        print_progress(f"{PART}: {events:,} events, {label}")
        try:
            numbers, problem = _measure(faults, events), ""
        except ContenderError as error:
            numbers, problem = {}, str(error)
        sums.update(numbers)
        yield Run(PART, label, label, events, numbers, problem)
    yield Run(PART, ALL, f"all {len(FAULTS)}", sums["present"], dict(sums))


def _measure(faults: Faults, events: int) -> dict[str, float]:
    """Return how many events were there during the whole sync, and how many of them are missing.

    With them: how many requests the API received, and how many it refused.

    Raises:
        ContenderError: when the sync fails.
    """
    with (
        tempfile.TemporaryDirectory(prefix="event_assets_bench_") as home,
        Sandbox(events, faults=faults) as api,
    ):
        api.begin_phase()
        if not measure("project", api.url, Path(home))["succeeded"]:
            raise ContenderError("reported failure")
        present = api.present_throughout()
        with duckdb.connect(Path(home, project.DATABASE), read_only=True) as connection:
            loaded = connection.sql(f"select id from {project.TABLE}").fetchall()
        return {
            "present": len(present),
            "lost": len(present - {id_ for (id_,) in loaded}),
            "requests": len(api.requests),
            "refused": sum(request.status != 200 for request in api.requests),
        }
