"""Erase what an id or a value has left in the tables of a schema, and in their file."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from unicodedata import normalize

import duckdb

from event_assets.config.accounts import ACCOUNT
from event_assets.values.errors import BusyError, WarehouseError
from event_assets.values.json_text import as_in_json
from event_assets.values.redaction import MASK
from event_assets.warehouse.connection import connect, run_with_enough_memory
from event_assets.warehouse.inspection import catalog_columns, column_defaults
from event_assets.warehouse.pipeline import pipeline_folders
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import (
    Database,
    account_filter,
    quote_identifier,
    quote_literal,
    quote_name,
    transaction,
)
from event_assets.warehouse.tables import without_indexes

TEXTS = re.compile(r"VARCHAR|JSON|(STRUCT|MAP|UNION)\b.*|.*\]", re.DOTALL)  # types with texts
IDS_OF_OTHERS = ("account", "load_id", "_dlt_load_id")
# Tables without anything of an event, and the columns of logs that may quote one.
OWN_TABLES = ("event_data_api", "event_data_accounts")
OF_LOGS = ("reason", "warning", "repeats", "unmatched", "position", "newest", "path")


def erase(
    schema: str,
    text: str,
    of_event: Mapping[str, Sequence[str]] = MappingProxyType({}),
    confirm: Callable[[Mapping[str, int]], None] = lambda _: None,
) -> dict[str, int]:
    """Erase a text from the tables of a schema, the journals and dlt's folders.

    With `of_event`, the text is an id: the rows are deleted that have one of these values in one of
    these columns, and lists and objects in JSON that hold the text as a whole are emptied. Else
    every value that contains it, in any case of letters, becomes null; a row goes if its id, its
    record or its change has it.

    All of it is done, or nothing: if anything raises, such as `confirm`, which gets the numbers.

    Returns:
        The number of changed and deleted rows, by table.

    Raises:
        WarehouseError, BusyError: the database cannot be used, or a sync runs.
    """
    changed: dict[str, int] = {}
    text = normalize("NFC", text)
    with pipeline_folders(schema) as folders, connect() as database:
        query = "from duckdb_tables() where database_name = current_database() and schema_name = ?"
        found = database.execute(f"select lower(table_name) {query}", [schema]).fetchall()
        tables = [name for (name,) in found if name not in OWN_TABLES and name[:4] != "_dlt"]
        with ExitStack() as indexes:
            for table in tables:
                indexes.enter_context(without_indexes(database, schema, table))
            with _told_of_conflicts(schema), transaction(database):
                for table in tables:
                    before = _count_logged_rows(database, schema, table)
                    count = _erase_from_table(database, schema, table, text, of_event)
                    changed |= {table: count} if count else {}
                    erased = before - _count_logged_rows(database, schema, table)
                    _correct_log(database, schema, table, erased)
                confirm(changed)
                _delete(folders)  # first: after a kill, a sync might resume from them
        destination = get_destination()
        try:
            run_with_enough_memory(database, partial(destination.purge, database, schema, tables))
        except duckdb.Error as error:
            raise WarehouseError(
                f"It is erased from the tables, but not from the {destination.noun} "
                f"{destination.display_name}, which cannot be written again: "
                f"{destination.error_reason(error)}; correct that, and erase it again."
            ) from None
    return changed


def drop_schema(schema: str, *, has_tables: bool) -> None:
    """Delete the journals and dlt's folders of a schema, and drop its tables, if it has any.

    Raises:
        WarehouseError, BusyError: the database cannot be used, or a sync runs.
    """
    with pipeline_folders(schema) as folders:
        _delete(folders)
        if has_tables:
            with connect() as database:
                database.execute(f"drop schema {quote_identifier(schema)} cascade")


@contextmanager
def _told_of_conflicts(schema: str) -> Iterator[None]:
    """Raise a BusyError if a sync on another machine has changed the same tables."""
    try:
        yield
    except Exception as error:
        if not get_destination().is_conflict(error):
            raise
    else:
        return
    raise BusyError(f"A sync of {schema} is running: try again when it has ended")


def _delete(paths: Sequence[Path]) -> None:
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _count_logged_rows(database: Database, schema: str, table: str) -> Counter[str | None]:
    """Count the rows of a table, by account, if a log of syncs says how many there are."""
    log = catalog_columns(database, schema, f"{table}_syncs")
    if "table_rows" not in log:
        return Counter()
    shared = log.keys() & catalog_columns(database, schema, table).keys()
    owner = ACCOUNT if ACCOUNT in shared else "null"
    rows = f"from {quote_name(schema, table)} select {owner}, count(*) group by all"
    return Counter(dict(database.execute(rows).fetchall()))


def _correct_log(
    database: Database, schema: str, table: str, erased: Mapping[str | None, int]
) -> None:
    """Have the log of syncs count no row that is erased: it would be taken for a lost one."""
    for account, count in erased.items():
        log = quote_name(schema, f"{table}_syncs")
        change = f"update {log} set table_rows = try_cast(table_rows as bigint) - {count}"
        database.execute(f"{change} where {account_filter(account)}")


def _erase_from_table(
    database: Database, schema: str, table: str, text: str, of_event: Mapping[str, Sequence[str]]
) -> int:
    # a generated column changes with those that it is made of
    writable = {*map(str.lower, column_defaults(database, schema, table))}
    name = quote_name(schema, table)
    is_history, is_log = (
        table.endswith(("_rejects", "_changes")),
        table.endswith(("_syncs", "_paths")),
    )
    deleted = updated = 0
    for column, kind in catalog_columns(database, schema, table).items():
        cell = quote_identifier(column)
        if column not in writable or (is_log and column not in OF_LOGS):
            continue
        if column in of_event:
            values = (quote_literal(normalize("NFC", value)) for value in of_event[column])
            condition = f"nfc_normalize({cell}::varchar) in ({', '.join(values)})"
        elif of_event and kind == "JSON":
            condition = _contains(cell, [f'"{spelling}"' for spelling in as_in_json(text)])
        elif of_event or column in IDS_OF_OTHERS:
            continue
        elif TEXTS.fullmatch(kind):
            condition = _contains(cell, as_in_json(text))
        else:
            condition = f"{cell}::varchar = {quote_literal(text)}"
        if is_history or column in ("id", *of_event):
            ((count,),) = database.execute(f"delete from {name} where {condition}").fetchall()
            deleted += count
        else:
            value = "null"
            if is_log and kind != "JSON":
                pattern = quote_literal("|".join(map(re.escape, as_in_json(text))))
                value = f"regexp_replace(nfc_normalize({cell}), {pattern}, '{MASK}', 'gi')"
            statement = f"update {name} set {cell} = {value} where {condition}"
            ((count,),) = database.execute(statement).fetchall()
            updated = max(updated, count)
    return deleted + updated


def _contains(cell: str, texts: Sequence[str]) -> str:
    lower = f"lower(nfc_normalize({cell}::varchar))"  # an accent may be a character of its own
    return " or ".join(f"contains({lower}, lower({quote_literal(text)}))" for text in texts)
