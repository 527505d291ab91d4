"""What is lost when the API misbehaves: this project's sync against every fault."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import contender
from bench.measure import ContenderError, measure
from bench.scenarios import say
from event_assets.sandbox import Faults, Sandbox


@dataclass(frozen=True)
class Fault:
    """A fault, and how many events the API has at most: fewer where it makes a sync wait."""

    label: str
    faults: Faults
    events: int = 5000


FAULTS = (
    Fault("pages of at most 50", Faults(page_cap=50)),
    Fault("pages of at most 7", Faults(page_cap=7), events=1000),
    Fault("no total", Faults(total="none")),
    Fault("a deletion at every 3rd request", Faults(delete_every=3)),
    Fault("an insertion at every 3rd request", Faults(insert_every=3)),
    Fault("both at every 3rd request", Faults(delete_every=3, insert_every=3)),
    Fault("503 at every 5th request", Faults(fail_every=5, retry_after=0)),
    Fault("every 10th answer breaks off", Faults(reset_every=10), events=2000),
    Fault("429 beyond 20 requests a second", Faults(rate_limit=20)),
)


@dataclass(frozen=True)
class Loss:
    """What became of a sync under a fault.

    Attributes:
        fault: its label.
        lost: events that were in the API throughout the sync and are not in the table after it;
            None when the process broke.
        present: events that were in the API throughout.
        note: what the sync said of itself, and what the API did.
    """

    fault: str
    lost: int | None
    present: int
    note: str


def take(events: int) -> list[Loss]:
    """Sync once under every fault, from an API of at most so many events."""
    return [_lose(fault, min(fault.events, events)) for fault in FAULTS]


def _lose(fault: Fault, events: int) -> Loss:
    say(f"{events:,} events, {fault.label}")
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
        lost = present - _ids(Path(home) / contender.DATABASE)
        said = "succeeded" if figures.succeeded else "failed"
        refused = sum(request.status != 200 for request in api.requests)
        note = f"said it {said}; {len(api.requests):,} requests, {refused:,} refused"
        if api.deleted or api.inserted:
            note += f", {len(api.deleted):,} deletions, {len(api.inserted):,} insertions"
    return Loss(fault.label, len(lost), len(present), note)


def _ids(database: Path) -> set[str]:
    import duckdb

    if not database.exists():
        return set()
    with duckdb.connect(database, read_only=True) as connection:
        try:
            rows = connection.execute(f"select id from {contender.TABLE}").fetchall()
        except duckdb.CatalogException:
            return set()
    return {row[0] for row in rows}
