"""`event-assets sync`: sync sources now, as their jobs in Dagster do."""

from __future__ import annotations

import os

import click

from event_assets.cli.definitions import load_definitions
from event_assets.cli.sources import require_known


@click.command(
    epilog="Without SOURCE: all sources with an API; the sandbox, if there are none. Exit status: "
    "0 when every sync succeeded and no check failed with ERROR, else 1."
)
@click.argument("source", nargs=-1)
@click.option("--account", multiple=True, help="Only this account; may be given several times.")
@click.option(
    "--full", is_flag=True, help="Read whole lists, also where `incremental` asks for changes."
)
@click.option(
    "--accept-new-origin",
    is_flag=True,
    help="Sync another API, or other ids, into the same tables: events that it does not list "
    "are gone then.",
)
def sync(
    source: tuple[str, ...], account: tuple[str, ...], full: bool, accept_new_origin: bool
) -> int:
    """Sync all sources, or each SOURCE that is named, and print what came of its events."""
    loaded = load_definitions()

    from event_assets.cli import runs
    from event_assets.orchestration import process

    require_known(source)
    os.environ["EVENTS_PROGRESS"] = os.environ.get("EVENTS_PROGRESS") or "bar"
    options = {"full_sync": full, "accept_new_origin": accept_new_origin}
    process.raise_interrupts()
    succeeded = runs.sync_sources(
        loaded,
        dict.fromkeys(source),
        account,
        {name: True for name, given in options.items() if given},
    )
    return 0 if succeeded else 1
