"""Files that others can get at are warned of."""

import subprocess
from pathlib import Path

import pytest

from event_assets.warehouse import file_permissions
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox


@pytest.fixture
def folder(project: Project, tmp_path: Path) -> Path:
    """The folder of the project, with a database."""
    project.environment.setattr(file_permissions, "find_project", lambda: tmp_path)
    project.environment.setattr(file_permissions, "env_file", lambda: tmp_path / ".env")
    project.database.parent.mkdir()
    project.database.touch(mode=0o644)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "mode", "advice"),
    [
        (".env", 0o644, "chmod 600"),
        (".env", 0o640, "chmod 600"),
        (".dlt/secrets.toml", 0o604, "chmod 600"),
        ("data/warehouse.duckdb", 0o664, "chmod go-w"),
    ],
)
def test_an_insecure_file_is_named_with_what_to_do(
    folder: Path, name: str, mode: int, advice: str
) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    file.chmod(mode)
    (warning,) = file_permissions.insecure_file_warnings()
    assert warning.startswith(f"{file} can be ")
    assert warning.endswith(f"{advice} {file}")


def test_the_advice_can_be_pasted_where_the_path_has_blanks(project: Project, folder: Path) -> None:
    file = folder / "my project" / ".env"
    file.parent.mkdir()
    file.touch()
    file.chmod(0o644)
    project.environment.setattr(file_permissions, "env_file", lambda: file)
    (warning,) = file_permissions.insecure_file_warnings()
    subprocess.run(warning.partition(": ")[2], shell=True, check=True)
    assert file.stat().st_mode & 0o777 == 0o600


def test_others_may_read_the_database(folder: Path) -> None:
    (folder / ".env").touch(mode=0o600)
    assert list(file_permissions.insecure_file_warnings()) == []


def test_a_sync_warns_in_its_log(
    project: Project, folder: Path, capsys: pytest.CaptureFixture[str], api: Sandbox
) -> None:
    project.database.unlink()
    (folder / ".env").write_text("")
    (folder / ".env").chmod(0o644)
    assert project.sync(url=api.url, derived=False).success
    assert f"{folder}/.env can be read by other users of this machine" in capsys.readouterr().err
