"""The project's `.env`: its variables go into the environment."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from event_assets.config.project import find_project, set_project
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, MIN_SECRET_LENGTH, find_secrets, redact_logs

ENV_FILE = ".env"
MAX_SIZE = 1_000_000  # bytes
DLT_FILES = ("config.toml", "secrets.toml")
ENV_NAME = re.compile(r"[\w.-]+")
SINGLE_QUOTED = re.compile(r"^\s*(?:export\s+)?([^\s=#'\"]+)\s*=\s*'", re.MULTILINE)
_overridden: set[str] = set()  # variables of the environment with another value in `.env`


def set_loaded_project(folder: Path) -> None:
    """Remember the project whose definitions this process loads; read its `.env` and `.dlt`.

    The variables take precedence over the environment, as in Dagster's commands, which read the
    `.env` of the folder that they are started in. Here, and only here, all are stripped of white
    space, and those with the names of secrets become known, so that no message shows them.

    Raises:
        ConfigError: `.env` cannot be read, or has a mistake; a file of dlt's is a folder.
    """
    set_project(folder)
    redact_logs()
    folder_of_dlt = Path(os.environ.setdefault("DLT_PROJECT_DIR", str(find_project())), ".dlt")
    for toml in map(folder_of_dlt.absolute().joinpath, DLT_FILES):
        if toml.is_dir():  # which dlt passes over; Docker makes one to mount a file that is missing
            raise ConfigError(f"{toml} is a folder, where dlt reads a file: remove it.")
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
    is_there = os.path.lexists(file)
    if is_there and file.is_fifo():  # reading it might never end
        raise ConfigError(
            f"The file {file} is a pipe, which is not read: set its variables in the environment."
        )
    content = b""
    try:
        with file.open("rb") if is_there else nullcontext(BytesIO()) as opened:
            content = opened.read(MAX_SIZE + 1)
        text = TextIOWrapper(BytesIO(content), "utf-8-sig").read()  # with any ends of lines
    except OSError as error:
        raise ConfigError(f"The file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        text = "\0"
    if len(content) > MAX_SIZE:  # a device may have no end
        raise ConfigError(f"The file {file} is larger than 1 MB: it is to hold variables only.")
    if "\0" in text:  # as in UTF-16
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
        if is_wrong or (name and (value is None or not ENV_NAME.fullmatch(name))):
            return f"{line}: write NAME=VALUE, and close each quote"
        first, other = given.setdefault(name or "", (line, value))
        if name and value != other:
            return f"{line}: {name} has another value in line {first}: delete one of them"
    return None
