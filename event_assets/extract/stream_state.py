"""The state of one sync while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from event_assets.extract.cursor import IncrementalCursor
from event_assets.extract.progress import OnProgress, Progress
from event_assets.http.throttle import HttpMetrics
from event_assets.pagination.checkpoint import CheckpointHandle
from event_assets.pagination.per_parent import ResultAggregator
from event_assets.pagination.result import PaginationResult
from event_assets.records.arrow_builder import ArrowTableBuilder, Reject
from event_assets.records.stats import RecordStats

CHUNK_SIZE = 1_000  # records


@dataclass(frozen=True)
class ResumedTotals:
    """The totals of a sync over its runs."""

    load_id: str = ""  # of the first load; empty: nothing was loaded
    started_at: datetime | None = None  # start of the first run
    rows: int = 0  # including repeats
    records: int = 0
    runs: int = 0  # that loaded something
    requests: int = 0
    retries: int = 0
    bytes: int = 0


@dataclass
class Sync:
    """The plan, the state and the result of one sync."""

    on_progress: OnProgress  # called after every page
    column_types: Mapping[str, str] = field(default_factory=dict)  # of the table
    widenable: frozenset[str] = frozenset()  # integer columns that can become floats without loss
    # paths of the values in the table's columns, as recorded by syncs of other accounts
    source_paths: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    account: str | None = None
    cursor: IncrementalCursor | None = None
    cursor_value: Any = None  # the newest one loaded by previous syncs; None: everything is read
    on_rejects: Callable[[Sequence[Reject]], None] = lambda _: None
    loaded_records: int = 0  # number of records to load
    is_deduplicated: bool = False  # no two records of the current batch have the same id
    builder: ArrowTableBuilder | None = None  # of the current batch
    stats: RecordStats = field(default_factory=RecordStats)
    batch_rows: int | None = None  # loaded before more is read; None: a single batch
    checkpoint: CheckpointHandle = field(default_factory=CheckpointHandle)
    resumed: ResumedTotals = field(default_factory=ResumedTotals)
    first_load: str = ""  # id of the first load of a sync that loads in batches
    aggregator: ResultAggregator | None = None  # if there is a list for each parent record
    metrics: HttpMetrics = field(default_factory=HttpMetrics)
    result: PaginationResult = field(
        default_factory=lambda: PaginationResult(False, "No response was read.")
    )
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _observed: Any = None
    _clock: float = field(default_factory=time.monotonic, repr=False)

    @property
    def is_full(self) -> bool:
        """Whether everything is read, so that records that do not come are gone."""
        return self.cursor_value is None

    @property
    def seconds(self) -> float:
        """Seconds since the run started."""
        return time.monotonic() - self._clock

    def on_result(self, result: PaginationResult) -> None:
        """Store the paginator's result after a page, and report the progress."""
        self.result = result
        self.on_progress(self.progress)

    def observe(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield the records, tracking the newest cursor value."""
        if self.cursor is None:
            yield from records
            return
        source = iter(records)
        while chunk := list(islice(source, CHUNK_SIZE)):
            self._observed = self.cursor.observe(chunk, self._observed, self.started_at)
            yield from chunk

    @property
    def next_cursor_value(self) -> Any:
        """The cursor value after this sync; unchanged if records may be missing."""
        if self.result.complete is not True or self._observed is None:
            return self.cursor_value
        if type(self._observed) is not type(self.cursor_value):
            return self._observed
        return max(self._observed, self.cursor_value)

    def progress(self) -> Progress:
        """Return the progress of the sync."""
        result = self.result
        return Progress(
            events=result.rows - result.overlaps_confirmed,
            total=result.total_reported,
            pages=result.pages,
            in_flight=self.metrics.in_flight,
            seconds=self.seconds,
            resumed=self.resumed.records,
        )

    def totals(self) -> ResumedTotals:
        """Return the totals of this run and the runs it resumes."""
        resumed, metrics = self.resumed, self.metrics
        return ResumedTotals(
            load_id=self.first_load,
            started_at=resumed.started_at or self.started_at,
            rows=self.result.rows,
            records=self.loaded_records + sum(self.stats.reasons.values()),
            runs=resumed.runs + 1,
            requests=resumed.requests + metrics.requests,
            retries=resumed.retries + metrics.retries,
            bytes=resumed.bytes + metrics.bytes,
        )
