"""The project: the folder that holds the sources, `data/` and the files that settings name."""

import os
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

_loaded: Path | None = None


def set_loaded_project(folder: Path) -> None:
    """Remember the project whose definitions this process has loaded."""
    global _loaded
    _loaded = folder


def find_project() -> Path:
    """Return the absolute path of the project.

    It is `EVENT_ASSETS_PROJECT`; else the project of the loaded definitions; else the nearest
    folder, from the working directory upwards, with `[tool.dg]` in its pyproject.toml; else the
    folder that this package lies in.
    """
    if chosen := os.environ.get("EVENT_ASSETS_PROJECT"):
        return Path(chosen).absolute()
    if _loaded:
        return _loaded
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if _is_project(folder)), CHECKOUT)


def _is_project(folder: Path) -> bool:
    file = folder / "pyproject.toml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return re.search(r"^\[tool\.dg\b", text, re.MULTILINE) is not None
