"""Where the project is."""

import shutil
from pathlib import Path

import pytest

from event_assets.config.env_file import set_loaded_project
from event_assets.config.project import (
    CHECKOUT,
    defs_module,
    fallback_warning,
    find_project,
    project_path,
    require_project,
    set_project,
)
from event_assets.values.errors import ConfigError


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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool.dg.project]  # a comment\nroot_module = 'x'\n"),
        ("pyproject.toml", '[tool.dg]\r\nproject = {root_module = "x"}\r\n'),
        ("pyproject.toml", '[tool]\ndg.project."root_module" = "x"\n'),
        ("pyproject.toml", '[tool.dg.project]\nroot_module = "y"\ndefs_module = "x.defs"\n'),
        ("dg.toml", 'directory_type = "project"\n[project]\nroot_module = "x"\n'),
    ],
)
def test_its_settings_are_read_as_dg_reads_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / name).write_text(text, newline="")
    monkeypatch.chdir(inner)
    assert find_project() == inner
    assert defs_module() == "x.defs"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[project]\n\nname = x\n", ":3: is not TOML: Invalid value."),
        ("[tool.dg.project]\nroot_module = [", ":2: is not TOML: Invalid value."),
        ("# caf\xe9", " is not in UTF-8: save it in that encoding."),
        ("[tool.dg]\n", ': name the package of the project: root_module = "..." in [tool.dg.proj'),
        ("[tool.dg.project]\nroot_module = 5\n", ": name the package of the project: root_modul"),
    ],
)
def test_settings_that_cannot_be_read_are_told(folder: Path, text: str, problem: str) -> None:
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError) as failed:
        defs_module()
    assert f"{file}{problem}" in str(failed.value)


def test_a_folder_that_is_no_project_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(folder / "package"))
    with pytest.raises(ConfigError, match=r"There is no project in .*/package: no pyproject\.toml"):
        defs_module()


def test_a_workspace_is_no_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "dg.toml").write_text('directory_type = "workspace"\n[workspace]\n')
    monkeypatch.chdir(workspace)
    with pytest.raises(ConfigError, match=r"/workspace is a workspace of dg: change to the folder"):
        defs_module()


@pytest.mark.parametrize("name", ["site-packages", "dist-packages"])
def test_an_installed_copy_is_no_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    installed = folder / "lib" / name
    installed.mkdir(parents=True)
    shutil.copy(folder / "pyproject.toml", installed)
    monkeypatch.setattr("event_assets.config.project._loaded", None)
    set_project(installed)
    assert find_project() == folder
    require_project()
    monkeypatch.setattr("event_assets.config.project.CHECKOUT", installed)
    monkeypatch.chdir(Path(folder.anchor))
    for use in (require_project, defs_module):
        with pytest.raises(ConfigError, match=r"There is no project in .* or above: .*EVENT_ASS"):
            use()


def test_without_one_the_working_directory_is_told_not_where_the_package_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENT_ASSETS_PROJECT", raising=False)
    monkeypatch.setattr("event_assets.config.project.CHECKOUT", tmp_path)  # as an installed one
    monkeypatch.chdir(Path(tmp_path.anchor))
    with pytest.raises(ConfigError, match=r"There is no project in / or above: .*EVENT_ASSETS_PRO"):
        defs_module()


def test_without_one_it_is_the_checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.anchor)  # above the folders that others may put a project into
    assert find_project() == CHECKOUT
    assert fallback_warning() is None


def test_a_project_without_settings_of_dg_is_told_where_the_checkout_takes_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fallback_warning() is None
    (folder / "pyproject.toml").unlink()
    assert fallback_warning() == (
        f"{folder}/package/module/pyproject.toml has no table [tool.dg]: this command is about the "
        f"project {CHECKOUT}."
    )
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(CHECKOUT))
    assert fallback_warning() is None


def test_the_project_of_the_loaded_definitions_goes_before(folder: Path) -> None:
    set_loaded_project(folder / "loaded")
    assert find_project() == folder / "loaded"


def test_the_setting_goes_before_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_loaded_project(folder / "loaded")
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", "chosen")
    assert find_project() == Path.cwd() / "chosen"


def test_a_path_in_a_setting_is_relative_to_the_project_or_to_the_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of-the-user")
    assert project_path("data/a.duckdb") == folder / "data/a.duckdb"
    assert project_path("~/a.duckdb") == Path("/home/of-the-user/a.duckdb")
