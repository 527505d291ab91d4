"""The `.env` of a project, and the settings of the environment."""

import os
from pathlib import Path

import pytest

from event_assets.config import project
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN


def load(folder: Path, content: bytes) -> None:
    (folder / project.ENV_FILE).write_bytes(content)
    project.set_loaded_project(folder)


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


def test_no_message_shows_a_setting_with_the_name_of_a_secret(tmp_path: Path) -> None:
    load(tmp_path, b"SOME_API_KEY='a-key-of-this-test'\nSOME_KEY_SIZE=1\n")
    assert KNOWN.redact_text("1 a-key-of-this-test") == "1 ***"
