"""Mistakes in the settings, in the environment or `.env`, told by every command."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dlt.common.configuration.providers.toml import SecretsTomlProvider, TomlProviderReadException
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import RuntimeConfiguration

from event_assets.cli.main import run
from event_assets.config import env_file as env_module
from event_assets.config.settings import SETTINGS as SETTINGS_TABLE
from event_assets.http.tls import BUNDLE_VARIABLES
from event_assets.orchestration.error_messages import user_message
from event_assets_tests.support.docs import reference
from event_assets_tests.support.mistakes import YAML

SETTINGS = [
    *(
        (name, nonsense, said)
        for said, names in (
            ("a number of days, such as 30", ["EVENTS_KEEP_RUNS_DAYS"]),
            ("a whole number of days, such as 7", ["EVENTS_DUCKLAKE_KEEP_DAYS"]),
            ("`bar` or `log`", ["EVENTS_PROGRESS"]),
            ("the number of a port, up to 65535", ["EVENTS_CODE_PORT", "EVENTS_WEB_PORT"]),
            ("the name of a host", ["EVENTS_CODE_HOST", "EVENTS_WEB_HOST"]),
            ("a whole number, such as 2", ["EVENTS_WORKER_PROCESSES"]),
            ("the name of a region", ["EVENTS_S3_REGION"]),
            ("a host, such as minio:9000", ["EVENTS_S3_ENDPOINT"]),
            ("`path` or `vhost`", ["EVENTS_S3_URL_STYLE"]),
            ("`true` or `false`", ["EVENTS_S3_USE_SSL"]),
            ("duckdb or ducklake, as docs/destinations.md describes", ["EVENTS_DESTINATION"]),
        )
        for name in names
        for nonsense in ("a month", "-1 days")
    ),
    ("EVENTS_KEEP_RUNS_DAYS", "nan", "a number of days, such as 30"),
    ("EVENTS_KEEP_RUNS_DAYS", "1e9", "a number of days, such as 30"),
    ("EVENTS_KEEP_RUNS_DAYS", "-1", "a number of days, such as 30"),
    ("EVENTS_WEB_PORT", "65536", "the number of a port, up to 65535"),
    ("EVENTS_DUCKLAKE_KEEP_DAYS", "1.5", "a whole number of days, such as 7"),
    ("EVENTS_WORKER_PROCESSES", "0", "a whole number, such as 2"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), SETTINGS)
def test_a_setting_that_cannot_be_is_told_in_one_sentence(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = said(YAML)
    assert answer.startswith(f"{name} must be {allowed}, not `{value}`")
    assert answer.endswith(".\n")
    assert answer.count("\n") == 1


def test_a_secret_in_a_wrong_place_of_the_yaml_is_not_shown(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PASSWORD", "hunter2-hunter2")
    answer = said(YAML.replace("concurrency: 4", 'concurrency: "{{ env.PG_PASSWORD }}"'))
    assert answer.endswith("concurrency: PG_PASSWORD must be a whole number, not '***'.\n")


@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
def test_certificates_that_are_not_there_are_told_before_the_first_request(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, file: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, "no.pem")
    missing = file.parents[3] / "no.pem"
    assert said(YAML.replace("http://", "https://")) == (
        f"The file {missing}, which {variable} names, is not there: correct {variable}.\n"
    )


@pytest.mark.parametrize("name", ["ALERT_WEBHOOK_URL", "EVENTS_DAGSTER_URL", "EVENTS_BROKER"])
def test_a_setting_that_may_hold_a_secret_is_told_without_its_value(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "hooks.example.com/T0/secret")
    answer = said(YAML)
    assert answer.startswith(f"{name} must be a")
    assert "T0" not in answer
    assert answer.count("\n") == 1


@pytest.mark.parametrize(
    "value",
    [":memory:", "md:a?token=k", "https://x.example/y.db", "data/", "..", "$HOME/x.db", "C:\\x.db"],
)
def test_the_path_of_the_database_that_is_none_is_told(
    said: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", value)
    sentence = (
        "EVENTS_DUCKDB must be the path of a file, not a folder, a URL, a drive or `$NAME`.\n"
    )
    assert said(YAML) == sentence
    for command in ("show", "status"):
        assert run([command]) == 1
        assert capsys.readouterr().err == sentence


def test_every_setting_that_is_documented_is_known() -> None:
    documented = {name for name in reference("variable") if name.startswith(("EVENT", "ALERT"))}
    assert documented == {*SETTINGS_TABLE}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("EVENTS_KEEP_RUN_DAYS", "EVENTS_KEEP_RUNS_DAYS"),
        ("EVENT_DUCKDB", "EVENTS_DUCKDB"),
        ("EVENTS_API_KEY", "EVENTS__API_KEY"),
        ("EVENT__API_KEY", "EVENTS__API_KEY"),
        ("ALERT_WEBHOOK", "ALERT_WEBHOOK_URL"),
    ],
)
@pytest.mark.usefixtures("said")
def test_a_misspelt_setting_is_told_and_stops_nothing(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    meant: str,
) -> None:
    monkeypatch.setenv(name, "7")
    file.write_text(YAML)
    assert run(["check"]) == 0
    output, errors = capsys.readouterr()
    assert errors == f"Nothing reads the variable {name}: did you mean {meant}?\n"
    assert output == "No mistakes were found in the sources: events.\n"
    file.write_text(YAML.replace("order: asc", f'order: "{{{{ env.{name} }}}}"'))
    assert run(["check"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("said")
def test_the_key_of_a_source_that_was_removed_is_no_misspelt_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VENUES__API_KEY", "")  # and take it away in the end
    settings = file.parents[3] / env_module.ENV_FILE
    settings.write_text("VENUES__API_KEY=of-the-venues\n")
    file.write_text(YAML)
    assert run(["check"]) == 0
    assert capsys.readouterr().err == ""
    settings.unlink()


def test_an_env_file_in_another_encoding_is_told(file: Path, said: Callable[[str], str]) -> None:
    settings = file.parents[3] / env_module.ENV_FILE
    settings.write_bytes("# café\nAPI_KEY=k\n".encode("latin-1"))
    assert said(YAML) == f"The file {settings} is not in UTF-8: save it in that encoding.\n"
    settings.unlink()


@pytest.mark.parametrize("name", ["secrets.toml", "config.toml"])
def test_a_folder_in_place_of_a_file_of_dlt_is_told(
    file: Path, said: Callable[[str], str], name: str
) -> None:
    folder = file.parents[3] / ".dlt" / name
    folder.mkdir(parents=True)
    assert said(YAML) == f"{folder} is a folder, where dlt reads a file: remove it.\n"
    shutil.rmtree(folder.parent)


@pytest.mark.parametrize("name", ["API_KEY", "CONCERTS__CLIENT_SECRET", "EVENTS_PROGRESS"])
@pytest.mark.parametrize("value", ['"k-12345678"', "\u201ck-12345678\u201d"])
def test_a_setting_with_its_quotes_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said(YAML) == f"{name} holds its quotes, too: take them away.\n"


@pytest.mark.parametrize("value", ["<your key>", "YOUR_API_KEY", "xxxxxxxx", "...", "{{KEY}}"])
def test_a_placeholder_in_place_of_a_key_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CONCERTS__API_KEY", value)
    told = "CONCERTS__API_KEY is a placeholder: replace it with the key.\n"
    assert said(YAML) == told


@pytest.mark.parametrize("name", ["API_KEY", "CONCERTS__CLIENT_SECRET", "EVENTS_DUCKDB"])
@pytest.mark.parametrize("value", ["$(cat key)", "$(pwd)/my.duckdb", "`cat key`"])
def test_a_command_in_place_of_a_value_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said(YAML) == f"{name} is a command, which nothing runs: set what it prints.\n"


@pytest.mark.parametrize("name", ["API_KEY", "CONCERTS__CLIENT_SECRET", "EVENTS_DUCKDB"])
def test_a_setting_in_another_encoding_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TOKEN_OF_ANOTHER_PROGRAM", "caf\udce9 12345678")
    monkeypatch.setenv(name, "caf\udce9 12345678")
    assert said(YAML) == f"{name} is not in UTF-8: write it in that encoding.\n"


@pytest.mark.usefixtures("said")
def test_a_variable_that_the_yaml_misspells_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENTS_API_URL", "http://127.0.0.1:9")
    file.write_text(YAML.replace("http://127.0.0.1:9", '"{{ env.Events_Api_Url }}"'))
    assert run(["check"]) == 0
    assert capsys.readouterr().err == (
        "A defs.yaml names the variable Events_Api_Url, which is not set: is EVENTS_API_URL meant?"
        "\n"
    )


@pytest.mark.parametrize("name", ["DAGSTER_HOME", "EVENT_ASSETS_PROJECT"])
def test_the_home_of_nobody_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(file.parents[3])
    file.write_text(YAML)
    monkeypatch.setenv(name, "~nobody-of-this-name/folder")
    for command in ("check", "sync"):
        assert run([command]) == 1
        assert "~nobody-of-this-name/folder" in capsys.readouterr().err


def test_an_env_file_that_is_a_folder_is_told(file: Path, said: Callable[[str], str]) -> None:
    settings = file.parents[3] / env_module.ENV_FILE
    settings.mkdir()
    assert said(YAML) == f"The file {settings} cannot be read: Is a directory.\n"
    settings.rmdir()


def test_a_variable_with_two_values_in_the_env_file_is_told(
    file: Path, said: Callable[[str], str]
) -> None:
    settings = file.parents[3] / env_module.ENV_FILE
    settings.write_text("# keys\nA_KEY=1\n\n# new\nexport A_KEY = '2'\n")
    assert said(YAML) == f"{settings}:5: A_KEY has another value in line 2: delete one of them.\n"
    settings.unlink()


@pytest.mark.parametrize("name", ["API-KEY", "APIKEY", "api_key", "events_api_url"])
@pytest.mark.usefixtures("said")
def test_a_variable_of_the_env_file_that_nothing_reads_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, "")  # and take it away in the end
    settings = file.parents[3] / env_module.ENV_FILE
    settings.write_text(f"{name}=http://127.0.0.1:9\n")
    file.write_text(YAML)
    assert run(["check"]) == 0
    assert capsys.readouterr().err.startswith(f"Nothing reads the variable {name}: did you mean ")
    settings.unlink()


@pytest.mark.usefixtures("said")
def test_the_variables_of_a_source_whose_name_is_like_another_are_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = file.parents[1] / "eventsy" / file.name
    other.parent.mkdir()
    for defs in (file, other):
        defs.write_text(YAML)
    monkeypatch.setenv("EVENTSY__API_PASSWORD", "k-12345678")
    assert run(["check"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("EVENTSY__API_PASWORD", "k-12345678")
    assert run(["check"]) == 0
    assert capsys.readouterr().err.endswith("did you mean EVENTSY__API_PASSWORD?\n")
    shutil.rmtree(other.parent)


@pytest.mark.parametrize(
    "line",
    [
        *("API_KEY='k-12345678", "API_KEY: k-12345678", '="k-12345678"'),
        *("$env:API_KEY=k-12345678", "API_KEY"),
    ],
)
def test_a_line_of_the_env_file_that_is_no_variable_is_told(
    file: Path, said: Callable[[str], str], line: str
) -> None:
    settings = file.parents[3] / env_module.ENV_FILE
    settings.write_text(f"# keys\nOTHER=1\n\n{line}\n")
    assert said(YAML) == f"{settings}:4: write NAME=VALUE, and close each quote.\n"
    settings.unlink()


NO_TOML = ':2: is not TOML: write NAME = "VALUE", in quotes.'
NO_UTF_8 = " is not in UTF-8, or begins with a byte order mark: save it in UTF-8 without one."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[events]\napi_key = k-12345678\n", NO_TOML),
        (b'api_key = "k-12345678"\napi_key = "k-12345678"\n', NO_TOML),
        (b'# keys\napi_key: "k-12345678"\n', NO_TOML),
        ('# \u00e9\napi_key = "k-12345678"\n'.encode("latin-1"), NO_UTF_8),
        ('api_key = "k-12345678"\n'.encode("utf-16"), NO_UTF_8),
        ('api_key = "k-12345678"\n'.encode("utf-8-sig"), NO_UTF_8),
    ],
)
def test_secrets_that_are_no_toml_are_told(tmp_path: Path, content: bytes, told: str) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_bytes(content)
    with pytest.raises(TomlProviderReadException) as failed:
        SecretsTomlProvider(str(tmp_path))
    said = user_message(failed.value)
    assert said in (f"{secrets}{told}", f"The file {secrets}{told}")


def test_a_format_that_dlt_cannot_log_in_is_told() -> None:
    with pytest.raises(ValueError, match="no fields") as failed:
        logging.Formatter("nonsense", style="{")
    assert user_message(failed.value) == (
        "invalid format: no fields: correct RUNTIME__LOG_FORMAT, or `log_format` in "
        ".dlt/config.toml."
    )


def test_a_value_that_dlt_takes_for_a_table_is_told() -> None:
    with pytest.raises(TypeError) as failed:
        resolve_configuration(RuntimeConfiguration(), explicit_value=True)
    assert user_message(failed.value) == (
        "A setting of dlt is a value, but must be a table: correct it in .dlt/config.toml."
    )
    assert user_message(TypeError("of something else")) is None


def test_a_variable_that_is_not_set_is_told(said: Callable[[str], str]) -> None:
    text = YAML.replace("order: asc", 'order: "{{ env.NOT_SET_HERE }}"')
    assert said(text).startswith("The variable NOT_SET_HERE is not set, ")


@pytest.mark.usefixtures("said")
def test_a_key_that_is_not_sent_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENTS__API_KEY", "of-this-source")
    sent = YAML.replace("Accept-Language: en", 'X-Key: "{{ env.EVENTS__API_KEY }}"')
    auth = YAML[YAML.index("      auth:") : YAML.index("    resource_defaults:")]
    for text in (YAML, sent.replace(auth, "")):
        file.write_text(text)
        assert run(["check"]) == 0
        assert capsys.readouterr().err == ""
    file.write_text(YAML.replace(auth, ""))
    assert run(["check"]) == 0
    told = f"EVENTS__API_KEY is not sent: there is no `auth` in {file}.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("old", "value", "problem"),
    [
        (
            "http://127.0.0.1:9",
            "ftp://host",
            "must be a URL such as https://api.example.com, not `ftp://host`.",
        ),
        ("limit: 100", "many", "must be a whole number, not 'many'"),
        ("concurrency: 4", "many", "must be a whole number, not 'many'"),
    ],
)
def test_a_variable_that_holds_what_cannot_be_is_named(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, old: str, value: str, problem: str
) -> None:
    monkeypatch.setenv("A_COPY", value)
    monkeypatch.setenv("OF_THE_YAML", value)
    name = f"{old.split()[0]} " if " " in old else ""
    assert f": OF_THE_YAML {problem}" in said(
        YAML.replace(old, f'{name}"{{{{ env.OF_THE_YAML }}}}"')
    )


def test_a_key_without_an_address_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "of-an-api")
    told = "A key is set for the source events (API_KEY), but no URL: set "
    text = YAML.replace("      base_url: http://127.0.0.1:9\n", "")
    answer = said(text)
    assert answer.startswith(told)
    assert answer.count("\n") == 1
    named = YAML.replace("http://127.0.0.1:9", '"{{ env.EVENT_API_URL }}"')
    assert said(named).startswith(f"{told}EVENT_API_URL in .env. ")
