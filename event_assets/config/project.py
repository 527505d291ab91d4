"""The project: the folder that holds the sources, `.env`, `data/` and the files of settings."""

import os
import re
from pathlib import Path

from dotenv import load_dotenv

from event_assets.values.errors import ConfigError

CHECKOUT = Path(__file__).resolve().parents[2]

ENV_FILE = ".env"
_loaded: Path | None = None


def set_loaded_project(folder: Path) -> None:
    """Remember the project whose definitions this process loads; read its `.env` and `.dlt`.

    The variables take precedence over the environment, as in Dagster's commands, which read the
    `.env` of the folder that they are started in.

    Raises:
        ConfigError: the file is not UTF-8.
    """
    global _loaded
    _loaded = folder
    os.environ.setdefault("DLT_PROJECT_DIR", str(find_project()))  # of .dlt/secrets.toml
    file = find_project() / ENV_FILE
    try:
        load_dotenv(file, override=True, encoding="utf-8-sig")
    except UnicodeDecodeError:
        problem = f"The file {file} is not in UTF-8: save it in that encoding."
    else:
        return
    raise ConfigError(problem)


def find_project() -> Path:
    """Return the absolute path of the project.

    It is `EVENT_ASSETS_PROJECT`; else the project of the loaded definitions; else the nearest
    folder, from the working directory upwards, with `[tool.dg]` in its pyproject.toml; else the
    folder that this package lies in.
    """
    if chosen := os.environ.get("EVENT_ASSETS_PROJECT"):
        return Path(chosen).expanduser().absolute()
    if _loaded:
        return _loaded
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if _is_project(folder)), CHECKOUT)


def project_path(setting: str) -> Path:
    """Return the absolute path of a setting, which is relative to the project."""
    return find_project() / Path(setting).expanduser()


def _is_project(folder: Path) -> bool:
    file = folder / "pyproject.toml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return re.search(r"^\[tool\.dg\b", text, re.MULTILINE) is not None
