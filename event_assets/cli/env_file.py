"""Add variables to the project's `.env`, which holds the keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dotenv import set_key

from event_assets.config.env_file import env_file, read_env_file
from event_assets.values.errors import ConfigError

MODE = 0o600  # no other user of the machine may read it


def add_variables(variables: Mapping[str, str]) -> list[str]:
    """Add variables to `.env`, which only its owner may read, and return the names of new ones.

    What is in the file stays as it is.

    Raises:
        ConfigError: a variable is there with another value, or a value has a line break.
    """
    file, known = env_file(), read_env_file()
    new = {name: value for name, value in variables.items() if known.get(name) != value}
    for name, value in new.items():
        if known.get(name):
            raise ConfigError(f"{file} has another {name}: change it there, or take it out.")
        if not value.isprintable():
            raise ConfigError(f"The value of {name} has a line break or a control character.")
    for name, value in new.items():
        file.touch(MODE)
        file.chmod(MODE)
        set_key(file.resolve(), name, value, quote_mode="auto")
    return [*new]


def require_writable(file: Path, content: str) -> None:
    """Raise a ConfigError if a file or folder cannot be written."""
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ConfigError(f"{file} cannot be written, and is to hold {content}: change its mode.")


def would_be_committed(file: Path) -> bool:
    """Return whether a file is in a git repository that does not ignore it."""
    command = ["git", "-C", str(file.parent), "check-ignore", "--quiet", file.name]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (no input)
    except OSError:  # git is not installed
        return False
    return done.returncode == 1  # 128: in no repository
