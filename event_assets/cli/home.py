"""DAGSTER_HOME: the folder of Dagster's settings and history, by default the project."""

import os
import resource
import sqlite3
from importlib import import_module

import dagster as dg
import yaml
from filelock import FileLock

from event_assets.config.project import expand_home, find_project, writing_problem
from event_assets.values.errors import ConfigError, exception_chain

MIN_FILES = 64  # files that a sync opens; with fewer, each library fails in its own words


def require_home() -> None:
    """Set DAGSTER_HOME if it is not, and require a folder that can be written, with open files.

    Raises:
        ConfigError: it cannot be used.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files in range(MIN_FILES):  # -1 is no limit
        raise ConfigError(f"Only {files} files may be open at a time: allow 256 (`ulimit -n 256`).")
    home = os.environ["DAGSTER_HOME"] = os.environ.get("DAGSTER_HOME") or str(find_project())
    folder = expand_home(home)
    if not folder.is_absolute():
        raise ConfigError(f"DAGSTER_HOME must be the absolute path of a folder, not {folder}.")
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} (DAGSTER_HOME): make it, or name another.")
    if found := {*"?%*["} & {*home}:  # its path is in a URL, and a pattern of files
        raise ConfigError(
            f"Dagster works in no folder with `{min(found)}` in its path: move {folder}, or set "
            "DAGSTER_HOME to another."
        )
    if problem := writing_problem(folder):
        raise ConfigError(
            f"The folder {folder} (DAGSTER_HOME) cannot be written ({problem}): run it as the "
            "owner, or name a folder of your own."
        )


def open_instance() -> dg.DagsterInstance:
    """Open the Dagster instance of DAGSTER_HOME.

    Raises:
        ConfigError: the folder cannot be used, or its dagster.yaml has a mistake.
    """
    require_home()
    home = expand_home(os.environ["DAGSTER_HOME"])
    file, folder = home / "dagster.yaml", home / "storage"
    try:
        folder.mkdir(exist_ok=True)
        with FileLock(folder / "opening.lock"):  # two that make its databases at once conflict
            instance = dg.DagsterInstance.get()
        # Dagster imports it when it launches a run; it is not built, as one may need its cluster
        launcher = instance.get_ref().run_launcher_data
        if launcher:
            getattr(import_module(launcher.module_name), launcher.class_name)
        dg.DagsterLogManager.create(loggers=[], instance=instance)  # reads python_logs, as runs do
    except yaml.MarkedYAMLError as error:
        from event_assets.component.yaml_file import describe_yaml_error

        line, problem = describe_yaml_error(error)
        problem = f"in line {line}, {problem}"
    except dg.DagsterInvalidConfigError as error:
        problem = error.errors[0].message if error.errors else str(error)
        # what a part of the settings raised stands between its class and a stack trace
        problem = problem.partition("PostProcessingError: ")[2] or problem
        problem = problem.partition("\n")[0].partition(" Expected:")[0]
    except Exception as error:  # whatever Dagster's parts raise that it names
        if any(isinstance(cause, sqlite3.Error) for cause in exception_chain(error)):
            raise  # an error of Dagster's history
        from event_assets.orchestration.error_messages import history_problem

        if of_history := history_problem(error):
            raise ConfigError(of_history) from None
        text = str(error).removeprefix("Failure condition: ").partition(", instead got")[0]
        text = text.rpartition("Description: ")[2]  # of an invariant
        problem = f"{type(error).__name__}: {text}".partition("\n")[0]
    else:
        unwritable = instance.telemetry_enabled and writing_problem(expand_home("~/.dagster"))
        if not unwritable:
            return instance
        problem = (
            f"its telemetry cannot be written ({unwritable}); turn it off there, by "
            "`telemetry: {enabled: false}`"
        )
    raise ConfigError(f"Dagster cannot use its settings in {file}: {problem.rstrip('.')}.")
