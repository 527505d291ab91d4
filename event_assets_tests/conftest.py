"""A project of its own for each test: an API on loopback, a DuckDB file, a Dagster instance."""

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from event_assets.config import env_file as env_module
from event_assets.config import project as project_module
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.fast_libraries import make_libraries_fast, repeat_examples
from event_assets_tests.support.other_project import write_project
from event_assets_tests.support.project import FILES, ROOT, Project, new_project
from event_assets_tests.support.sandbox import Sandbox
from event_assets_tests.support.waits import Waits

CHANCE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
FIXTURES = HealthCheck.function_scoped_fixture  # each example begins with an empty database
FUZZ = "EVENT_ASSETS_FUZZ" in os.environ  # other examples each time
settings.register_profile(
    "any machine", deadline=None, derandomize=not FUZZ, suppress_health_check=(*CHANCE, FIXTURES)
)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _fast_process() -> Iterator[None]:
    """Spare each test what the libraries need to do only once in a process."""
    gc.collect()
    gc.freeze()  # half a million objects of Dagster and dlt that live as long as the process
    with pytest.MonkeyPatch.context() as patch:
        make_libraries_fast(patch)
        if not FUZZ:
            repeat_examples(patch)
        yield
    gc.unfreeze()  # or DuckDB aborts at the exit of Python 3.14


@pytest.fixture(autouse=True)
def _no_project_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the project that another one loaded into this process, nor its settings."""
    monkeypatch.setattr(project_module, "_loaded", None)
    monkeypatch.setattr(env_module, "_overridden", set())
    monkeypatch.setattr(env_module, "ENV_FILE", ".env of this test")
    monkeypatch.setenv("DAGSTER_HOME", "")  # which commands set
    monkeypatch.setenv("EVENTS_PROGRESS", "")  # the same
    monkeypatch.setenv("DLT_PROJECT_DIR", ".")  # dlt's default, which no test changes


@pytest.fixture(autouse=True)
def _no_secret_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test mask words that are the key of another one."""
    monkeypatch.setattr(KNOWN, "_forms", {})
    monkeypatch.setattr(KNOWN, "_short", frozenset())


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Let no request wait before it is sent, or sent again; how long it would have is noted."""
    clock = Waits()
    clock.install(monkeypatch)
    return clock


@pytest.fixture
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project with an empty home, an empty database folder and no settings.

    For tests marked `in_process`, in which no other process needs the database, it stays open;
    for one of such a module that is marked `in_process(False)`, it does not.
    """
    mark = request.node.get_closest_marker("in_process")
    is_open = mark is not None and mark.args != (False,)
    project = new_project(tmp_path, monkeypatch)
    with project as made, made.kept_open() if is_open else nullcontext():
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
