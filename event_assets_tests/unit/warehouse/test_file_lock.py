"""Folders for temporary files, which the processes of a machine remove for each other."""

import shutil
import tempfile
from pathlib import Path

import pytest

from event_assets.warehouse import file_lock


def test_a_folder_that_another_process_has_just_removed_stops_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with file_lock.temporary_folder() as left:
        shutil.copytree(left, gone := tmp_path / f"{left.name}-killed")
    is_locked = file_lock.is_file_locked

    def remove_first(lock: Path) -> bool:
        shutil.rmtree(gone)
        return is_locked(lock)

    monkeypatch.setattr(file_lock, "is_file_locked", remove_first)
    with file_lock.temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_another_process_removes_while_its_lock_is_tried_is_not_locked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def mkdir(*_: object, **__: object) -> None:  # sees the folder, and then it is gone
        raise FileExistsError(tmp_path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert not file_lock.is_file_locked(tmp_path / "gone" / "lock")


def test_the_folder_of_a_killed_process_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with file_lock.temporary_folder() as left:
        shutil.copytree(left, tmp_path / f"{left.name}-killed")
    with file_lock.temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
