"""Every mistake in a source's YAML is told in one sentence, by file and line, by every command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.providers.toml import SecretsTomlProvider, TomlProviderReadException

from event_assets._compat.dagster import PlainFailure
from event_assets.cli.main import run
from event_assets.config import project as project_module
from event_assets.config.settings import SETTINGS as SETTINGS_TABLE
from event_assets.definitions import defs
from event_assets.orchestration.error_messages import user_message
from event_assets_tests.support.docs import reference
from event_assets_tests.support.mistakes import MISTAKES, YAML, Mistake
from event_assets_tests.support.other_project import write_project
from event_assets_tests.support.project import ROOT, Project

COMMANDS = ("check", "sync", "probe")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The YAML of the only source of a project."""
    folder = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        # differs for each worker and folder, since it is imported
        yield write_project(folder, f"project_{folder.name}", "events")


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


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.new.strip()!r}")
def test_a_mistake_is_told_in_one_sentence_by_file_and_line(
    said: Callable[[str | bytes], str], mistake: Mistake
) -> None:
    answer = said(mistake.text)
    assert answer.startswith(f"defs.yaml:{mistake.line}: ")
    assert mistake.said in answer
    assert "secret@" not in answer
    assert "=secret" not in answer
    assert answer.count("\n") == 1
    assert answer.endswith(".\n")
    assert len(answer) < 400


def test_the_table_has_at_least_100_mistakes() -> None:
    assert len(MISTAKES) >= 100


def test_every_mistake_is_told_at_once(said: Callable[[str], str]) -> None:
    text = YAML.replace("limit: 100", "limit: 0").replace("timezone", "zone").replace("5%", "5")
    lines = said(text).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "rest_api.resources.0.endpoint.paginator.limit",
        "fields.start_time.zone",
        "max_rejects",
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "defs.yaml:1: `type` is missing."),
        ("- a\n", "defs.yaml:1: must be a mapping, not a list."),
        ("type: [a]\n", "defs.yaml:1: type: must be text, not a list."),
        (
            "# none\ntype: event_assets.EventApi\nattributes:\n",
            "defs.yaml:3: attributes: `fields` is missing.",
        ),
        (f"{YAML}---\n{YAML}", "defs.yaml:74: a folder is one source: put another into its own."),
        (YAML.encode() + b"# caf\xe9\n", "defs.yaml:73: is not in UTF-8: "),
        (YAML.encode("utf-16"), "defs.yaml:1: is not in UTF-8: save it in that encoding."),
        ("a: " + "[" * 5000, "defs.yaml:1: is nested too deeply"),
    ],
    ids=["empty", "a list", "a list as type", "no attributes", "two", "latin-1", "utf-16", "deep"],
)
def test_a_file_that_is_no_source_is_told_by_its_line(
    said: Callable[[str | bytes], str], text: str | bytes, answer: str
) -> None:
    assert said(text).startswith(answer)


def test_aliases_that_grow_without_bounds_are_refused(said: Callable[[str], str]) -> None:
    bomb = ["&a0 [x, x, x, x, x, x, x, x]"]
    bomb += [f"&a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 9)]
    text = YAML.replace("status: deleted", "status: [" + ", ".join(bomb) + "]")
    assert "aliases make more than 20,000 values of it" in said(text)


def test_aliases_that_repeat_a_setting_may_be_used(
    file: Path, said: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    shared = YAML.replace("type: timestamp", "<<: &time {type: timestamp}", 1)
    text = shared.replace("  schedule:", "    end_time: {<<: *time, nullable: true}\n  schedule:")
    assert "limit" in said(text.replace("limit: 100", "limit: 0"))
    file.write_text(text)
    assert run(["check"]) == 0
    assert capsys.readouterr().out == "No mistakes were found in the sources: events.\n"


OTHER = """\
type: dagster.FunctionComponent
attributes: {execution: {name: other, fn: os.getcwd}, assets: [{key: other}]}
"""


def test_a_component_of_another_kind_may_be_in_the_same_file(
    file: Path, said: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (f"{OTHER}---\n{YAML}", f"{YAML}---\n{OTHER}"):
        line = text[: text.index("limit: 100")].count("\n") + 1
        answer = said(text.replace("limit: 100", "limit: 0"))
        assert answer.startswith(f"defs.yaml:{line}: rest_api.resources.0.endpoint.paginator.limit")
        file.write_text(text)
        assert run(["check"]) == 0
        assert capsys.readouterr().out == "No mistakes were found in the sources: events.\n"


@pytest.mark.parametrize(
    "text",
    [
        YAML.replace("limit: 100", "limit: 1_000"),
        YAML.replace("nullable: false", "nullable: no"),
        YAML.replace("resume_hours: 6", "resume_hours: 6.50"),
        YAML.replace("order: asc", 'order: "NO"'),
        YAML.replace("order: asc", "order: 2026-05-01"),
        YAML.replace("concurrency: 4", 'concurrency: "4"'),
    ],
)
@pytest.mark.usefixtures("said")
def test_what_yaml_reads_as_it_is_meant_is_no_mistake(file: Path, text: str) -> None:
    assert text != YAML
    file.write_text(text)
    assert run(["check"]) == 0


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("concerts/defs.yml", "Dagster reads no such file: call it defs.yaml."),
        ("concerts/component.yaml", "Dagster reads no such file: call it defs.yaml."),
        ("defs.yaml", "move it into a folder below, which names the source, as defs.yaml."),
    ],
)
def test_a_source_in_a_file_that_dagster_does_not_read_is_told(
    source_file: Path, capsys: pytest.CaptureFixture[str], name: str, problem: str
) -> None:
    shutil.copy(source_file, source_file.with_name("defs copy.yaml"))
    other = source_file.parents[1] / name
    other.parent.mkdir(exist_ok=True)
    shutil.copy(source_file, other)
    for command in ("check", "sync", "probe", "status"):
        assert run([command]) == 1
        assert capsys.readouterr().err == f"{other}: {problem}\n"
    other.unlink()
    assert run(["check"]) == 0


def test_a_project_without_a_folder_for_sources_is_told(
    source_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, settings = source_file.parents[1], source_file.parents[3] / "pyproject.toml"
    shutil.rmtree(folder)
    for command in ("check", "sync", "probe", "status", "sources"):
        assert run([command]) == 1
        assert capsys.readouterr().err == (
            f"There is no folder {folder} for the sources: make it, or correct [tool.dg.project] "
            f"in {settings}.\n"
        )


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


@pytest.mark.parametrize("name", ["ALERT_WEBHOOK_URL", "EVENTS_DAGSTER_URL", "EVENTS_BROKER"])
def test_a_setting_that_may_hold_a_secret_is_told_without_its_value(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "hooks.example.com/T0/secret")
    answer = said(YAML)
    assert answer.startswith(f"{name} must be a")
    assert "T0" not in answer
    assert answer.count("\n") == 1


@pytest.mark.parametrize("value", [":memory:", "md:a?token=k", "https://x.example/y.db", "data/"])
def test_the_path_of_the_database_that_is_none_is_told(
    said: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
) -> None:
    monkeypatch.setenv("EVENTS_DUCKDB", value)
    sentence = "EVENTS_DUCKDB must be the path of a file, not a folder or a URL.\n"
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


def test_an_env_file_in_another_encoding_is_told(file: Path, said: Callable[[str], str]) -> None:
    settings = file.parents[3] / project_module.ENV_FILE
    settings.write_bytes("# café\nAPI_KEY=k\n".encode("latin-1"))
    assert said(YAML) == f"The file {settings} is not in UTF-8: save it in that encoding.\n"
    settings.unlink()


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
    settings = file.parents[3] / project_module.ENV_FILE
    settings.mkdir()
    assert said(YAML) == f"The file {settings} cannot be read: Is a directory.\n"
    settings.rmdir()


def test_a_variable_with_two_values_in_the_env_file_is_told(
    file: Path, said: Callable[[str], str]
) -> None:
    settings = file.parents[3] / project_module.ENV_FILE
    settings.write_text("# keys\nA_KEY=1\n\n# new\nexport A_KEY = '2'\n")
    assert said(YAML) == f"{settings}:5: A_KEY has another value in line 2: delete one of them.\n"
    settings.unlink()


@pytest.mark.parametrize("name", ["API-KEY", "APIKEY", "api_key", "events_api_url"])
@pytest.mark.usefixtures("said")
def test_a_variable_of_the_env_file_that_nothing_reads_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, "")  # and take it away in the end
    settings = file.parents[3] / project_module.ENV_FILE
    settings.write_text(f"{name}=http://127.0.0.1:9\n")
    file.write_text(YAML)
    assert run(["check"]) == 0
    assert capsys.readouterr().err.startswith(f"Nothing reads the variable {name}: did you mean ")
    settings.unlink()


@pytest.mark.parametrize(
    "line",
    ["API_KEY='k-12345678", "API_KEY: k-12345678", '="k-12345678"', "$env:API_KEY=k-12345678"],
)
def test_a_line_of_the_env_file_that_is_no_variable_is_told(
    file: Path, said: Callable[[str], str], line: str
) -> None:
    settings = file.parents[3] / project_module.ENV_FILE
    settings.write_text(f"# keys\nOTHER=1\n\n{line}\n")
    assert said(YAML) == f"{settings}:4: write NAME=VALUE, and close each quote.\n"
    settings.unlink()


def test_secrets_that_are_no_toml_are_told(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("[events]\napi_key = k-12345678\n")
    with pytest.raises(TomlProviderReadException) as failed:
        SecretsTomlProvider(str(tmp_path))
    said = user_message(failed.value)
    assert said == f'{secrets}:2: is not TOML: write NAME = "VALUE", in quotes.'


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("template_vars_module: .nope", "No module named "),
        ("template_vars_module: .broken", "invalid syntax (broken.py, line 1)"),
        ("post_processing: {assets: [{target: '*'}]}", "defs.yaml:2: Field required"),
        ("post_processing: {assets: [{target: 'key:(', attributes: {}}]}", "Invalid selection"),
    ],
)
def test_what_dagster_cannot_load_is_told(
    file: Path, said: Callable[[str], str], added: str, problem: str
) -> None:
    module = file.with_name("broken.py")
    module.write_text("def f(:\n")
    answer = said(YAML.replace("attributes:\n", f"{added}\nattributes:\n", 1))
    assert answer.startswith("Dagster cannot load the definitions: events: ")
    assert problem in answer
    assert answer.count("\n") == 1
    module.unlink()


@pytest.mark.usefixtures("said")
def test_a_source_in_a_folder_of_folders_is_found(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(YAML)
    other = file.parents[1] / "group/concerts/defs.yaml"
    other.parent.mkdir(parents=True)
    shutil.copy(file, other)
    assert run(["check"]) == 0
    told = "No mistakes were found in the sources: events, concerts.\n"
    assert capsys.readouterr().out == told
    shutil.rmtree(other.parents[1])


@pytest.mark.parametrize(
    ("folder", "problem"),
    [("group/events", "name one source"), ("events/concerts", "is in the folder of another")],
)
def test_a_source_that_dagster_would_not_load_is_told(
    file: Path, said: Callable[[str], str], folder: str, problem: str
) -> None:
    other = file.parents[1] / folder / "defs.yaml"
    other.parent.mkdir(parents=True)
    shutil.copy(file, other)
    assert problem in said(YAML)
    shutil.rmtree(other.parent)


@pytest.mark.usefixtures("said")
def test_an_asset_that_is_there_twice_is_told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = OTHER.replace("key: other", "key: event_data")
    file.write_text(f"{YAML}---\n{other}")
    for command in ("check", "sync"):
        assert run([command]) == 1
        errors = capsys.readouterr().err
        assert errors.startswith("Dagster cannot load the definitions: ")
        assert "event_data" in errors
        assert errors.count("\n") == 1


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


@pytest.mark.usefixtures("said")
def test_an_account_list_that_is_not_there_is_told_by_the_check(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(YAML.replace("concurrency: 4", "accounts: {file: missing.yaml}"))
    for command in ("check", "sync", "probe"):
        assert run([command]) == 1
        assert capsys.readouterr().err == (
            f"Cannot read {file.parents[3]}/missing.yaml, the account list of events: No such file "
            "or directory.\n"
        )


def test_dagster_keeps_the_sentence_without_a_traceback(
    file: Path, said: Callable[[str], str]
) -> None:
    said(YAML.replace("limit: 100", "limit: 0"))
    with pytest.raises(PlainFailure, match="must be 1 or more, not 0") as failed:
        defs()
    (info,) = failed.value.user_code_process_error_infos
    assert (info.stack, info.cause, info.context) == ([], None, None)
    assert info.message.startswith(f"{file}:29: ")


def test_dg_tells_the_line_too(project: Project, clone: Path) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(YAML.replace("data_selector: data", 'data_selector: "data["'))
    done = project.run("dg", "check", "defs", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert f"{file}:23: rest_api.resources.0.endpoint.data_selector: 'data[' is not a " in said
    assert "Traceback" not in said
    assert "Stack Trace" not in said


def test_dg_finds_lines_by_the_schema_alone(project: Project, clone: Path) -> None:
    text = YAML
    for name in ("nullable", "read", "warn_after_minutes", "schedule"):
        text = text.replace(f"{name}:", f"{name}s:")
    text = text.replace("limit: 100", "limit: 100\n            total_pth: total")
    (clone / "event_assets/defs/events/defs.yaml").write_text(text)
    done = project.run("dg", "check", "yaml", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    for line in (30, 45, 53, 56, 61):
        assert f"defs.yaml:{line} - " in done.stdout
    assert "total_pth" in done.stdout


def test_make_check_is_the_same_in_a_process_of_its_own(project: Project, clone: Path) -> None:
    assert "\t@$(BIN)/event-assets check\n" in (ROOT / "Makefile").read_text()
    done = project.run("python", "-m", "event_assets", "check", cwd=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "events is the built-in sandbox, whose events are invented: to sync an API, set "
        "EVENTS_API_URL in .env.\n"
        "No mistakes were found in the sources: events.\n"
    )


@pytest.mark.parametrize(
    ("command", "old", "new", "line"),
    [
        (("asset", "materialize", "--select", "*"), "limit: 100", "limit: 0", 29),
        (("definitions", "validate"), "concurrency: 4", "concurrency: [4", 57),
    ],
)
def test_dagster_prints_the_sentence_only(
    project: Project, clone: Path, command: tuple[str, ...], old: str, new: str, line: int
) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(YAML.replace(old, new))
    program = ("dagster", *command, "-m", "event_assets.definitions")
    done = project.run(*program, cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    assert f"{file}:{line}: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
