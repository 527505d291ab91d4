"""Where the project is."""

from pathlib import Path

import pytest

from event_assets.config.project import CHECKOUT, find_project, set_loaded_project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: two folders below a project."""
    (tmp_path / "pyproject.toml").write_text('[tool.dg]\ndirectory_type = "project"\n')
    below = tmp_path / "package" / "module"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[tool.ruff]\n")
    monkeypatch.delenv("EVENT_ASSETS_PROJECT", raising=False)
    monkeypatch.chdir(below)
    return tmp_path


def test_it_is_the_nearest_folder_upwards_that_dg_knows(folder: Path) -> None:
    assert find_project() == folder


def test_without_one_it_is_the_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.anchor)  # above the folders that others may put a project into
    assert find_project() == CHECKOUT


def test_the_project_of_the_loaded_definitions_goes_before(folder: Path) -> None:
    set_loaded_project(folder / "loaded")
    assert find_project() == folder / "loaded"


def test_the_setting_goes_before_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_loaded_project(folder / "loaded")
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", "chosen")
    assert find_project() == Path.cwd() / "chosen"
