"""Take out of the tables what `exclude` names only after it was synced."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pyarrow as pa

from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA
from event_assets.records.column_names import VARIANT, SourcePaths
from event_assets.records.field_selection import FieldSelection, excluded_paths, is_excluded
from event_assets.sync.rejects import REJECTS
from event_assets.sync.schema_changes import load_source_paths
from event_assets.sync.sync_log import SYNC_LOG
from event_assets.values.conversion import to_json
from event_assets.values.json_paths import Path
from event_assets.values.json_text import decode_leniently, decode_stored
from event_assets.values.naming import normalize_name
from event_assets.warehouse import Database
from event_assets.warehouse.inspection import catalog_columns, has_table
from event_assets.warehouse.sql import quote_identifier, quote_literal, quote_name

CHANGES, SNAPSHOT = "event_changes", "event_changes_snapshot"  # tables of `transform`
REPLACE = """
update {table} as known set {column} = pruned_now.after
from pruned_now where {where} and known.{column}::varchar = pruned_now.before
"""


def delete_excluded(database: Database, source: SourceConfig) -> None:
    """Delete the values of excluded fields from the events, their rejects and their history.

    To be called in the transaction of the load.
    """
    if not source.exclude:
        return
    schema, known = source.name, load_source_paths(database, source.events)
    for table in (EVENT_DATA, SNAPSHOT):
        for column, kind in catalog_columns(database, schema, table).items():
            name = quote_identifier(column)
            if is_excluded(source, column, known):
                statement = f"update {quote_name(schema, table)} set {name} = null"
                database.execute(f"{statement} where {name} is not null")
            elif kind == "JSON":
                _prune(database, source, table, column, _prefixes(source, column))
    _prune(database, source, REJECTS, "record", {()})
    if has_table(database, schema, CHANGES):
        _forget_changes(database, source, known)
    if has_table(database, schema, SYNC_LOG):
        _delete_examples(database, source, known)


def _forget_changes(database: Database, source: SourceConfig, known: SourcePaths) -> None:
    changes = quote_name(source.name, CHANGES)
    fields = database.execute(f"select distinct field from {changes} where field is not null")
    for (field,) in fields.fetchall():
        if is_excluded(source, field, known):
            database.execute(f"delete from {changes} where field = ?", [field])
        elif prefixes := _prefixes(source, field):
            where = f"field = {quote_literal(field)}"
            for column in ("old", "new"):
                _prune(database, source, CHANGES, column, prefixes, where)
            database.execute(
                f"delete from {changes} where {where} and old is not distinct from new"
            )


def _delete_examples(database: Database, source: SourceConfig, known: SourcePaths) -> None:
    """Delete the values in which records that share an id differ."""
    log = quote_name(source.name, SYNC_LOG)
    query = f"select distinct repeats::varchar from {log} where json_array_length(repeats) > 0"
    for (text,) in database.execute(query).fetchall():
        examples = decode_stored(text, list[dict[str, Any]]) or []
        for field in {str(example["field"]) for example in examples}:
            if is_excluded(source, field, known) or _prefixes(source, field):
                examples = [{**e, "values": []} if e["field"] == field else e for e in examples]
        update = f"update {log} set repeats = ? where repeats::varchar = ?"
        database.execute(update, [json.dumps(examples), text])


def _prefixes(source: SourceConfig, column: str) -> set[Path]:
    """Return the paths of a column's values below which there are excluded fields."""
    own = column.partition(VARIANT)[0]
    begun = (path[:at] for path in excluded_paths(source) for at in range(1, len(path)))
    return {path for path in begun if "__".join(map(normalize_name, path)) == own}


def _prune(
    database: Database,
    source: SourceConfig,
    table: str,
    column: str,
    prefixes: Collection[Path],
    where: str = "true",
) -> None:
    """Take the excluded fields out of the JSON texts in a column, whose values are at a path."""
    name, selection = quote_identifier(column), FieldSelection(source.exclude)
    paths = excluded_paths(source)
    for prefix in prefixes:
        below = {path[-1] for path in paths if path[: len(prefix)] == prefix}
        holds = " or ".join(
            f"contains({name}::varchar, {quote_literal(json.dumps(last, ensure_ascii=False))})"
            for last in sorted(map(str, below))
        )
        known = quote_name(source.name, table)
        found = database.execute(
            f"select distinct {name}::varchar from {known} where {where} and ({holds})"
        ).fetchall()
        pruned = {
            text: to_json(selection.prune(decode_leniently(text), prefix)) for (text,) in found
        }
        changed = {text: after for text, after in pruned.items() if text != after}
        if changed:
            columns = {"before": list(changed), "after": list(changed.values())}
            database.register("pruned_now", pa.table(columns))
            database.execute(REPLACE.format(table=known, column=name, where=where))
