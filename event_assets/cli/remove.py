"""`event-assets remove`: remove a source, and its tables if asked to."""

from __future__ import annotations

import shutil

import click

from event_assets.cli.database import MissingDatabaseError, open_database, schemas
from event_assets.cli.output import confirm
from event_assets.cli.sources import require_known
from event_assets.config.env_file import read_env_file
from event_assets.config.program import program
from event_assets.config.project import writing_problem
from event_assets.config.settings import KEYS
from event_assets.config.source_files import DEFAULT_SOURCE, find_sources
from event_assets.values.errors import ConfigError


@click.command(
    epilog="Its lines in .env and its runs in Dagster's history stay. With --drop, a source whose "
    "folder is gone already loses its tables."
)
@click.argument("source")
@click.option("--drop", is_flag=True, help="Drop its tables, with all that it has synced.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(source: str, drop: bool, yes: bool) -> None:
    """Remove SOURCE: its folder, and with --drop its schema in the database."""
    found, has_tables = find_sources().get(source), _has_tables(source)
    if not (found or has_tables):
        require_known([source])
    folder = found.file.parent if found else None
    dropped = f"the schema {source}, with all that was synced" if drop and has_tables else ""
    if folder and (problem := writing_problem(folder) or writing_problem(folder.parent)):
        raise ConfigError(
            f"The folder {folder} cannot be removed ({problem}): run it as the owner."
        )
    if (folder or dropped) and not yes:
        confirm(f"Remove {' and '.join(filter(None, (str(folder or ''), dropped)))}?")
    if drop:
        from event_assets import warehouse
        from event_assets.transform.all_events import drop_view
        from event_assets.warehouse.erase import drop_schema

        if has_tables:
            warehouse.run(drop_view)  # a sync creates it again for the sources that are left
        drop_schema(source, has_tables=has_tables)
    if dropped:
        click.echo(f"Dropped {dropped}.")
    if folder:
        folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)
        click.echo(f"Removed {folder}.")
    if has_tables and not drop:
        click.echo(
            f"Its tables stay in the schema {source}, until `{program()} remove {source} --drop`."
        )
    prefix = "" if source == DEFAULT_SOURCE else f"{source}__".upper()
    secrets = {f"{prefix}{name}" for name in KEYS}
    if kept := [name for name in read_env_file() if name in secrets]:
        click.echo(f"Its key stays in .env: {' and '.join(kept)}.")


def _has_tables(source: str) -> bool:
    try:
        with open_database() as database:
            return "event_data_syncs" in schemas(database).get(source, ())
    except MissingDatabaseError:
        return False
