"""Find records of one sync that share an id, of which only the first is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from event_assets.config.fields import LAST_SEEN, START
from event_assets.config.source import ResourceConfig
from event_assets.extract.stream import Stream
from event_assets.records.column_names import DLT_PREFIX, ColumnNamer
from event_assets.sync.removed import REMOVED_WHEN
from event_assets.sync.typed_tables import ExtractedRecords
from event_assets.values import timestamps
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import fetch_rows
from event_assets.warehouse.merge import open_package
from event_assets.warehouse.sql import quote_identifier

Row = Mapping[str, Any]
END = "end_time"
MARGIN = timedelta(minutes=5)  # between the clocks of the API and of this machine
MAX_COMPARED = 1_000  # ids whose records are compared field by field
MAX_EXAMPLES = 5
FIND_REPEATED = """
create or replace temp table repeated_now as
select id, count(distinct hash({values})) > 1 as differ
from package group by id having count(*) > 1
"""
READ_DIFFERING = f"""
from package where id in (
    select id from repeated_now where differ order by id limit {MAX_COMPARED}
) order by id
"""


@dataclass(frozen=True)
class Repeats:
    """Ids that several records of a sync have.

    Attributes:
        ids: how many there are, but for events that changed while the list was read; those that
            came as removed and as not removed included.
        conflicts: of these, those of different records: all but the first of each are lost.
        examples: the `id`, and a `field` in which its records differ, with its `values`, or
            `REMOVED_WHEN` as the field.
    """

    ids: int = 0
    conflicts: int = 0
    examples: Sequence[Row] = ()


def find_repeats(
    database: Database,
    resource: ResourceConfig,
    stream: Stream,
    extracted: ExtractedRecords,
    files: Sequence[str],
) -> Repeats:
    """Compare the records of events that share an id, in the Parquet files of a sync.

    An event that changes while the list is read may come twice, and differ. It is no repeat if the
    newest of a time in its records lies within the sync, and they have the same start. Equal ones
    are no repeats where several windows or parents have the same event.
    """
    if not resource.is_events or not files:
        return Repeats()
    open_package(database, files)
    names = _compared_columns(resource, database.table("package").columns)
    values = ", ".join(map(quote_identifier, ["id", *names]))
    database.execute(FIND_REPEATED.format(values=values))
    repeated = database.table("repeated_now")
    counts = repeated.aggregate("count(*) filter (not differ), count(*) filter (differ)")
    ((equal, differing),) = counts.fetchall()
    began, lasted = stream.began_at, datetime.now(UTC) - stream.started_at
    sync = (began - MARGIN, began + lasted + MARGIN)
    examples = []
    rows = fetch_rows(database.sql(READ_DIFFERING)) if differing else []
    for key, group in groupby(rows, itemgetter("id")):
        records = [_read_json(row, extracted.builder.observed_types) for row in group]
        fields = [name for name in names if any(r[name] != records[0][name] for r in records)]
        if not fields:
            equal += 1
        elif not _has_changed_within(sync, records, fields):
            field = START if START in fields else fields[0]
            shown = [str(record[field]) for record in records[:MAX_EXAMPLES]]
            examples.append({"id": key, "field": field, "values": shown})
    conflicts = len(examples) + (max(0, differing - MAX_COMPARED) if examples else 0)
    if resource.parent or resource.source.windows:
        equal = 0
    removed = _find_removed(database, extracted)
    if removed and not examples:
        examples = [{"id": key, "field": REMOVED_WHEN, "values": []} for key in removed]
    if equal and not examples:
        ids = repeated.order("id").limit(MAX_EXAMPLES).project("id").fetchall()
        examples = [{"id": key, "field": None, "values": []} for (key,) in ids]
    return Repeats(equal + len(removed) + conflicts, conflicts, examples[:MAX_EXAMPLES])


def count_shared_keys(database: Database, resource: ResourceConfig, files: Sequence[str]) -> int:
    """Return how many keys of a further list different records share, of which one is loaded."""
    key = ", ".join(map(quote_identifier, resource.primary_key_columns))
    if resource.is_events or not key or not files:
        return 0
    open_package(database, files)
    package = database.table("package")
    values = ", ".join(map(quote_identifier, _compared_columns(resource, package.columns)))
    differ = f"count(distinct hash({values or key})) > 1 as differ"
    return len(package.aggregate(f"{key}, {differ}", key).filter("differ").fetchall())


def _find_removed(database: Database, extracted: ExtractedRecords) -> Sequence[str]:
    """Return the ids of records that are marked as removed, which others have that are not."""
    marked = database.from_arrow(extracted.removed.ids).set_alias("marked")
    both = marked.join(database.table("package"), "id", how="semi").distinct().order("id")
    return [key for (key,) in both.fetchall()]


def _compared_columns(resource: ResourceConfig, columns: Sequence[str]) -> list[str]:
    """Return the columns that come from the record itself, the contract's first."""
    namer = ColumnNamer((), (), {})
    added = {namer.column((name,)) for name in resource.included_fields}
    ignored = {"id", LAST_SEEN, *resource.source.partition_columns, *added}
    return [name for name in columns if name not in ignored and not name.startswith(DLT_PREFIX)]


def _read_json(row: Row, kinds: Mapping[str, str]) -> Row:
    """Return a row with its JSON as values, which may be equal in another notation."""
    return {
        name: json.loads(value) if value is not None and kinds.get(name) == "json" else value
        for name, value in row.items()
    }


def _has_changed_within(
    sync: tuple[datetime, datetime], records: Sequence[Row], fields: Sequence[str]
) -> bool:
    """Return whether the newest value of a time in which the records differ is of the sync.

    The start and the end of the event are no times of a change.
    """
    newest = [_newest_time([record[name] for record in records]) for name in fields if name != END]
    first, last = sync
    return START not in fields and any(time and first <= time <= last for time in newest)


def _newest_time(values: Sequence[Any]) -> datetime | None:
    """Return the newest of the values that are times, in the notations of APIs."""
    times = [value for value in values if isinstance(value, datetime)]
    for notation in (None, *timestamps.EPOCH_UNITS):
        parsed = timestamps.parse_timestamps(values, notation, None).to_pylist()
        times += filter(None, parsed)
    return max(times, default=None)
