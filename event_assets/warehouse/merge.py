"""Write the rows of a package into their table: only those that are new or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from event_assets.config.fields import LAST_SEEN
from event_assets.warehouse.inspection import catalog_columns, column_defaults
from event_assets.warehouse.sql import (
    Database,
    account_filter,
    quote_identifier,
    quote_literal,
    quote_name,
)
from event_assets.warehouse.tables import LOAD_ID

OPEN_PACKAGE = """
create or replace temp view package as
from read_parquet([{files}], union_by_name = true, hive_partitioning = false)
"""
# `row number` is no column's name: dlt's names have no spaces. A window over whole rows would need
# more than DuckDB's memory limit. Two readings give the same numbers, as DuckDB has one thread.
NUMBERED = 'select *, row_number() over () as "row number" from package'
UNNUMBERED = 'select *, 0 as "row number" from package'  # no window: it would hold wide rows
FIRST_ROWS = f"""
from ({NUMBERED}) where "row number" in
    (select min("row number") from ({NUMBERED}) group by {{key}})
"""
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
IS_UNCHANGED = "system.main.get_bit(getvariable('compared').unchanged, rowid::integer) = 1"
IS_LOADED = """system.main.get_bit(getvariable('compared').loaded, "row number"::integer) = 1"""
MAX_ROWS = 200_000  # in a package; DuckDB holds what an update replaces until the commit
MAX_ROW = 1_000_000_000  # the largest range that DuckDB takes for a bit string
MAX_COLUMNS = 50  # in a package; the window that numbers wider rows would need too much memory
MIN_SHARE = 0.1  # of the table's rows; a smaller package is written, unchanged or not
OF_SYNC = (LAST_SEEN, LOAD_ID)  # columns with one value in all rows of a package


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

    @property
    def quoted_key(self) -> str:
        """The columns of the key, for SQL."""
        return ", ".join(map(quote_identifier, self.key))


def write_rows(database: Database, schema: str, load: TableLoad, files: Sequence[str]) -> None:
    """Write the rows of Parquet files into their table."""
    open_package(database, files)
    if load.key:
        _merge_rows(database, schema, load)
        return
    table = quote_name(schema, load.table)
    own = f"from {table} where {account_filter(load.account)}"
    if not (load.keeps_rows and database.execute(f"{own} limit 1").fetchall()):
        database.execute(f"delete {own}")
        database.execute(f"insert into {table} by name from package")


def open_package(database: Database, files: Sequence[str]) -> None:
    """Create the view `package` of the rows of Parquet files."""
    database.execute(OPEN_PACKAGE.format(files=", ".join(map(quote_literal, files))))


def _merge_rows(database: Database, schema: str, load: TableLoad) -> None:
    """Write the rows that are new or changed, and only the sync's time and load into the others."""
    table, key = quote_name(schema, load.table), load.quoted_key
    rows = NUMBERED if load.is_deduplicated else FIRST_ROWS.format(key=key)
    columns = database.table("package").columns
    is_empty = not database.execute(f"from {table} select 1 limit 1").fetchall()
    if not is_empty and _compare_rows(database, schema, load, rows, columns):
        seen = ", ".join(
            f"{name} = (select {name} from package limit 1)" for name in OF_SYNC if name in columns
        )
        database.execute(f"update {table} set {seen} where {IS_UNCHANGED}")
        rows = f"from ({rows}) where {IS_LOADED}"
    elif load.is_deduplicated:
        rows = UNNUMBERED
    rows = f'select * exclude ("row number") from ({rows})'
    replaced = f"({key}) in (select {key} from ({rows}))"
    if load.kept_columns:
        rows = _keep_columns(database, schema, load, rows)
    if not is_empty:
        database.execute(f"delete from {table} where {replaced}")
    database.execute(f"insert into {table} by name {rows}")


def _compare_rows(
    database: Database, schema: str, load: TableLoad, rows: str, columns: Sequence[str]
) -> bool:
    """Set `compared` to the rows that the table has already, and those to write, if possible."""
    table, known = quote_name(schema, load.table), catalog_columns(database, schema, load.table)
    # a column `rowid` hides DuckDB's
    if len(columns) > MAX_COLUMNS or "rowid" in map(str.lower, known):
        return False
    ((last,),) = database.execute(f"select max(rowid) from {table}").fetchall()
    ((count,),) = database.execute("select count(*) from package").fetchall()
    if last > MAX_ROW or not MIN_SHARE * last <= count <= MAX_ROWS:
        return False
    compared = sorted(known.keys() - load.kept_columns - {*OF_SYNC})
    statement = COMPARE.format(
        key=load.quoted_key,
        new_values=", ".join(quote_identifier(n) if n in columns else "null" for n in compared),
        old_values=", ".join(map(quote_identifier, compared)),
        rows=rows,
        table=table,
        last=last,
        count=count,
    )
    database.execute(statement)
    ((is_unique,),) = database.sql("select getvariable('compared').is_unique").fetchall()
    return bool(is_unique)


def _keep_columns(database: Database, schema: str, load: TableLoad, rows: str) -> str:
    """Return the query of rows with the values that the table has in columns of its user's own.

    A new row gets a column's default. Nothing is written to a generated column.
    """
    table, key = quote_name(schema, load.table), load.quoted_key
    kept = {
        quote_identifier(name): value
        for name, value in column_defaults(database, schema, load.table).items()
        if name.lower() in load.kept_columns
    }
    if not kept:
        return rows
    own = f"select distinct on ({key}) {', '.join([key, *kept])}, true as is_kept from {table}"
    replaced = f"where ({key}) in (select {key} from package)"
    database.execute(f"create or replace temp table kept as {own} {replaced}")
    values = (f"if(kept.is_kept, kept.{name}, {value}) as {name}" for name, value in kept.items())
    join = f"({rows}) as loaded left join kept using ({key})"
    return f"select loaded.*, {', '.join(values)} from {join}"
