"""`event-assets show`: look at the data in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import click
import duckdb

from event_assets.cli.database import fetch, open_database, schemas
from event_assets.cli.output import json_option, print_json, print_table
from event_assets.config.program import program
from event_assets.config.source_files import DEFAULT_SOURCE, find_sources, unused_sandboxes
from event_assets.values.wording import counted

Tables = Mapping[str, Sequence[str]]  # by schema


class View(NamedTuple):
    """What is shown of a table: its first columns and its order, where it has these columns."""

    table: str
    first: Sequence[str] = ()
    order: str = ""
    hidden: Sequence[str] = ()  # columns that are left out


SOON_FIRST = "start_time < now(), abs(epoch(start_time) - epoch(now()))"
EVENTS = View("current_events", ("name", "start_time", "end_time", "status", "id"), SOON_FIRST)
VIEWS = {  # by option
    "changes": View(
        "event_changes",
        ("changed_at", "change", "name", "field", "old", "new", "id"),
        "changed_at desc",
    ),
    "rejects": View(
        "event_data_rejects", ("id", "field", "reason", "record"), "load_id desc, id", ("columns",)
    ),
    "syncs": View(
        "event_data_syncs",
        ("sync_number", "finished_at", "complete", "reason", "rows_read", "rejects", "requests"),
        "sync_number desc",
        ("columns", "repeats", "unmatched", "position", "newest"),
    ),
}
BY_TABLE = {view.table: view for view in (EVENTS, *VIEWS.values())}


@click.command(
    epilog="TABLE is a source (its current events), a table, or SCHEMA.TABLE. Times are in UTC. "
    "It waits while a sync is loading."
)
@click.argument("table", required=False)
@click.option("--sql", help="Show the result of a query, such as `from events.event_data`.")
@click.option("--changes", is_flag=True, help="The newest changes of events.")
@click.option("--rejects", is_flag=True, help="Rejected records, and why.")
@click.option("--syncs", is_flag=True, help="The last syncs and their results.")
@click.option(
    "--limit",
    default=20,
    type=click.IntRange(1, 1_000_000),
    show_default=True,
    help="How many rows.",
)
@json_option
def show(table: str | None, sql: str | None, limit: int, as_json: bool, **chosen: bool) -> None:
    """Look at the data: the current events, the soonest first, or what you name."""
    views = [VIEWS[name] for name, is_chosen in chosen.items() if is_chosen]
    if sql is not None and not sql.strip():
        raise click.UsageError("--sql is empty")
    if sql and (table or views):
        raise click.UsageError("--sql stands alone, without a table or another option")
    if len(views) > 1:
        raise click.UsageError("Give only one of --changes, --rejects and --syncs")
    (view,) = views or [EVENTS]
    with open_database() as database:
        if sql:
            rows, summary = _query_rows(database, sql, limit)
        else:
            schema, name = _find(table, view, schemas(database))
            is_ours = name in (*BY_TABLE, "all_events")  # a sync creates it again
            with nullcontext() if is_ours else _explained(f"{schema}.{name} cannot be shown"):
                rows = fetch(database, _query(database, schema, name, limit))
                ((count,),) = database.sql(f"from {_quote(schema, name)}").count("*").fetchall()
            summary = f"{len(rows):,} of {count:,} rows of {schema}.{name}"
            summary = summary if rows else f"No rows in {schema}.{name}"
    if as_json:
        print_json(rows)
        return
    if rows:
        print_table(rows)
    click.echo(summary)


def _query_rows(
    database: duckdb.DuckDBPyConnection, sql: str, limit: int
) -> tuple[Sequence[Mapping[str, Any]], str]:
    """Return the first rows of a query, and how many there are."""
    with _explained("The query cannot be run"):
        rows = fetch(database, sql, limit + 1)
    if len(rows) > limit:
        return rows[:limit], f"The first {counted(limit, 'row')}; --limit shows more"
    return rows, counted(len(rows), "row")


@contextmanager
def _explained(problem: str) -> Iterator[None]:
    """Tell the problem, and DuckDB's reason, in one sentence."""
    try:
        yield
        return
    except duckdb.Error as error:
        reason = str(error).strip().partition("\n")[0]
    raise click.ClickException(f"{problem}: {reason}")


def _find(name: str | None, view: View, found: Tables) -> tuple[str, str]:
    """Return the schema and the name of what to show."""
    if name is None or name in found:
        schema, table = name or _default_schema(found), view.table
    elif view is not EVENTS:
        raise click.UsageError(f"There is no source `{name}` that has {view.table}")
    elif "." in name:
        before, _, last = name.rpartition(".")  # either name may have a dot of its own
        schema, table = (before, last) if before in found else name.split(".", 1)
    else:
        schema = next((one for one in _source_schemas(found) if name in found[one]), "main")
        table = name
    if table in found.get(schema, ()):
        return schema, table
    if name is not None and name not in found:
        own = _default_schema(found)
        known = ", ".join([*found, *(f"{own}.{one}" for one in found.get(own, ()))])
        raise click.UsageError(f"There is no table `{name}`; there are {known or 'none'}")
    problem = (
        f"There is no {schema}.{table} yet: `{program()} sync` makes it, unless a check fails."
    )
    raise click.ClickException(problem)


def _source_schemas(found: Tables) -> list[str]:
    """Return the schemas of the sources that are synced, the default one first."""
    sources = find_sources()
    return [name for name in sources if name in found and name not in unused_sandboxes(sources)]


def _default_schema(found: Tables) -> str:
    return next(iter(_source_schemas(found)), DEFAULT_SOURCE)


def _query(database: duckdb.DuckDBPyConnection, schema: str, table: str, limit: int) -> str:
    """Return the query of a table's rows, in the order and with the columns of its view."""
    view = BY_TABLE.get(table, View(table))
    relation = database.sql(f"from {_quote(schema, table)}")
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    names = [name for name in types if not name.startswith("_dlt") and name not in view.hidden]
    names.sort(key=lambda name: (*view.first, "account", name).index(name))
    is_timed = view is not EVENTS or types.get("start_time", "").startswith("TIMESTAMP")
    order = f" order by {view.order}" if view.order and is_timed else ""
    columns = ", ".join(map(_quote, names))
    return f"select {columns} from {_quote(schema, table)}{order} limit {limit}"  # noqa: S608 (quoted)


def _quote(*names: str) -> str:  # to import `warehouse.sql` would import pydantic
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
