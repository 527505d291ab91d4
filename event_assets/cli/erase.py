"""`event-assets erase`: erase what an event or a person has left in all that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from event_assets.cli.output import confirm
from event_assets.cli.sources import load_source, select_source
from event_assets.config.database_file import is_lake
from event_assets.values.wording import counted

EPILOG = """\b
An id: deletes its rows in all tables of the source, also those of other lists
that belong to it. A value, such as an e-mail address: sets each value that
contains it to null, and deletes the rejects, the changes and the rows whose id
contains it.
The next sync brings back what the API still sends: erase it there first, or
exclude its field by `exclude`."""
UNFINISHED = (
    "It may be erased from the tables, but still be in their files and in Dagster's history: erase "
    "it again."
)
UNREACHED = (
    "Not reached: copies of the database, such as backups, messages that were sent, and the API: "
    "the next sync brings back what it still sends."
)
OF_LAKE = (
    "All old snapshots of the lake are deleted. Not reached: the versions that a bucket keeps of "
    "deleted files; with a catalog in Postgres, its rows until they are vacuumed, and what a sync "
    "left that was killed in the last hour."
)


def _require_text(context: click.Context, parameter: click.Parameter, given: str | None) -> Any:
    if given is not None and not given.strip():
        raise click.BadParameter("it is empty", context, parameter)
    return given


@click.command(epilog=EPILOG)
@click.argument("source", required=False)
@click.option("--id", "key", callback=_require_text, help="The id of an event.")
@click.option("--value", callback=_require_text, help="A text; upper and lower case are the same.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(source: str | None, key: str | None, value: str | None, yes: bool) -> None:
    """Erase what an event or a person has left in SOURCE, by default the only one.

    In the tables, the rejects, the changes, the journal, dlt's folders and Dagster's history.
    """
    if (key is None) == (value is None):
        raise click.UsageError("Give either --id or --value")
    source = select_source(source)

    from event_assets.cli.database import open_database
    from event_assets.cli.home import open_instance, require_home
    from event_assets.orchestration import process
    from event_assets.orchestration.failures import INTERRUPTS, plain_error
    from event_assets.orchestration.housekeeping import erase_runs, find_runs
    from event_assets.sync.parent_rows import identify_rows
    from event_assets.warehouse.erase import erase as erase_from_tables

    process.raise_interrupts()
    require_home()
    text, config = key or (value or "").strip(), load_source(source)
    with open_database() as database:  # in place of a missing one, erasing would make another
        columns = identify_rows(database, config, key) if key else {}

    with open_instance() as instance:
        runs = find_runs(instance, text, is_id=key is not None)
        is_confirmed = False

        def show(changed: Mapping[str, int]) -> None:
            nonlocal is_confirmed
            for table, count in changed.items():
                click.echo(f"{source}.{table}: {counted(count, 'row')}")
            if runs:
                click.echo(f"Dagster's history: {counted(len(runs), 'run')}")
            if (changed or runs or is_lake()) and not yes:
                also = ", and all old snapshots of the lake" if is_lake() else ""
                confirm(f"Erase it{also}? It cannot be undone.")
            is_confirmed = True

        try:
            changed = erase_from_tables(source, text, columns, show)
            erase_runs(instance, runs)
        except BaseException as error:
            if is_confirmed and isinstance(plain_error(error), INTERRUPTS):
                click.echo(UNFINISHED, err=True)
            raise
    if not runs and not changed:
        click.echo(f"Nothing in {source} {'has this id' if key else 'contains this value'}.")
    else:
        click.echo(UNREACHED)
    if is_lake():
        click.echo(OF_LAKE)
