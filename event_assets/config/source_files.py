"""The sources as their files have them, for commands that answer at once: nothing is validated."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import yaml

from event_assets.config.program import program
from event_assets.config.project import defs_module, find_project, get_nested, project_path
from event_assets.config.settings import KEYS
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import hide_random_words
from event_assets.values.urls import redact_url

COMPONENT = "event_assets.EventApi"
TYPE = re.compile(r"^type:\s*[\"']?([\w.]+)", re.MULTILINE)  # the component, in the YAML
DEFAULT_SOURCE = "events"
EVENT_DATA = "event_data"
MAX_CLOCK_DIFFERENCE = 5  # minutes between two clocks that are both taken for right
SANDBOX = "the built-in sandbox"
INVENTED = f"{SANDBOX}, whose events are invented"
# In the YAML; it stays there if the variable is not set.
VARIABLE = re.compile(r"\{\{\s*env(?:\.|\(\s*['\"])(\w+)(?:['\"]\s*\))?\s*\}\}")


class Loader(yaml.SafeLoader):
    """Reads dates as texts, as Dagster does."""


Loader.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    "tag:yaml.org,2002:timestamp": yaml.SafeLoader.construct_yaml_str,
}


@dataclass(frozen=True)
class SourceFile:
    """The `defs.yaml` of a source, named by its folder."""

    file: Path

    @cached_property
    def attributes(self) -> Any:
        """Return the attributes as they are in the file.

        Raises:
            ConfigError: it cannot be read, is no YAML, or names no API.
        """
        text = _read(self.file)
        try:
            given = [*yaml.load_all(text, Loader)]
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            problem = f"The file {self.file} is no YAML: `{program()} check` says why."
            raise ConfigError(problem) from error
        own = (
            get_nested(one, "attributes") for one in given if get_nested(one, "type") == COMPONENT
        )
        found = next(own, None)
        if not get_nested(found, "rest_api"):
            raise ConfigError(f"The file {self.file} names no API: `{program()} check` says why.")
        return found

    @property
    def variables(self) -> list[str]:
        """Return the variables that it names."""
        return VARIABLE.findall(_read(self.file))

    @property
    def name(self) -> str:
        """Return the name of the source, and of its schema in the database."""
        return self.file.parent.name

    @property
    def tables(self) -> list[str]:
        """Return the names of its resources, the events first."""
        resources = get_nested(self.attributes, "rest_api", "resources")
        known = resources if isinstance(resources, list) else []
        return [EVENT_DATA, *sorted({str(get_nested(one, "name")) for one in known} - {EVENT_DATA})]

    @property
    def has_accounts(self) -> bool:
        """Return whether it syncs accounts."""
        return bool(get_nested(self.attributes, "accounts"))

    @property
    def accounts(self) -> list[str]:
        """Return its accounts as far as it, or the file that it names, lists them."""
        given = get_nested(self.attributes, "accounts")
        if file := get_nested(given, "file"):
            with suppress(OSError, ValueError):
                given = read_accounts(project_path(str(file)))
        names = given if isinstance(given, list) else []
        return [name for name in names if isinstance(name, str) and "{{" not in name]

    @property
    def base_url(self) -> str:
        """Return the base URL of its API; empty for the sandbox. Only variables are filled in."""
        address = str(get_nested(self.attributes, "rest_api", "client", "base_url") or "")
        for name in VARIABLE.findall(address):
            hide_random_words(os.environ.get(name, ""))
        return VARIABLE.sub(lambda match: os.environ.get(match[1], ""), address).strip()

    @property
    def base_url_variable(self) -> str | None:
        """Return the variable that its address is read from; None if there is none."""
        address = get_nested(self.attributes, "rest_api", "client", "base_url")
        return next(iter(VARIABLE.findall(str(address))), None)

    @property
    def unsent_keys(self) -> list[str]:
        """Return the variables with keys of its own that are set, and that its file does not use.

        Raises:
            ConfigError: it is no YAML.
        """
        used = str(self.attributes)
        own = [] if "'auth'" in used else [f"{self.name}__{name}".upper() for name in KEYS]
        return [name for name in own if os.environ.get(name) and name not in used]

    @property
    def shown_base_url(self) -> str:
        """Return the address without secrets, or a phrase for the sandbox."""
        if "{" in self.base_url:
            return "a URL that a template makes"
        if self.base_url and "://" not in self.base_url:  # it may be a key
            return "an address without https://"
        return redact_url(self.base_url) if self.base_url else SANDBOX

    @property
    def minutes_until_late(self) -> float | None:
        """Return the age in minutes above which its newest sync is late; None: it never is."""
        minutes = get_nested(self.attributes, "freshness", "warn_after_minutes")
        return float(minutes) if isinstance(minutes, (int, float)) else None


def find_sources() -> dict[str, SourceFile]:
    """Return the sources of the project by name, the default one first.

    Raises:
        ConfigError: there is no project, a file cannot be read, or Dagster would not load it.
    """
    sources: dict[str, SourceFile] = {}
    folder = defs_folder()
    known = find_files(folder, "*.y*ml")
    files = [file for file in known if file.name == "defs.yaml" and file.parent != folder]
    for file in filter(Path.is_file, {*known} - {*files}):
        _require_copy(file, folder)
    for source in map(SourceFile, filter(_is_source, files)):
        if same := sources.get(source.name):
            raise ConfigError(f"{same.file} and {source.file} name one source: rename a folder.")
        if any(other.file.parent in source.file.parents for other in sources.values()):
            raise ConfigError(
                f"{source.file} is in the folder of another source, where Dagster reads none: move "
                "its folder beside that one."
            )
        sources[source.name] = source
    return dict(sorted(sources.items(), key=lambda item: item[0] != DEFAULT_SOURCE))


def defs_folder() -> Path:
    """Return the folder that holds the folders of the sources.

    Raises:
        ConfigError: there is no project, or no such folder.
    """
    path, folder = Path(*defs_module().split(".")), find_project()
    found = folder / "src" / path if (folder / "src" / path).is_dir() else folder / path
    if not found.is_dir():
        raise ConfigError(
            f"There is no folder {found} for the sources: make it, or correct [tool.dg.project] in "
            f"{folder / 'pyproject.toml'}."
        )
    return found


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Return what is below a folder by its name, where Dagster looks for files, too.

    Raises:
        ConfigError: a folder cannot be read.
    """
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        folders[:] = [name for name in folders if name[0] != "." and name != "__pycache__"]
        found += [Path(parent, name) for name in fnmatch.filter(folders + names, pattern)]
    return sorted(found, key=lambda file: (len(file.parts), file))


def read_accounts(path: Path) -> list[str]:
    """Return the names of accounts in a text file.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]


def find_base_url_variable(name: str) -> str | None:
    """Return the variable with the address of a source of the project, if its file names one."""
    with suppress(ConfigError):  # there may be no project
        source = find_sources().get(name)
        return source.base_url_variable if source else None
    return None


def unused_sandboxes(sources: Mapping[str, SourceFile]) -> set[str]:
    """Return the names of the sources that are the sandbox beside one with an API."""
    if len(sources) == 1:
        return set()
    without = {name for name, source in sources.items() if not source.base_url}
    return without if len(without) < len(sources) else set()


def _read(file: Path) -> str:
    """Read a file whose mistakes, also of its encoding, the check tells.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    kind = "folder" if Path(error.filename).is_dir() else "file"
    raise ConfigError(f"The {kind} {error.filename} cannot be read: {error.strerror}.") from None


def _is_source(file: Path) -> bool:
    """Return whether a file has more than components of other packages, as far as it is known."""
    named = TYPE.findall(_read(file))
    packages = {name.partition(".")[0] for name in named} or {""}
    return any(one in ("", "event_assets") or find_spec(one) is None for one in packages)


def _require_copy(file: Path, folder: Path) -> None:
    """Raise a ConfigError for the file of a source that Dagster would not find."""
    is_copy = file.parent != folder and file.with_name("defs.yaml").exists()
    if not is_copy and COMPONENT in TYPE.findall(_read(file)):
        problem = "Dagster reads no such file: call it defs.yaml"
        if file.parent == folder:
            problem = "move it into a folder below, which names the source, as defs.yaml"
        raise ConfigError(f"{file}: {problem}.")
