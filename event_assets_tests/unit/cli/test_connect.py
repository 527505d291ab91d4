"""`event-assets connect`: what it prints and writes, and what it never does."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from event_assets.cli.env_file import add_variables
from event_assets.cli.main import run
from event_assets.config import env_file as env_module
from event_assets.config.env_file import read_env_file
from event_assets.config.program import program
from event_assets.values.errors import ConfigError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.event_records import events
from event_assets_tests.support.sandbox import KEY, Sandbox

Output = pytest.CaptureFixture[str]
CANARY = "c4n4ry/k3y=+w1th%odd"


@pytest.fixture
def folder(source_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project's sources."""
    monkeypatch.setattr("event_assets.config.env_file.ENV_FILE", ".env")
    monkeypatch.setenv("MY_KEY", CANARY)
    monkeypatch.setenv("CONCERTS__API_KEY", "of this test")  # so that it is as before at the end
    monkeypatch.delenv("CONCERTS__API_KEY")
    return source_file.parents[1]


def connect(api: Sandbox, *options: str) -> int:
    url, name = f"{api.url}/v1/events", ("--name", "concerts")
    return run(["connect", url, *name, "--key-from-env", "MY_KEY", "--no-sync", *options])


def test_a_source_is_written_with_its_key_in_the_env_file_only(
    folder: Path, capsys: Output
) -> None:
    project = Path.cwd()
    (project / ".env").write_text("OTHER=1")
    with Sandbox(250, key=CANARY) as api:
        assert connect(api, "--yes") == 0
    output = capsys.readouterr()
    file = folder / "concerts" / "defs.yaml"
    written = yaml.safe_load(file.read_text())
    assert written["attributes"]["rest_api"]["client"]["auth"]["name"] == "api_key"
    env = project / ".env"
    assert env.read_text() == f"OTHER=1\nCONCERTS__API_KEY='{CANARY}'\n"
    assert env.stat().st_mode & 0o777 == 0o600
    assert CANARY not in output.out + output.err
    others = [path for path in project.rglob("*") if path.is_file() and path != env]
    assert [path for path in others if CANARY.encode() in path.read_bytes()] == []
    assert "Wrote " in output.out
    assert output.out.endswith(f"Next: {program()} sync concerts\n")


@pytest.mark.parametrize(
    ("ignored", "count"), [("data/\n#.env\n", 1), ("/.env\n", 0), ("**/.env", 0), ("*.env", 0)]
)
def test_a_key_that_git_would_commit_is_told(
    folder: Path, capsys: Output, ignored: str, count: int
) -> None:
    assert folder.is_dir()
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path(".gitignore").write_text(ignored)
    with Sandbox(250, key=CANARY) as api:
        assert connect(api, "--yes") == 0
    assert capsys.readouterr().err.count("git does not ignore .env") == count


def test_without_a_terminal_nothing_is_written_but_with_yes(folder: Path, capsys: Output) -> None:
    with Sandbox(250, key=CANARY) as api:
        assert connect(api) == 1
    assert "Nothing was written: add --yes to write it." in capsys.readouterr().err
    assert not (folder / "concerts").exists()


def test_a_second_connect_shows_what_would_change(folder: Path, capsys: Output) -> None:
    with Sandbox(250, key=CANARY) as api:
        assert connect(api, "--yes") == 0
        assert connect(api, "--set", "fields.name.from=category") == 1
        assert connect(api, "--yes") == 0
    output = capsys.readouterr().out
    assert output.count("Wrote ") == 1
    assert "+    name: {type: text, from: category}" in output
    assert "is as it should be" in output
    assert "category" not in (folder / "concerts" / "defs.yaml").read_text()


def test_a_second_connect_uses_the_key_in_the_env_file_for_the_same_server_only(
    folder: Path, capsys: Output
) -> None:
    again = ("--name", "concerts", "--no-sync", "--yes")
    with Sandbox(250, key=CANARY) as api, Sandbox(250, key=CANARY) as other:
        assert connect(api, "--yes") == 0
        before = (folder / "concerts" / "defs.yaml").read_text()
        assert run(["connect", f"{api.url}/v1/events", *again]) == 0
        assert "is as it should be" in capsys.readouterr().out
        assert run(["connect", f"{other.url}/v1/events", *again]) == 1
        assert not any(request.authorized for request in other.requests)
    assert "The API wants a key" in capsys.readouterr().err
    assert (folder / "concerts" / "defs.yaml").read_text() == before


def test_removing_a_source_says_that_its_key_stays(folder: Path, capsys: Output) -> None:
    with Sandbox(250, key=CANARY) as api:
        assert connect(api, "--yes") == 0
    assert run(["remove", "concerts", "--yes"]) == 0
    assert "Its key stays in .env: CONCERTS__API_KEY.\n" in capsys.readouterr().out
    assert not (folder / "concerts").exists()


def test_choices_are_told_as_options_that_can_be_pasted(folder: Path, capsys: Output) -> None:
    rows = [{"saleNo": at // 3, "lotNo": at % 3, "start": "2026-10-01T10:00Z"} for at in range(9)]
    with serving(
        lambda _: {"total": 9, "events": [{**row, "title": "Chairs"} for row in rows]}
    ) as api:
        given = ["connect", f"{api.url}/v1/events", "--name", "concerts", "--no-sync", "--yes"]
        assert run(given) == 1
        option = '--set \'primary_key=["saleNo", "lotNo"]\''
        assert f"  `saleNo` and `lotNo`: {option}\n" in capsys.readouterr().err
        assert run([*given, *shlex.split(option)]) == 0
    assert folder.is_dir()


def test_a_part_of_an_auth_is_completed(folder: Path, capsys: Output) -> None:
    with Sandbox(250, key=CANARY) as api:
        assert (
            connect(api, "--yes", "--set", "auth.name=api_key", "--set", "auth.location=query") == 0
        )
    assert "the query parameter `api_key`" in capsys.readouterr().out
    assert (folder / "concerts").is_dir()


@pytest.mark.parametrize("setting", ["concurrency=many", "paginator.offset_param=7"])
def test_a_setting_that_is_wrong_leaves_no_file(folder: Path, capsys: Output, setting: str) -> None:
    with Sandbox(250, key=CANARY) as api:
        assert connect(api, "--yes", "--set", setting) == 1
    assert setting.partition("=")[0] in capsys.readouterr().err
    assert not (folder / "concerts" / "defs.yaml").exists()


def test_an_open_question_says_which_option_answers_it(folder: Path, capsys: Output) -> None:
    with Sandbox(100, key=CANARY) as api:
        assert run(["connect", f"{api.url}/v1/events", "--yes"]) == 1
    errors = capsys.readouterr().err
    assert 'It says: "the api_key is missing". Give it by --key-from-env VARIABLE' in errors
    assert errors.endswith("Nothing was written.\n")
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["events"]


class Typed(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "zone"), [("\n\ny\n", None), ("1\nEurope/Berlin\ny\n", "Europe/Berlin")]
)
def test_a_terminal_is_asked_what_may_stay_open(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output, typed: str, zone: str | None
) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    rows = [{**row, "start_time": "2026-07-01T19:30:00"} for row in events(7)]
    with serving(lambda _: {"events": rows}) as api:
        assert run(["connect", f"{api.url}/events", "--name", "concerts", "--no-sync"]) == 0
    fields = yaml.safe_load((folder / "concerts" / "defs.yaml").read_text())["attributes"]["fields"]
    assert fields["start_time"].get("timezone") == zone
    assert (
        "In which time zone are the times?" in capsys.readouterr().out.rpartition("sent:")[2]
    ) == (zone is None)


def test_a_number_that_is_no_choice_is_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(sys, "stdin", Typed("7\n1\ny\n"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with serving(lambda _: {"events": events(50)}) as api:
        assert run(["connect", f"{api.url}/events", "--name", "concerts", "--no-sync"]) == 0
    assert "There is no choice 7" in capsys.readouterr().out
    assert "paginator: single_page" in (folder / "concerts" / "defs.yaml").read_text()


def test_no_request_is_sent_if_the_env_file_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    assert folder.is_dir()
    Path(".env").write_text("OTHER=1")
    monkeypatch.setattr("os.access", lambda path, *_: Path(path).name != ".env")
    with Sandbox(100, key=CANARY) as api:
        assert connect(api, "--yes") == 1
        assert api.requests == []
    assert "cannot be written, and is to hold the key" in capsys.readouterr().err


def test_no_request_is_sent_if_the_source_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr("os.access", lambda path, *_: Path(path).name != folder.name)
    with Sandbox(100, key=CANARY) as api:
        assert connect(api, "--yes") == 1
        assert api.requests == []
    assert "cannot be written, and is to hold the source" in capsys.readouterr().err


def test_no_request_is_sent_with_a_setting_that_no_source_has(folder: Path, capsys: Output) -> None:
    assert folder.is_dir()
    with Sandbox(100, key=CANARY) as api:
        assert connect(api, "--yes", "--set", "fiels.name.from=title") == 1
        assert api.requests == []
    assert "`fiels` is not a known setting, did you mean `fields`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("response_actions=x", "must be a list"),
        ("response_actions=[x]", "must be a mapping"),
        ("paginator=5", "must be one of "),
        ("data_selector=5", "must be text"),
        ("primary_key=5", "must be text or a list"),
        ("fields=5", "must be a mapping"),
        ("fields.start_time.from=[1]", "must be text"),
        ("method=5", "must be one of "),
        ("auth=[1]", "must be one of "),
        ("params=status", "must be a mapping"),
        ("headers=x", "must be a mapping"),
        ("requests_per_second=0", "must be more than 0"),
        ("requests_per_second=1 a second", "must be a number"),
        ("rest_api=4", "must be a mapping"),
        ("attributes=4", "must be a mapping"),
        ("paginator.type=zz", "`zz` is not a known paginator type. Allowed: auto, cursor, "),
        ("auth.type=zz", "`zz` is not a known auth type. Allowed: api_key, bearer, "),
        ("fields.name.type=zz", "`zz` is not a known value. Allowed: text, timestamp, "),
        ("data_selector=a[", "'a[' is not a valid JSON path"),
    ],
)
def test_a_setting_with_a_wrong_value_is_told_in_a_sentence_before_any_request(
    folder: Path, capsys: Output, setting: str, told: str
) -> None:
    assert folder.is_dir()
    with Sandbox(100, key=CANARY) as api:
        assert connect(api, "--yes", "--set", setting) == 1
        assert api.requests == []
    path, _, _ = setting.partition("=")
    error = capsys.readouterr().err
    assert error.startswith(f"--set {path}: {told}")
    assert (error.count("\n"), error[-2:]) == (1, ".\n")


def test_an_address_or_a_curl_command_is_needed(folder: Path, capsys: Output) -> None:
    assert folder.is_dir()
    assert run(["connect"]) == 2
    assert "Give the URL of the list of events" in capsys.readouterr().err


def test_a_name_that_no_source_can_have_is_refused_before_any_request(
    folder: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.is_dir()
    assert run(["connect", "http://127.0.0.1:1/events", "--name", "select"]) == 2
    assert "--name needs a name of at most 40 small" in capsys.readouterr().err
    monkeypatch.setenv("EVENTS_DUCKDB", "data/concerts.duckdb")
    assert run(["connect", "http://127.0.0.1:1/events", "--name", "concerts"]) == 1
    assert "has the same name as a schema in it" in capsys.readouterr().err


def test_a_source_with_the_name_of_the_database_is_not_written(
    folder: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", "data/concerts.duckdb")
    with Sandbox(3, key=CANARY) as api:
        assert connect(api, "--yes") == 1
    assert "has the same name as a schema in it" in capsys.readouterr().err
    assert not (folder / "concerts").exists()


def test_a_variable_that_is_not_set_is_named(folder: Path, capsys: Output) -> None:
    assert folder.is_dir()
    assert run(["connect", "https://a.example", "--key-from-env", "NO_SUCH_KEY"]) == 2
    assert "NO_SUCH_KEY is set neither here nor in .env" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--key-from-env", CANARY], [CANARY], ["--key-from-env=A1b"]]
)
def test_a_key_in_place_of_a_variable_is_not_shown(
    folder: Path, capsys: Output, arguments: list[str]
) -> None:
    assert folder.is_dir()
    assert run(["connect", "https://a.example", *arguments]) == 2
    errors = capsys.readouterr().err
    assert "--key-from-env" in errors
    assert arguments[-1].rpartition("=")[2] not in errors


def test_a_key_that_cannot_be_sent_is_told_by_its_variable(
    folder: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.is_dir()
    monkeypatch.setenv("MY_KEY", "a\tb")
    assert run(["connect", "https://a.example", "--key-from-env", "MY_KEY"]) == 2
    assert "The variable MY_KEY holds U+0009, which no key can have" in capsys.readouterr().err


def test_a_variable_in_the_env_file_is_never_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(tmp_path))
    file = tmp_path / env_module.ENV_FILE
    file.write_text("# mine\nA=1")
    value = 'it\'s "b" \\\\ ${A}'
    assert add_variables({"A": "1", "B": value}) == ["B"]
    assert add_variables({"B": value}) == []
    with pytest.raises(ConfigError, match="has another A"):
        add_variables({"A": "2"})
    with pytest.raises(ConfigError, match="a line break"):
        add_variables({"C": "a\nb"})
    assert file.read_text().startswith("# mine\nA=1\nB=")
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_env_file() == {"A": "1", "B": value}
    assert KEY  # the sandbox's own is no secret
