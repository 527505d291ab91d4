"""The project: the folder that holds the sources, `.env` and `data/`, and its settings of dg."""

import errno
import os
import re
import tomllib
from contextlib import suppress
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from event_assets.values.errors import ConfigError

CHECKOUT = Path(__file__).resolve().parents[2]

DG_FILES = {"dg.toml": (), "pyproject.toml": ("tool", "dg")}  # keys of the settings in each
INSTALLED = ("site-packages", "dist-packages")  # folders of copies, which are no projects
NO_PROJECT = (
    "There is no project in {where}: no pyproject.toml there has the table [tool.dg]. "
    "Change to the folder of a project, or name it in EVENT_ASSETS_PROJECT."
)
WORKSPACE = (
    "The folder {folder} is a workspace of dg: change to the folder of one of its projects, or "
    "name that in EVENT_ASSETS_PROJECT."
)
_loaded: Path | None = None
_parse = lru_cache(maxsize=8)(tomllib.loads)  # of one file some 20 times a command


def set_project(folder: Path) -> None:
    """Remember the project whose definitions this process loads, unless they are installed."""
    global _loaded
    _loaded = None if folder.name in INSTALLED else folder


def require_project() -> None:
    """Raise a ConfigError if the project would be where packages are installed."""
    if find_project().name in INSTALLED:
        raise ConfigError(NO_PROJECT.format(where=f"{Path.cwd()} or above"))


def find_project() -> Path:
    """Return the absolute path of the project.

    It is `EVENT_ASSETS_PROJECT`; else the project of the loaded definitions, if they are not those
    of an installed copy; else the nearest folder, from the working directory upwards, with
    `[tool.dg]` in its pyproject.toml, or a dg.toml; else the folder that this package lies in.

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
        problem = "The working directory was removed: change to another one."
        raise ConfigError(problem) from None
    return next((folder for folder in (here, *here.parents) if _dg_settings(folder)[0]), CHECKOUT)


def fallback_warning() -> str | None:
    """Return a sentence if the working directory has a pyproject.toml without `[tool.dg]`.

    The project is then the folder of this package, as anywhere else.
    """
    is_named = os.environ.get("EVENT_ASSETS_PROJECT") or CHECKOUT.name in INSTALLED
    if is_named or find_project() != CHECKOUT:
        return None
    here = Path.cwd()
    outside = takewhile(lambda folder: folder != CHECKOUT, (here, *here.parents))
    file = next((file for folder in outside if (file := folder / "pyproject.toml").is_file()), None)
    problem = f"{file} has no table [tool.dg]: this command is about the project {CHECKOUT}."
    return problem if file else None


def project_path(setting: str) -> Path:
    """Return the absolute path of a setting, which is relative to the project or a home."""
    return find_project() / expand_home(setting)


def expand_home(setting: str) -> Path:
    """Return a path whose `~` is filled in; `~name` of no user is a file's name."""
    path = Path(setting)
    with suppress(RuntimeError):
        path = path.expanduser()
    return path


def writing_problem(folder: Path) -> str | None:
    """Return why nothing can be made in a folder, or in the nearest above it; None if it can.

    It is tried, since permissions do not tell all, and leaves nothing there. A full disk is told
    where something is written.
    """
    there = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    try:
        with TemporaryFile(dir=there):
            return None
    except FileNotFoundError:  # such as in /proc
        return f"{there}: no file can be made there"
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return None if is_full else f"{there}: {error.strerror}"


def project_setting(name: str) -> str | None:
    """Return a text among the settings of dg for the project; None if it is not set.

    Raises:
        ConfigError: there is no project, or the file of its settings cannot be read.
    """
    folder = find_project()
    file, settings = _dg_settings(folder)
    if file is None:
        where = f"{Path.cwd()} or above" if folder == CHECKOUT else folder
        raise ConfigError(NO_PROJECT.format(where=where))
    if get_nested(settings, "directory_type") == "workspace":
        raise ConfigError(WORKSPACE.format(folder=folder))
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
    for name, keys in DG_FILES.items() if folder.name not in INSTALLED else ():
        file = folder / name
        settings = get_nested(_read_toml(file), *keys)
        if settings is not None:
            return file, settings
    return None, None


def _read_toml(file: Path) -> Any:
    try:
        return _parse(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        problem = f"The file {file} cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        problem = f"The file {file} is not in UTF-8: save it in that encoding."
    except tomllib.TOMLDecodeError as error:
        reason, _, at = str(error).rstrip(")").partition(" (at ")
        line = re.findall(r"line (\d+)", at) or [file.read_text(encoding="utf-8").count("\n") + 1]
        problem = f"{file}:{line[0]}: is not TOML: {reason}."
    raise ConfigError(problem)


def get_nested(value: Any, *keys: str | int) -> Any:
    """Return what is at nested keys of mappings and lists, or None."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value
