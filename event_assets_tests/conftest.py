"""A project of its own for each test: an API on loopback, a DuckDB file, a Dagster instance."""

import copy
import functools
import gc
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tomlkit
from dlt.destinations import duckdb as dlt_duckdb
from pydantic import BaseModel

from event_assets.config import project as project_module
from event_assets.http import retry_policy
from event_assets.sandbox import Sandbox
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.other_project import write_project
from event_assets_tests.support.project import FILES, ROOT, Project, new_project


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call a function once for the same arguments, and copy what it returned."""
    cached = functools.cache(function)
    return lambda *args, **kwargs: copy.deepcopy(cached(*args, **kwargs))


@pytest.fixture(scope="session", autouse=True)
def _fast_process() -> Iterator[None]:
    """Do once what the libraries do again and again in every sync, and comes to the same."""
    gc.collect()
    gc.freeze()  # half a million objects of Dagster and dlt that live as long as the process
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomlkit, "parse", functools.cache(tomlkit.parse))
        schema = once(BaseModel.model_json_schema.__func__)  # type: ignore[attr-defined]
        patch.setattr(BaseModel, "model_json_schema", classmethod(schema))
        patch.setattr(dlt_duckdb, "capabilities", _capabilities_once())
        if find_spec("pandas") is None:  # or DuckDB looks for it at each query
            pa.scalar(0, pa.timestamp("us", "UTC")).as_py()  # Arrow looks once, not for a None
            patch.setitem(sys.modules, "pandas", None)
        yield


def _capabilities_once() -> Callable[..., Any]:
    """Return dlt's method that lists what DuckDB can do, which a sync calls a dozen times."""
    capabilities, found = dlt_duckdb.capabilities, dict[tuple[object, str], Any]()

    def look_up(destination: dlt_duckdb, config: Any = None, naming: Any = None) -> Any:
        key = type(naming), str(destination.caps_params)
        if key not in found:
            found[key] = capabilities(destination, config, naming)
        return copy.copy(found[key])

    return look_up


@pytest.fixture(autouse=True)
def _no_project_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the project that another one loaded into this process, nor its settings."""
    monkeypatch.setattr(project_module, "_loaded", None)
    monkeypatch.setattr(project_module, "ENV_FILE", ".env of this test")
    monkeypatch.setenv("DAGSTER_HOME", "")  # which commands set
    monkeypatch.setenv("EVENTS_PROGRESS", "")  # the same
    monkeypatch.setenv("DLT_PROJECT_DIR", ".")  # dlt's default, which no test changes
    monkeypatch.delenv("CI", raising=False)  # which changes what a first sync prints


@pytest.fixture(autouse=True)
def _no_secret_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test mask words that are the key of another one."""
    monkeypatch.setattr(KNOWN, "_forms", {})
    monkeypatch.setattr(KNOWN, "_short", frozenset())


@pytest.fixture
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait next to nothing before a request is sent again."""
    monkeypatch.setattr(retry_policy, "BACKOFF_FACTOR", 0.01)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project with an empty home, an empty database folder and no settings."""
    with new_project(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project in a folder of its own."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def source_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The YAML of the source `events` of another project, which is the working directory."""
    folder = tmp_path / "other"
    module = f"project_of_{tmp_path.name}"  # differs in each test, since it is imported
    monkeypatch.syspath_prepend(folder)
    file = write_project(folder, module, "events")
    monkeypatch.chdir(folder)
    return file


@pytest.fixture
def api() -> Iterator[Sandbox]:
    """An API with 250 events that do not change."""
    with Sandbox(250) as running:
        yield running
