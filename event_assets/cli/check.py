"""`event-assets check`: find mistakes in the configuration."""

from __future__ import annotations

import click


@click.command()
def check() -> None:
    """Check each source's defs.yaml, the settings and the definitions; sync nothing."""
    from event_assets.cli.definitions import load_definitions

    definitions = load_definitions()

    import dagster as dg

    from event_assets import warehouse
    from event_assets.cli.home import open_instance
    from event_assets.cli.runs import load_sources
    from event_assets.config.database_file import is_lake, require_writable_database
    from event_assets.config.source_files import INVENTED, find_sources
    from event_assets.extract.stream import require_settings
    from event_assets.sync.account_list import list_accounts

    dg.Definitions.validate_loadable(definitions)
    found = find_sources()
    sources = load_sources(definitions, found)
    for source in sources:
        warehouse.get_destination().validate_names(source.name)
        if source.is_synced:
            require_settings(source)
        if source.accounts and source.accounts.file:
            list_accounts(source)
    open_instance().dispose()
    if not is_lake():
        require_writable_database()
    for source in sources:
        if source.is_synced and not source.base_url:
            click.echo(f"{source.name} is {INVENTED}: to sync an API, set {source.url_setting}.")
    click.echo(f"No mistakes were found in the sources: {', '.join(found) or 'there are none'}.")
