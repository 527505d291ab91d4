"""Load what a dlt pipeline has normalized, in one transaction.

dlt extracts, normalizes, keeps the schema and creates tables and columns. Its own load step is not
used: it copies the rows into a second table first, and records the load in another transaction.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import dlt

from event_assets.config.fields import LAST_SEEN
from event_assets.warehouse.connection import set_memory_limit
from event_assets.warehouse.inspection import catalog_columns, has_table
from event_assets.warehouse.registry import get_destination
from event_assets.warehouse.sql import (
    Database,
    account_filter,
    quote_identifier,
    quote_name,
    transaction,
)
from event_assets.warehouse.tables import LOAD_ID, without_indexes

FILES = "read_parquet($files, union_by_name = true, hive_partitioning = false)"
# `row number` is no column's name: dlt's names have no spaces. A window over whole rows would need
# more than DuckDB's memory limit. Two readings give the same numbers, as DuckDB has one thread.
ALL_ROWS = f"from {FILES}"
NUMBERED = f'select *, row_number() over () as "row number" {ALL_ROWS}'
FIRST_ROWS = f"""
from ({NUMBERED}) where "row number" in
    (select min("row number") from ({NUMBERED}) group by {{key}})
"""  # noqa: S608 (ours)
# Which rows of a package its table has already, by hashes, as sets of bits: with the values, or
# with a join beside the update and the insert, DuckDB would need more than its memory limit, too.
COMPARE = """
set variable compared = (
    with new as materialized (
        select hash({key}) as key, hash({new_values}) as hash, "row number" as number from ({rows})
    ), old as materialized (
        select hash({key}) as key, hash({old_values}) as hash, rowid as number from {table}
    )
    select {{
        'unchanged': bitstring_agg(old.number, 0, {last}) filter (old.hash = new.hash),
        'loaded': bitstring_agg(new.number, 0, {count}) filter (old.hash is distinct from new.hash),
        'is_unique': count(*) = (select count(*) from new)
    }}
    from new left join old using (key)
)
"""
IS_UNCHANGED = "get_bit(getvariable('compared').unchanged, rowid::integer) = 1"
IS_LOADED = """get_bit(getvariable('compared').loaded, "row number"::integer) = 1"""
MAX_ROWS = 200_000  # of a package; DuckDB holds what an update replaces until the commit
MAX_ROW = 1_000_000_000  # of a set of bits
MAX_COLUMNS = 50  # of a package; the window that numbers wider rows would need too much memory
MIN_SHARE = 0.1  # of the table's rows; a smaller package is written, unchanged or not
OF_SYNC = (LAST_SEEN, LOAD_ID)  # columns with one value in all rows of a package
INSERT_LOAD = """
insert into {loads} by name select ? as load_id, ? as schema_name, 0 as status,
    ? as inserted_at, ? as schema_version_hash
"""


@dataclass(frozen=True)
class TableLoad:
    """How the rows of a package go into their table.

    Attributes:
        table: its name.
        key: the columns that tell rows apart. Without any, the table's rows are replaced.
        account: replace only the rows of this account, if there is no key.
        alter_statements: ends of `alter table` statements, to run before the rows change.
        is_deduplicated: no two rows of the package have the same key.
        keeps_rows: load no rows if there is no key and the table has some (of the account).
        kept_columns: columns of the user's own, whose values stay in rows that are replaced.
    """

    table: str
    key: Sequence[str]
    account: str | None = None
    alter_statements: Sequence[str] = ()
    is_deduplicated: bool = False
    keeps_rows: bool = False
    kept_columns: frozenset[str] = frozenset()


def load_package(
    pipeline: dlt.Pipeline,
    database: Database,
    load: TableLoad,
    also: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Load the one package that a pipeline has normalized: all of it or nothing.

    Of rows with the same key, the first one is loaded. New tables and columns are created first;
    they stay if the rest fails. The pipeline's working folder is removed afterwards.

    Args:
        pipeline: has extracted and normalized.
        database: is open, and in no transaction.
        load: how the rows go into their table.
        also: is given the load's id and writes what must be there if the rows are, in the same
            transaction; called again if another writer conflicts.
        check: raises if the rows no longer fit the table. Called when new columns are there, before
            the rows change; again if another writer conflicts.

    Raises:
        WarehouseError: If every attempt conflicts with other writers.
    """
    destination = get_destination()
    (load_id,) = pipeline.list_normalized_load_packages()
    files = package_files(pipeline)
    pipeline.destination = destination.as_dlt_destination(database)
    destination.retry_on_conflict(lambda: _create_missing(pipeline))
    # dlt sets 1 GB: DuckDB would write the rows twice, into its log and into the file.
    database.execute("set global checkpoint_threshold = '16MB'")
    set_memory_limit(database)

    dataset = str(pipeline.dataset_name)
    updated = () if load.alter_statements else OF_SYNC

    def write() -> None:
        with transaction(database):
            check()
            if has_table(database, f"{dataset}_staging", "_dlt_version"):  # of earlier versions
                database.execute(f"drop schema {quote_identifier(f'{dataset}_staging')} cascade")
            _write_rows(database, dataset, load, files)
            _record_load(database, pipeline, load_id)
            also(load_id)

    with without_indexes(database, dataset, load.table, updated):
        destination.retry_on_conflict(write)
    # not `pipeline.drop`, which writes to a disk that may be full; the next sync removes the rest
    shutil.rmtree(pipeline.working_dir, ignore_errors=True)


def package_files(pipeline: dlt.Pipeline) -> dict[str, list[str]]:
    """Return the Parquet files of the one package that was normalized, by table, as written."""
    (load_id,) = pipeline.list_normalized_load_packages()
    jobs = pipeline.get_load_package_info(load_id).jobs["new_jobs"]
    files: dict[str, list[str]] = {}
    for job in sorted(jobs, key=lambda job: (job.created_at, job.file_path)):
        files.setdefault(job.job_file_info.table_name, []).append(job.file_path)
    return files


def _write_rows(
    database: Database, schema: str, load: TableLoad, files: Mapping[str, Sequence[str]]
) -> None:
    """Write the rows of the table, and append to dlt's own tables."""
    table = quote_name(schema, load.table)
    for statement in load.alter_statements:
        database.execute(f"alter table {table} {statement}")
    for name, paths in files.items():
        given = {"files": paths}
        if name == load.table and load.key:
            _merge_rows(database, schema, load, given)
            continue
        if name == load.table:
            own = f"from {table} where {account_filter(load.account)}"
            if load.keeps_rows and database.execute(f"{own} limit 1").fetchall():
                continue
            database.execute(f"delete {own}")
        database.execute(f"insert into {quote_name(schema, name)} by name {ALL_ROWS}", given)


def _merge_rows(database: Database, schema: str, load: TableLoad, given: Any) -> None:
    """Write the rows that are new or changed, and only the sync's time and load into the others."""
    table, key = quote_name(schema, load.table), ", ".join(map(quote_identifier, load.key))
    rows = NUMBERED if load.is_deduplicated else FIRST_ROWS.format(key=key)
    columns = database.sql(f"from {FILES} limit 0", params=given).columns
    if _compare_rows(database, schema, load, rows, columns, given):
        seen = ", ".join(
            f"{name} = (select {name} {ALL_ROWS} limit 1)" for name in OF_SYNC if name in columns
        )
        database.execute(f"update {table} set {seen} where {IS_UNCHANGED}", given)  # noqa: S608 (ours)
        rows = f"from ({rows}) where {IS_LOADED}"
    elif load.is_deduplicated:
        rows = f'select *, 0 as "row number" {ALL_ROWS}'  # no window: it would hold wide rows
    rows = f'select * exclude ("row number") from ({rows})'  # noqa: S608 (ours)
    replaced = f"({key}) in (select {key} from ({rows}))"  # noqa: S608 (ours)
    if load.kept_columns:
        rows = _keep_columns(database, schema, load, rows, given)
    database.execute(f"delete from {table} where {replaced}", given)  # noqa: S608 (ours)
    database.execute(f"insert into {table} by name {rows}", given)


def _compare_rows(
    database: Database, schema: str, load: TableLoad, rows: str, columns: list[str], given: Any
) -> bool:
    """Set `compared` to the rows that the table has already, and to those to write, if possible."""
    table, known = quote_name(schema, load.table), catalog_columns(database, schema, load.table)
    # a column `rowid` hides DuckDB's
    if len(columns) > MAX_COLUMNS or "rowid" in map(str.lower, known):
        return False
    ((last,),) = database.execute(f"select max(rowid) from {table}").fetchall()  # noqa: S608 (ours)
    ((count,),) = database.execute(f"select count(*) {ALL_ROWS}", given).fetchall()
    if last is None or last > MAX_ROW or not MIN_SHARE * last <= count <= MAX_ROWS:
        return False
    compared = sorted(known.keys() - load.kept_columns - {*OF_SYNC})
    statement = COMPARE.format(
        key=", ".join(map(quote_identifier, load.key)),
        new_values=", ".join(quote_identifier(n) if n in columns else "null" for n in compared),
        old_values=", ".join(map(quote_identifier, compared)),
        rows=rows,
        table=table,
        last=last,
        count=count,
    )
    database.execute(statement, given)
    ((is_unique,),) = database.sql("select getvariable('compared').is_unique").fetchall()
    return bool(is_unique)


def _create_missing(pipeline: dlt.Pipeline) -> None:
    """Have dlt create the tables and columns that are not there, also those that it once made."""
    with pipeline.destination_client() as client:
        client.initialize_storage()
        client.update_stored_schema(force=True)


def _keep_columns(database: Database, schema: str, load: TableLoad, rows: str, given: Any) -> str:
    """Return the query of rows with the values that the table has in columns of its user's own.

    A new row gets a column's default.
    """
    table, key = quote_name(schema, load.table), ", ".join(map(quote_identifier, load.key))
    defaults = database.execute(
        "select column_name, coalesce(column_default, 'null') from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ?",
        [schema, load.table],
    ).fetchall()
    kept = {quote_identifier(name): value for name, value in defaults if name in load.kept_columns}
    own = f"select {', '.join([key, *kept])}, true as is_kept from {table}"  # noqa: S608 (quoted)
    replaced = f"where ({key}) in (select {key} {ALL_ROWS})"
    database.execute(f"create or replace temp table kept as {own} {replaced}", given)
    values = (f"if(kept.is_kept, kept.{name}, {value}) as {name}" for name, value in kept.items())
    join = f"({rows}) as loaded left join kept using ({key})"
    return f"select loaded.*, {', '.join(values)} from {join}"  # noqa: S608 (quoted)


def _record_load(database: Database, pipeline: dlt.Pipeline, load_id: str) -> None:
    """Add the row of `_dlt_loads` by which dlt knows that a load is complete."""
    schema = pipeline.default_schema
    loads = quote_name(str(pipeline.dataset_name), schema.loads_table_name)
    row = [load_id, schema.name, datetime.now(timezone.utc), schema.version_hash]
    database.execute(INSERT_LOAD.format(loads=loads), row)
