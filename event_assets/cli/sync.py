"""`python -m event_assets`: run the main job once and print a summary (`make run`)."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg

from event_assets import warehouse
from event_assets._compat.dagster import PlainFailure, capture_interrupts
from event_assets.cli.sources import find_source_files, load_synced_sources
from event_assets.config.source import DEFAULT_SOURCE, INVENTED, SourceConfig
from event_assets.extract.stream import require_settings
from event_assets.orchestration import launcher, partitions, process
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.jobs import build_run_config
from event_assets.orchestration.metadata import asset_key
from event_assets.orchestration.schedules import find_derived_assets
from event_assets.orchestration.summary import SILENT_LOGGERS, print_summary
from event_assets.sync import account_list
from event_assets.values.errors import ConfigError

JOB = "sync_events"
# By this tag the UI lists a run under its job in the code location `event_assets`.
TAGS = {".dagster/repository": "__repository__@event_assets"}


def main(arguments: Sequence[str] = ()) -> int:
    """Run the job in this process and return the exit status.

    Raises:
        KeyboardInterrupt: if it was interrupted.
    """
    options = _build_parser().parse_args(arguments)
    command = _check if options.check else partial(_sync, options.accept_new_origin)
    try:
        return 0 if run_with_plain_errors(command) else 1
    except PlainFailure as error:
        print(error, file=sys.stderr)
        return 1
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m event_assets", description="Sync the source `events` once."
    )
    parser.add_argument(
        "--accept-new-origin",
        action="store_true",
        help="go on in the same tables when EVENTS_API_URL is another API now, or the primary key "
        "another one; events that do not come from it are gone then",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="check every source's defs.yaml, the settings and the definitions; sync nothing",
    )
    return parser


def _check() -> bool:
    from event_assets.definitions import defs

    dg.Definitions.validate_loadable(defs())
    for source in load_synced_sources().values():
        require_settings(source)
    _require_home()
    print(f"No mistakes were found in the sources: {', '.join(find_source_files())}.")
    return True


def _sync(accepts_new_origin: bool) -> bool:
    from event_assets.definitions import defs

    definitions = defs()
    if DEFAULT_SOURCE not in find_source_files():
        raise ConfigError(
            f"There is no source `{DEFAULT_SOURCE}`: run the job of another in Dagster."
        )
    source = load_synced_sources().get(DEFAULT_SOURCE)
    if source:
        require_settings(source)
    home = _require_home()
    job = definitions.resolve_job_def(JOB)
    os.environ["EVENTS_PROGRESS"] = os.environ.get("EVENTS_PROGRESS") or "bar"
    print("Syncing ..." if not source or source.base_url else f"Syncing {INVENTED} ...")
    config: Mapping[str, Any] = SILENT_LOGGERS
    if accepts_new_origin and source:
        config = {**config, **build_run_config(source, source.resources, accept_new_origin=True)}
    process.raise_interrupts()
    with dg.DagsterInstance.get() if home else dg.DagsterInstance.ephemeral() as instance:
        if isinstance(job.partitions_def, partitions.AccountPartitions):
            return sync_accounts(definitions, job.partitions_def.source, instance, config)
        return _run_job(job, instance, config).success


def _require_home() -> str | None:
    """Return DAGSTER_HOME, the folder of Dagster's history, which must be one that can be written.

    Raises:
        ConfigError: it is not.
    """
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return None
    folder = Path(home).expanduser()
    if not folder.is_absolute():
        raise ConfigError(f"DAGSTER_HOME must be the absolute path of a folder, not {folder}.")
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} (DAGSTER_HOME): make it, or name another.")
    if {"?", "%"} & {*home}:  # for SQLAlchemy, a path is a part of a URL
        raise ConfigError(
            f"The path of DAGSTER_HOME must be one without `?` and `%`, not {folder}."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        problem = f"The folder {folder} (DAGSTER_HOME) cannot be written by this user"
        raise ConfigError(f"{problem}: run it as the owner, or name a folder of your own.")
    return home


def sync_accounts(
    definitions: dg.Definitions,
    source: SourceConfig,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any] = SILENT_LOGGERS,
) -> bool:
    """Sync each account, then materialize the derived assets; return whether all succeeded.

    Raises:
        PlainFailure: if the accounts cannot be listed.
        KeyboardInterrupt: if one of the runs was interrupted.
    """
    accounts = run_with_plain_errors(lambda: account_list.list_accounts(source))
    partitions.update_partitions(source, instance)
    job = definitions.resolve_job_def(JOB)
    whole = definitions.resolve_job_def(f"{JOB}_on_schedule")
    assets = [each for each in definitions.assets or () if isinstance(each, dg.AssetsDefinition)]
    synced = [asset_key(source, resource) for resource in source.resources]
    failures = sum(not _run_job(job, instance, config, account=name).success for name in accounts)
    derived = _run_job(whole, instance, assets=find_derived_assets(synced, assets))
    print(f"accounts  {len(accounts) - failures:,} of {len(accounts):,} synced and checked")
    print(f"database  {warehouse.get_destination().display_name}", flush=True)
    return derived.success and not failures


def _run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any] = SILENT_LOGGERS,
    *,
    account: str | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job, or some of its assets, and print the summary.

    Raises:
        KeyboardInterrupt: if it was interrupted, which Dagster may have caught.
    """
    run_id = str(uuid4())
    with capture_interrupts(), launcher.hold_run(instance, run_id):
        result = job.execute_in_process(
            run_id=run_id,
            run_config=config,
            instance=instance,
            partition_key=account,
            asset_selection=assets,
            tags=TAGS,
            raise_on_error=False,
        )
    if process.is_interrupted():
        raise KeyboardInterrupt
    print_summary(instance, result.run_id)  # Dagster itself may print it late after a failure
    return result
