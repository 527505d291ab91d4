"""A project with one source, whose YAML a test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from event_assets.cli.main import run
from event_assets_tests.support.other_project import write_project

COMMANDS = ("check", "sync", "probe")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The YAML of the only source of a project."""
    folder = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        # differs for each worker and folder, since it is imported
        file = write_project(folder, f"project_{folder.name}", "events")
        file.parents[2].joinpath("definitions.py").unlink()  # or each source is loaded twice
        yield file


@pytest.fixture
def said(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str | bytes], str]:
    """Write a YAML file; return what every command says about it, without the folder."""
    for name in ("EVENTS_API_URL", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(file.parents[3])

    def say(text: str | bytes) -> str:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        answers = set()
        for command in COMMANDS:
            status = run([command])
            output, errors = capsys.readouterr()
            answers.add((status, output, errors.replace(f"{file.parent}/", "")))
        ((status, output, errors),) = answers
        assert (status, output) == (1, "")
        return errors

    return say
