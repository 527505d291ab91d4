"""The `.env` of a project, and the settings of the environment."""

import os
from pathlib import Path

import pytest

from event_assets.config import env_file
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN


def load(folder: Path, content: bytes) -> None:
    (folder / env_file.ENV_FILE).write_bytes(content)
    env_file.set_loaded_project(folder)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "PLACE": "here"})


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("'a${PLACE}b'", "a${PLACE}b"),
        ('"a${PLACE}b"', "ahereb"),
        ("a${PLACE}b", "ahereb"),
        ("a$PLACE", "a$PLACE"),
        ("a#b # a comment", "a#b"),
        ("  'spaces around'  ", "spaces around"),
        ("' spaces within the quotes '", "spaces within the quotes"),
        ("carriage return\r", "carriage return"),
    ],
)
@pytest.mark.parametrize("export", ["", "export "])
def test_a_value_is_read_as_a_shell_reads_it_without_white_space(
    tmp_path: Path, line: str, value: str, export: str
) -> None:
    load(tmp_path, f"# it's a comment\n{export}OTHER = {line}\nLAST=1\n".encode())
    assert os.environ["OTHER"] == value
    assert os.environ["LAST"] == "1"


@pytest.mark.parametrize("value", ["text\n", " text", "\ttext\r\n"])
def test_a_setting_of_the_environment_has_no_white_space_around_it(
    tmp_path: Path, value: str
) -> None:
    os.environ["OTHER"] = value
    load(tmp_path, b"")
    assert os.environ["OTHER"] == "text"


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.env of this test is not in UTF-8: save it in that"):
        load(tmp_path, "A=é".encode("latin-1"))


def test_a_device_without_an_end_is_not_read_to_it(tmp_path: Path) -> None:
    (tmp_path / env_file.ENV_FILE).symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=r"\.env.* is larger than 1 MB: "):
        env_file.set_loaded_project(tmp_path)


def test_a_pipe_is_not_read_and_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / env_file.ENV_FILE)
    with pytest.raises(
        ConfigError, match=r"\.env.* is a pipe, which is not read: set its variables"
    ):
        env_file.set_loaded_project(tmp_path)


def test_no_message_shows_a_setting_with_the_name_of_a_secret(tmp_path: Path) -> None:
    load(tmp_path, b"SOME_API_KEY='a-key-of-this-test'\nSOME_KEY_SIZE=1\n")
    assert KNOWN.redact_text("1 a-key-of-this-test") == "1 ***"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `.env` of a project; the variables that it sets are removed afterwards."""
    monkeypatch.setenv("EVENTS_API_URL", "http://of-the-shell")
    monkeypatch.delenv("EVENT_ASSETS_PROJECT", raising=False)
    monkeypatch.setattr(env_file, "ENV_FILE", ".env")
    return tmp_path / ".env"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_loaded_project_sets_the_variables_of_its_env_file(file: Path, encoding: str) -> None:
    file.write_text("EVENTS_API_URL=http://of-the-file\n", encoding=encoding)
    env_file.set_loaded_project(file.parent)
    assert os.environ["EVENTS_API_URL"] == "http://of-the-file"


@pytest.mark.parametrize(
    ("value", "said"),
    [("of-the-shell", "in .env or"), ("of-the-file", "in .env, which is read before the environ")],
)
def test_a_variable_that_differs_in_the_environment_is_said_to_be_read_from_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("API_KEY", "of-the-shell ")
    file.write_text(f"API_KEY={value}\n")
    for _ in range(2):
        env_file.set_loaded_project(file.parent)
    assert env_file.place_of_variables("NAME and API_KEY").startswith(said)
    assert env_file.place_of_variables("NAME") == "in .env or the environment"


def test_an_env_file_in_another_encoding_is_named(file: Path) -> None:
    file.write_text("EVENTS_API_URL=http://of-the-file\n", encoding="utf-16")
    with pytest.raises(ConfigError, match=rf"^The file {file} is not in UTF-8: "):
        env_file.set_loaded_project(file.parent)
