"""One sync as it runs, and the row that it leaves in `event_data_syncs`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from event_assets.config.accounts import ACCOUNT
from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.progress import Progress, Show
from event_assets.http.throttle import HttpMetrics
from event_assets.pagination import Bookmark, PaginationResult, ResultAggregator
from event_assets.records.arrow_builder import ArrowTableBuilder, Reject
from event_assets.records.stats import RecordStats
from event_assets.values.types import to_json

CHUNK = 1_000  # records looked at together


@dataclass(frozen=True)
class ResumedTotals:
    """What came of a sync in earlier loads.

    Attributes:
        load_id: of the first; empty: there were none.
        started_at: when the first run began.
        rows: that were read, repeats included.
        records: among them.
        runs: that loaded something.
        requests, retries, bytes: of their sessions.
    """

    load_id: str = ""
    started_at: datetime | None = None
    rows: int = 0
    records: int = 0
    runs: int = 0
    requests: int = 0
    retries: int = 0
    bytes: int = 0


@dataclass
class Sync:
    """One sync: what was asked and received, and whether that is all.

    Attributes:
        show: is told how far the sync is, after every page.
        types: the columns that the table has, and their types.
        exact: its columns of whole numbers that can become floats.
        paths: where the values of its columns come from, as syncs of other accounts saw it.
        account: whose sync it is, where there are accounts.
        increment: how the API is asked for what is new only, if it is.
        position: how far the syncs before came; None: everything is read.
        reject: takes the records that break the contract.
        traffic: requests, retries and bytes of its session.
        outcome: what paging says of the rows so far; in the end, its verdict.
        readings: the lists that are read, where there are many.
        kept: records that are loaded.
        shaped: what shapes the records, once there are some; another one for each part.
        tally: what the records were like so far.
        part_rows: rows of a part that is loaded before the next is read; None: it is not so.
        bookmark: where the reading begins, and where it is.
        earlier: of a sync that goes on in this one, what came in the runs before.
        first_load: id of the first load of a sync that has loaded a part, of this run or another.
    """

    show: Show
    types: Mapping[str, str] = field(default_factory=dict)
    exact: frozenset[str] = frozenset()
    paths: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    account: str | None = None
    increment: IncrementalCursor | None = None
    position: Any = None
    reject: Callable[[Sequence[Reject]], None] = lambda _: None
    kept: int = 0
    shaped: ArrowTableBuilder | None = None
    tally: RecordStats = field(default_factory=RecordStats)
    part_rows: int | None = None
    bookmark: Bookmark = field(default_factory=Bookmark)
    earlier: ResumedTotals = field(default_factory=ResumedTotals)
    first_load: str = ""
    readings: ResultAggregator | None = None
    traffic: HttpMetrics = field(default_factory=HttpMetrics)
    outcome: PaginationResult = field(
        default_factory=lambda: PaginationResult(False, "No answer was read.")
    )
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _furthest: Any = None
    _clock: float = field(default_factory=time.monotonic, repr=False)

    @property
    def is_full(self) -> bool:
        """Is everything read, so that what does not come is gone?"""
        return self.position is None

    @property
    def seconds(self) -> float:
        """Since the sync began."""
        return time.monotonic() - self._clock

    def note(self, outcome: PaginationResult) -> None:
        """Keep what paging says after a page, and show it."""
        self.outcome = outcome
        self.show(self.progress)

    def watching(self, records: Iterable[Any]) -> Iterator[Any]:
        """Hand records on, and see how far they go."""
        if self.increment is None:
            yield from records
            return
        source = iter(records)
        while chunk := list(islice(source, CHUNK)):
            self._furthest = self.increment.observe(chunk, self._furthest, self.started_at)
            yield from chunk

    def _reached(self) -> Any:
        """How far the table is now: no further than before, when something may be missing."""
        if self.outcome.complete is not True or self._furthest is None:
            return self.position
        if type(self._furthest) is not type(self.position):
            return self._furthest
        return max(self._furthest, self.position)

    def _since(self) -> str:
        return f"Of what changed since {str(self.position)[:40]}: "

    def progress(self) -> Progress:
        """Say how far the sync is."""
        outcome = self.outcome
        return Progress(
            events=outcome.rows - outcome.overlaps_confirmed,
            total=outcome.total_reported,
            pages=outcome.pages,
            in_flight=self.traffic.in_flight,
            seconds=self.seconds,
            earlier=self.earlier.records,
        )

    def so_far(self) -> ResumedTotals:
        """Give the figures of this run and the ones before."""
        before, traffic = self.earlier, self.traffic
        return ResumedTotals(
            load_id=self.first_load,
            started_at=before.started_at or self.started_at,
            rows=self.outcome.rows,
            records=self.kept + sum(self.tally.reasons.values()),
            runs=before.runs + 1,
            requests=before.requests + traffic.requests,
            retries=before.retries + traffic.retries,
            bytes=before.bytes + traffic.bytes,
        )

    def _in_runs(self, reason: str) -> str:
        """Say in how many runs a sync came, if it did not come in one."""
        all_of_it = self.so_far()
        if all_of_it.runs == 1 or not all_of_it.started_at:
            return reason
        since = f"{all_of_it.started_at:%Y-%m-%d %H:%M} UTC"
        return f"{reason} In {all_of_it.runs:,} runs, since {since}."

    def row(self, load_id: str, api: str, version: str) -> dict[str, Any]:
        """Give the sync's row in `event_data_syncs`, by column."""
        outcome, all_of_it = self.outcome, self.so_far()
        return {
            "load_id": self.first_load or load_id,
            "api": api,
            "started_at": all_of_it.started_at,
            "finished_at": datetime.now(timezone.utc),
            "requests": all_of_it.requests,
            "retries": all_of_it.retries,
            "bytes": all_of_it.bytes,
            "pages": outcome.pages,
            "seams_held": outcome.overlaps_confirmed,
            "shifts_repaired": outcome.shifts_recovered,
            "sweeps": outcome.passes,
            "rows_read": outcome.rows,
            "distinct_ids": outcome.distinct_ids,
            "total_reported": outcome.total_reported,
            "rejects": sum(self.tally.reasons.values()),
            "columns": to_json(self.tally.observed_types),
            "complete": outcome.complete,
            "reason": self._in_runs(
                outcome.reason if self.is_full else self._since() + outcome.reason
            ),
            "full_sync": self.is_full,
            "position": json.dumps(self._reached()),
            "version": version,
            **({} if self.account is None else {ACCOUNT: self.account}),
        }
