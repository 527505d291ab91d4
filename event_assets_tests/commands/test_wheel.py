"""The project as a wheel, installed into another Dagster project."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from event_assets_tests.support.other_project import write_project
from event_assets_tests.support.project import ROOT
from event_assets_tests.support.sandbox import KEY, Sandbox


def build_wheel(folder: Path) -> Path:
    """Build the wheel from a copy of the sources, with the setuptools of this environment."""
    sources = folder / "sources"
    shutil.copytree(
        ROOT / "event_assets",
        sources / "event_assets",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("LICENSE", "README.md", "pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, sources)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", build],
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return sources / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and sees the packages of this environment behind it."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = shutil.which("uv") or str(ROOT / ".venv-uv/bin/uv")
    python = folder / "venv" / "bin" / "python"
    for command in (
        ["venv", "--python", sys.executable, str(folder / "venv")],
        ["pip", "install", "--no-deps", "--no-index", "--python", str(python),
         str(build_wheel(folder))],
    ):  # fmt: skip
        subprocess.run([uv, "--quiet", "--offline", *command], check=True, timeout=60)
    (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (site_packages / "behind.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another Dagster project, with one source."""
    folder = tmp_path / "other_project"
    write_project(folder, "other", "concerts")
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    return folder


def run(python: Path, cwd: Path, program: str, *arguments: str, **environment: str) -> str:
    """Run a program of Dagster's in another environment and project; return what it prints."""
    done = subprocess.run(
        [python, "-c", f"from {program} import main; main()", *arguments],
        cwd=cwd,
        env={
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(cwd.parent),
            "DAGSTER_HOME": str(cwd.parent),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_another_project_can_list_the_component(python: Path) -> None:
    find = "from importlib.metadata import distribution as d; print(d('event_assets').entry_points)"
    found = subprocess.run([python, "-I", "-c", find], capture_output=True, text=True, check=True)
    assert "group='dagster_dg_cli.registry_modules'" in found.stdout
    assert "value='event_assets'" in found.stdout


MATERIALIZE = ("asset", "materialize", "--select", "concerts/event_data", "-m", "other.definitions")


def test_data_lies_under_the_project_that_the_definitions_are_of(
    python: Path, other: Path, api: Sandbox
) -> None:
    (elsewhere := other.parent / "elsewhere").mkdir()
    settings = {"EVENTS_API_URL": api.url, "API_KEY": KEY}
    run(python, elsewhere, "dagster._cli", *MATERIALIZE, "-d", str(other), **settings)
    made = {str(file.relative_to(other)) for file in other.glob("data/*")}
    assert {"data/warehouse.duckdb", "data/dlt"} <= made
    assert list(elsewhere.iterdir()) == []


def test_the_probe_finds_the_sources_of_the_project(python: Path, other: Path) -> None:
    report = run(python, other / "other", "event_assets.__main__", "probe")
    assert report.startswith("Source concerts at the built-in sandbox:")
