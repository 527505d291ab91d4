"""Run the jobs of sources in this process, under DAGSTER_HOME, and print what came of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from uuid import uuid4

import dagster as dg

from event_assets import warehouse
from event_assets._compat.dagster import PlainFailure, capture_interrupts
from event_assets.cli.home import open_instance
from event_assets.cli.sources import read_source
from event_assets.config.database_file import is_lake, require_writable_database
from event_assets.config.program import program
from event_assets.config.project import find_project, project_setting
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import EVENT_DATA, SANDBOX, find_sources
from event_assets.extract.stream import require_settings
from event_assets.orchestration import launcher, partitions, process
from event_assets.orchestration.error_messages import user_message
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.orchestration.jobs import (
    BY_COMMAND,
    FULLY,
    ON_SCHEDULE,
    DerivedAssets,
    build_run_config,
    job_name,
)
from event_assets.orchestration.metadata import synced_keys
from event_assets.orchestration.summary import SILENT_LOGGERS, is_first_sync, print_summary
from event_assets.sync import account_list, guards
from event_assets.values.errors import ConfigError, UserError
from event_assets.warehouse.pipeline import note_failure


@dataclass(frozen=True)
class Runner:
    """Runs the jobs of sources in this process, and prints what came of them."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    accounts: Collection[str]  # those to sync, by default all
    options: Mapping[str, bool]  # of `SyncConfig`
    run_ids: list[str] = field(default_factory=list)  # runs that were started so far

    def sync(self, source: SourceConfig, is_named: bool) -> bool:
        """Sync a source, and return whether it succeeded; what a user can fix is printed."""
        try:
            if not source.is_synced and not is_named:
                warehouse.run(partial(guards.ensure_same_origin, source=source))
                return True
            with note_failure(source.name, EVENT_DATA, None, user_message):
                require_settings(source)
                listed = account_list.list_accounts(source)
            what = source.name if source.base_url else f"{source.name} from {SANDBOX}"
            print(f"Syncing {what} ...", flush=True)
            return run_with_plain_errors(partial(self._run_jobs, source, listed))
        except (UserError, PlainFailure) as error:
            print(error, file=sys.stderr)
            return False
        except dg.DagsterExecutionInterruptedError:
            raise KeyboardInterrupt from None

    def _run_jobs(self, source: SourceConfig, listed: Sequence[str]) -> bool:
        """Run the job of a source, or that of each account and what is derived from all."""
        job = job_name(source)
        known = {one.name for one in self.definitions.jobs or ()}
        if self.options.get("full_sync") and f"{job}{FULLY}" in known:
            job = f"{job}{FULLY}"
        config: Mapping[str, Any] = SILENT_LOGGERS
        if self.options:
            config = {**config, **build_run_config(source, source.resources, **self.options)}
        account_list.require_accounts(source, listed, self.accounts)
        if source.accounts is None:
            return self._run(job, config)
        partitions.update_partitions(source, self.instance)
        wanted = [name for name in listed if name in self.accounts or not self.accounts]
        failures = sum(not self._run(job, config, account=name) for name in wanted)
        count = f"{len(wanted) - failures:,} of {len(wanted):,}"
        print(f"accounts  {count} synced and checked", flush=True)
        found = self.definitions.assets or ()
        assets = [one for one in found if isinstance(one, dg.AssetsDefinition)]
        derived = DerivedAssets(synced_keys(source)).resolve(assets)
        scheduled = f"{job_name(source)}{ON_SCHEDULE}"
        is_built = failures < len(wanted) and self._run(scheduled, assets=sorted(derived))
        return is_built and not failures

    def _run(
        self,
        job: str,
        config: Mapping[str, Any] = SILENT_LOGGERS,
        account: str | None = None,
        assets: Sequence[dg.AssetKey] | None = None,
    ) -> bool:
        """Run a job, or some of its assets, print the summary, and return whether it succeeded.

        It did not where a check failed with ERROR, also a user's own that stops no asset.

        Raises:
            KeyboardInterrupt: if it was interrupted, which Dagster may have caught.
        """
        run_id = str(uuid4())
        # by which the UI lists the run under its job
        location = project_setting("code_location_name") or project_setting("root_module")
        with capture_interrupts(), launcher.hold_run(self.instance, run_id):
            result = self.definitions.resolve_job_def(job).execute_in_process(
                run_id=run_id,
                run_config=config,
                instance=self.instance,
                partition_key=account,
                asset_selection=assets,
                tags={".dagster/repository": f"__repository__@{location}", BY_COMMAND: "true"},
                raise_on_error=False,
            )
        if process.is_interrupted():
            raise KeyboardInterrupt
        print_summary(self.instance, run_id)
        self.run_ids.append(run_id)
        error = dg.AssetCheckSeverity.ERROR
        checks = result.get_asset_check_evaluations()
        return result.success and all(one.passed or one.severity != error for one in checks)


def load_sources(definitions: dg.Definitions, names: Collection[str]) -> list[SourceConfig]:
    """Return the configurations of sources that definitions were loaded from."""
    tree = cast(dg.ComponentTree, definitions.component_tree)
    return [read_source(tree, name) for name in names]


def sync_sources(
    definitions: dg.Definitions,
    names: Collection[str],
    accounts: Collection[str],
    options: Mapping[str, bool],
) -> bool:
    """Sync sources one after the other, by default all; return whether all succeeded.

    `accounts` are those to sync, by default all; `options` are those of `SyncConfig`.

    Raises:
        ConfigError: no source can be synced, or the database cannot be written.
        KeyboardInterrupt: a run was interrupted.
    """
    chosen = load_sources(definitions, names or find_sources())
    if not chosen:
        raise ConfigError(f"There is no source to sync: `{program()} connect URL` makes one.")
    if not is_lake():
        require_writable_database()
    with open_instance() as instance:
        runner = Runner(definitions, instance, accounts, options)
        failures = sum(not runner.sync(one, is_named=bool(names)) for one in chosen)
        is_first = not failures and any(is_first_sync(instance, each) for each in runner.run_ids)
    if is_first and not os.environ.get("CI"):
        has_api = any(one.base_url for one in chosen)
        first = next(one for one in chosen if one.is_synced or names)
        shown = f" {first.name}" if len(find_sources()) > 1 else ""
        print(*_next_steps(has_api, shown), sep="\n", flush=True)
    return not failures


def _next_steps(has_api: bool, shown: str) -> Iterator[str]:
    url = "https://api.example.com/events"
    dev = "make dev" if (find_project() / "Makefile").is_file() else "dagster dev"
    yield f"look      {program()} show{shown}"
    yield f"watch     {program()} status" if has_api else f"connect   {program()} connect {url}"
    yield f"schedule  {dev}, then open http://127.0.0.1:3000"
