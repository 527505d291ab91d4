"""DAGSTER_HOME: the folder of Dagster's settings and history, by default the project."""

import os
from pathlib import Path

import dagster as dg
import yaml

from event_assets.config.project import find_project, writing_problem
from event_assets.values.errors import ConfigError


def require_home() -> None:
    """Set DAGSTER_HOME if it is not, and require a folder that can be written.

    Raises:
        ConfigError: it cannot be used.
    """
    home = os.environ["DAGSTER_HOME"] = os.environ.get("DAGSTER_HOME") or str(find_project())
    folder = Path(home).expanduser()
    if not folder.is_absolute():
        raise ConfigError(f"DAGSTER_HOME must be the absolute path of a folder, not {folder}.")
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} (DAGSTER_HOME): make it, or name another.")
    if {"?", "%"} & {*home}:  # for SQLAlchemy, a path is a part of a URL
        raise ConfigError(
            f"The path of DAGSTER_HOME must be one without `?` and `%`, not {folder}."
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
    try:
        return dg.DagsterInstance.get()
    except yaml.MarkedYAMLError as error:
        problem = f"{str(error.problem_mark).strip()}: {error.problem}"
    except dg.DagsterInvalidConfigError as error:
        file = Path(os.environ["DAGSTER_HOME"], "dagster.yaml")
        problem = f"in {file}: {error.errors[0].message.partition(' Expected:')[0].rstrip('.')}"
    raise ConfigError(f"Dagster's settings have a mistake {problem}.")
