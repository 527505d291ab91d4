"""The project: the folder that holds the sources, `.env`, `data/` and the files of settings."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, MIN_SECRET_LENGTH, find_secrets, redact_logs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHECKOUT = Path(__file__).resolve().parents[2]

ENV_FILE = ".env"
ENV_NAME = re.compile(r"[\w.-]+")
DG_FILES = {"dg.toml": (), "pyproject.toml": ("tool", "dg")}  # where each has its settings
DUCKDB_MAGIC = b"DUCK"  # in its files, behind a checksum
SINGLE_QUOTED = re.compile(r"^\s*(?:export\s+)?([^\s=#'\"]+)\s*=\s*'", re.MULTILINE)
_loaded: Path | None = None
_overridden: set[str] = set()  # variables of the environment with another value in `.env`


def set_loaded_project(folder: Path) -> None:
    """Remember the project whose definitions this process loads; read its `.env` and `.dlt`.

    The variables take precedence over the environment, as in Dagster's commands, which read the
    `.env` of the folder that they are started in. Here, and only here, all are stripped of white
    space, and those with the names of secrets become known, so that no message shows them.

    Raises:
        ConfigError: `.env` cannot be read, or has a mistake.
    """
    global _loaded
    _loaded = folder
    redact_logs()
    os.environ.setdefault("DLT_PROJECT_DIR", str(find_project()))  # of .dlt/secrets.toml
    variables = {**os.environ, **read_env_file()}
    for name, value in variables.items():
        known = os.environ.get(name, "").strip()
        if value is not None and value.strip() != os.environ.get(name):
            os.environ[name] = value.strip()
            if known and known != os.environ[name]:
                _overridden.add(name)
    for secret in find_secrets(os.environ):
        if len(secret) >= MIN_SECRET_LENGTH:
            KNOWN.add(secret)


def place_of_variables(names: str) -> str:
    """Return where variables are set, for people: `in .env or the environment`."""
    if _overridden.isdisjoint(names.split()):
        return "in .env or the environment"
    return "in .env, which is read before the environment, where it has another value"


def env_file() -> Path:
    """Return the path of the project's `.env`."""
    return find_project() / ENV_FILE


def read_env_file() -> dict[str, str | None]:
    """Return the variables of the project's `.env`; as in a shell, `${X}` in single quotes stays.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, has a line that is no variable, or two
            values of one.
    """
    file = env_file()
    is_there = os.path.lexists(file) and not file.is_fifo()  # which might wait for ever
    try:
        text = file.read_text(encoding="utf-8-sig") if is_there else ""
    except OSError as error:
        raise ConfigError(f"The file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16
        raise ConfigError(f"The file {file} is not in UTF-8: save it in that encoding.")
    if mistake := _find_env_mistake(text):
        raise ConfigError(f"{file}:{mistake}.")
    literal = dotenv_values(stream=StringIO(text), interpolate=False)
    names = {name for name in SINGLE_QUOTED.findall(text) if name in literal}
    return {**dotenv_values(stream=StringIO(text)), **{name: literal[name] for name in names}}


def _find_env_mistake(text: str) -> str | None:
    """Return the line of the first mistake in a `.env`, and what it is."""
    given: dict[str, tuple[int, str | None]] = {}
    for name, value, original, is_wrong in parse_stream(StringIO(text)):
        line = original.line + len(original.string) - len(original.string.lstrip("\n"))
        if is_wrong or (name and not ENV_NAME.fullmatch(name)):
            return f"{line}: write NAME=VALUE, and close each quote"
        first, other = given.setdefault(name or "", (line, value))
        if name and value != other:
            return f"{line}: {name} has another value in line {first}: delete one of them"
    return None


def find_project() -> Path:
    """Return the absolute path of the project.

    It is `EVENT_ASSETS_PROJECT`; else the project of the loaded definitions; else the nearest
    folder, from the working directory upwards, with `[tool.dg]` in its pyproject.toml, or a
    dg.toml; else the folder that this package lies in.

    Raises:
        ConfigError: such a file cannot be read, or the working directory is gone.
    """
    if chosen := os.environ.get("EVENT_ASSETS_PROJECT"):
        return expand_home(chosen).absolute()
    if _loaded:
        return _loaded
    try:
        here = Path.cwd()
    except FileNotFoundError:
        told = "The working directory was removed: change to another one."
        raise ConfigError(told) from None
    return next((folder for folder in (here, *here.parents) if _dg_settings(folder)[0]), CHECKOUT)


def project_path(setting: str) -> Path:
    """Return the absolute path of a setting, which is relative to the project or a home."""
    return find_project() / expand_home(setting)


def expand_home(setting: str) -> Path:
    """Return a path whose `~` is filled in; `~name` of no user is a file's name."""
    path = Path(setting)
    with suppress(RuntimeError):
        path = path.expanduser()
    return path


def database_file() -> Path:
    """Return the absolute path of the DuckDB file: EVENTS_DUCKDB, by default in the project."""
    return project_path(os.environ.get("EVENTS_DUCKDB") or "data/warehouse.duckdb")


def is_lake() -> bool:
    """Return whether the tables are in a lake, not in a file."""
    return os.environ.get("EVENTS_DESTINATION", "") not in ("", "duckdb")


def database_name() -> str:
    """Return the name of the database, as DuckDB has it before the schema of a table."""
    return "lake" if is_lake() else next(filter(None, database_file().name.split(".")))


def syncs_folder() -> Path:
    """Return the folder of the journals, locks and failures of syncs into the database."""
    file = database_file()
    return file.parent / "dlt" / ("lake" if is_lake() else file.stem)


def failure_file(pipeline: str) -> Path:
    """Return the file with the account, and the reason, of a sync that failed."""
    return syncs_folder() / f"{pipeline}.failed"


def writing_problem(folder: Path) -> str | None:
    """Return why nothing can be made in a folder, or in the nearest above it; None if it can.

    It is tried, since permissions do not tell all, and leaves nothing there.
    """
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    try:
        with TemporaryFile(dir=there):
            return None
    except FileNotFoundError:  # in /proc
        return f"{there}: no file can be made there"
    except OSError as error:
        return f"{there}: {error.strerror}"


def require_writable_database() -> None:
    """Raise a ConfigError if a DuckDB file cannot be made or written where it is to be."""
    file = database_file()
    problem = writing_problem(file.parent)
    if not problem and file.exists() and not os.access(file, os.W_OK):
        problem = f"{file}: Permission denied"
    if not problem and file.exists() and not file.is_file():
        problem = f"{file}: Not a file"
    if problem:
        raise ConfigError(
            f"The database {file} cannot be written ({problem}): let the user who "
            "syncs write there, or name another file in EVENTS_DUCKDB."
        )
    require_duckdb_file()


def require_duckdb_file() -> None:
    """Raise a ConfigError for a file that is no database of DuckDB.

    DuckDB would read other data files into memory, and download an extension for SQLite's.
    """
    file = database_file()
    if not file.is_file():
        return
    with suppress(OSError), file.open("rb") as content:
        start = content.read(12)
        if start[8:] != DUCKDB_MAGIC:
            what = "is no database of DuckDB:" if start else "is empty: delete it,"
            raise ConfigError(
                f"The file {file} {what} restore a backup, as docs/operations.md describes, or "
                "name another file in EVENTS_DUCKDB."
            )


def project_setting(name: str) -> str | None:
    """Return a text among the settings of dg for the project; None if it is not set.

    Raises:
        ConfigError: there is no project, or the file of its settings cannot be read.
    """
    folder = find_project()
    file, settings = _dg_settings(folder)
    if file is None:
        raise ConfigError(
            f"There is no project in {folder}: no pyproject.toml there has the table [tool.dg]."
        )
    value = get_nested(settings, "project", name)
    return value if isinstance(value, str) else None


def defs_module() -> str:
    """Return the name of the module that holds the folders of the sources.

    Raises:
        ConfigError: there is no project, or its settings name no module.
    """
    root = project_setting("root_module")
    if name := project_setting("defs_module") or (root and f"{root}.defs"):
        return name
    raise ConfigError(
        f'{find_project()}/pyproject.toml: name the package of the project: root_module = "..." '
        "in [tool.dg.project]."
    )


def _dg_settings(folder: Path) -> tuple[Path | None, Any]:
    """Return the file with the settings of dg in a folder, as dg finds it, and what it says."""
    for name, keys in DG_FILES.items():
        file = folder / name
        settings = get_nested(_read_toml(file), *keys) if file.is_file() else None
        if settings is not None:
            return file, settings
    return None, None


def _read_toml(file: Path) -> Any:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"The file {file} cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        problem = f"The file {file} is not in UTF-8: save it in that encoding."
    except tomllib.TOMLDecodeError as error:
        reason, _, at = str(error).rstrip(")").partition(" (at ")
        line = re.findall(r"line (\d+)", at) or [file.read_text(encoding="utf-8").count("\n") + 1]
        problem = f"{file}:{line[0]}: is not TOML: {reason}."
    raise ConfigError(problem)


def get_nested(value: Any, *keys: str) -> Any:
    """Return what is at nested keys of mappings, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
