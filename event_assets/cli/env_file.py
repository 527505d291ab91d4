"""Add variables to the project's `.env`, which holds the keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from event_assets.values.errors import ConfigError

MODE = 0o600  # no other user of the machine may read it


def add_variables(file: Path, variables: Mapping[str, str]) -> list[str]:
    """Add variables to a file that only its owner may read, and return the names of new ones.

    What is in the file stays as it is.

    Raises:
        ConfigError: a variable is there with another value, or a value has a line break.
    """
    text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    known = dotenv_values(file) if text else {}
    new = {name: value for name, value in variables.items() if known.get(name) != value}
    for name in new:
        if known.get(name):
            raise ConfigError(f"{file} has another {name}: change it there, or take it out.")
    if not new:
        return []
    lines = "".join(f"{name}={_quote(name, value)}\n" for name, value in new.items())
    separator = "" if not text or text.endswith("\n") else "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE)
    with os.fdopen(descriptor, "a", encoding="utf-8") as opened:
        os.fchmod(opened.fileno(), MODE)
        opened.write(separator + lines)
    return [*new]


def _quote(name: str, value: str) -> str:
    if "'" not in value and value.isprintable():
        return value if value.replace("-", "").replace("_", "").isalnum() else f"'{value}'"
    if not value.isprintable():
        raise ConfigError(f"The value of {name} has a line break or a control character.")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
