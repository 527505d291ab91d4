"""Events lost by this project's sync under each fault of the API."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import contender
from bench.measure import ContenderError, measure
from bench.scenarios import print_progress
from event_assets.sandbox import Faults, Sandbox


@dataclass(frozen=True)
class Fault:
    """A fault, and the number of events: fewer where it makes a sync wait."""

    label: str
    faults: Faults
    events: int = 5000


FAULTS = (
    Fault("page cap 50", Faults(page_cap=50)),
    Fault("page cap 7", Faults(page_cap=7), events=1000),
    Fault("no total", Faults(total="none")),
    Fault("deletion every 3rd request", Faults(delete_every=3)),
    Fault("insertion every 3rd request", Faults(insert_every=3)),
    Fault("both every 3rd request", Faults(delete_every=3, insert_every=3)),
    Fault("503 every 5th request", Faults(fail_every=5, retry_after=0)),
    Fault("every 10th response truncated", Faults(reset_every=10), events=2000),
    Fault("429 above 20 requests per second", Faults(rate_limit=20)),
    Fault("429 above 5 requests per second", Faults(rate_limit=5)),
)


@dataclass(frozen=True)
class Loss:
    """The result of a sync under a fault.

    Attributes:
        fault: its label.
        lost: events that were in the API during the whole sync and are missing in the table;
            None when the process failed.
        present: events that were in the API during the whole sync.
        note: what the sync reported, and what the API did.
        requests: how many the API received.
        refused: how many of them it answered with another status than 200.
    """

    fault: str
    lost: int | None
    present: int
    note: str
    requests: int = 0
    refused: int = 0


def run(events: int) -> list[Loss]:
    """Sync once under every fault, with at most `events` events."""
    return [_measure_loss(fault, min(fault.events, events)) for fault in FAULTS]


def _measure_loss(fault: Fault, events: int) -> Loss:
    print_progress(f"{events:,} events, {fault.label}")
    with (
        tempfile.TemporaryDirectory(prefix="event_assets_bench_") as home,
        Sandbox(events, faults=fault.faults) as api,
    ):
        api.begin_phase()
        try:
            figures = measure("b1", api.url, Path(home))
        except ContenderError as error:
            return Loss(fault.label, None, events, str(error))
        present = api.present_throughout()
        lost = present - _load_ids(Path(home) / contender.DATABASE)
        reported = "success" if figures.succeeded else "failure"
        refused = sum(request.status != 200 for request in api.requests)
        note = f"reported {reported}; {len(api.requests):,} requests, {refused:,} refused"
        if api.deleted or api.inserted:
            note += f", {len(api.deleted):,} deletions, {len(api.inserted):,} insertions"
    return Loss(fault.label, len(lost), len(present), note, len(api.requests), refused)


def _load_ids(database: Path) -> set[str]:
    import duckdb

    if not database.exists():
        return set()
    with duckdb.connect(database, read_only=True) as connection:
        try:
            rows = connection.execute(f"select id from {contender.TABLE}").fetchall()
        except duckdb.CatalogException:
            return set()
    return {row[0] for row in rows}
