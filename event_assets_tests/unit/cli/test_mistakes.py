"""Every mistake in a source's YAML is told in one sentence, by file and line, by every command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from event_assets._compat.dagster import PlainFailure
from event_assets.cli.home import open_instance
from event_assets.cli.main import run
from event_assets.config import project as project_module
from event_assets.definitions import defs
from event_assets.orchestration.failures import run_with_plain_errors
from event_assets.values.errors import ConfigError
from event_assets_tests.support.mistakes import MISTAKES, YAML, Mistake
from event_assets_tests.support.other_project import write_project
from event_assets_tests.support.project import ROOT, Project

COMMANDS: dict[str, Callable[[], int]] = {
    "make check": lambda: run(["check"]),
    "make run": lambda: run(["sync"]),
    "the probe": lambda: run(["probe"]),
}


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
        answers = {}
        for name, command in COMMANDS.items():
            status = command()
            output, errors = capsys.readouterr()
            answers[name] = (status, output, errors.replace(f"{file.parent}/", ""))
        ((status, output, errors),) = set(answers.values())
        assert (status, output) == (1, "")
        return errors

    return say


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.new.strip()!r}")
def test_a_mistake_is_told_in_one_sentence_by_file_and_line(
    said: Callable[[str], str], mistake: Mistake
) -> None:
    answer = said(mistake.text)
    assert answer.startswith(f"defs.yaml:{mistake.line}: ")
    assert mistake.said in answer
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


def test_a_file_of_another_ending_is_told(file: Path, said: Callable[[str], str]) -> None:
    other = file.parents[1] / "concerts/defs.yml"
    other.parent.mkdir()
    shutil.copy(file, other)
    assert said(YAML) == f"{other}: Dagster reads no such file: call it defs.yaml.\n"
    shutil.rmtree(other.parent)


def test_an_unknown_executor_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_EXECUTOR", "multi")
    assert said(YAML) == ("EVENTS_EXECUTOR must be one of in_process, celery, k8s, not `multi`.\n")


def test_an_env_file_in_another_encoding_is_told(file: Path, said: Callable[[str], str]) -> None:
    settings = file.parents[3] / project_module.ENV_FILE
    settings.write_bytes("# café\nAPI_KEY=k\n".encode("latin-1"))
    assert said(YAML) == f"The file {settings} is not in UTF-8: save it in that encoding.\n"
    settings.unlink()


def test_a_variable_that_is_not_set_is_told(said: Callable[[str], str]) -> None:
    text = YAML.replace("order: asc", 'order: "{{ env.NOT_SET_HERE }}"')
    assert said(text).startswith("The variable NOT_SET_HERE is not set, ")


def test_a_key_without_an_address_is_told(
    said: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "of-an-api")
    text = YAML.replace("      base_url: http://127.0.0.1:9\n", "")
    answer = said(text)
    assert answer.startswith("A key is set for the source events (API_KEY), but no address: set ")
    assert answer.count("\n") == 1


AS_A_USER = (  # whom the permissions of files bind, unlike root
    ("setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override")
    if os.geteuid() == 0
    else ()
)


@pytest.mark.parametrize(
    ("mode", "names", "answer"),
    [
        (0o555, (), "The folder {home} (DAGSTER_HOME) cannot be written by this user: run it as"),
        (0o755, ("history", "schedules"), "Dagster's history in {home} (DAGSTER_HOME) cannot be w"),
        (0o755, ("?",), "The path of DAGSTER_HOME must be one without `?` and `%`, not {home}."),
        (None, (), "There is no folder {home} (DAGSTER_HOME): make it, or name another."),
    ],
    ids=["a folder of another user", "files of another user", "a question mark", "no folder"],
)
def test_a_dagster_home_that_cannot_be_written_is_named(
    project: Project, clone: Path, tmp_path: Path, mode: int | None, names: list[str], answer: str
) -> None:
    home = tmp_path / f"dagster_home{'?' if '?' in names else ''}"
    if mode is not None:
        home.mkdir()
        shutil.copy(ROOT / "dagster.yaml", home)
        for name in names:
            (home / name).mkdir(mode=0o555)
        home.chmod(mode)
    command = [*AS_A_USER, sys.executable, "-m", "event_assets"]
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(answer.format(home=home))
    assert done.stderr.count("\n") == 1
    assert not project.database.exists()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a: [\n", '"{home}/dagster.yaml", line 2, column 1: expected the node content, but found'),
        ("nonsense: 1\n", 'in {home}/dagster.yaml: Received unexpected config entry "nonsense" at'),
        ("retention: {schedule: 1}\n", "in {home}/dagster.yaml: Value at path root:retention:sch"),
    ],
)
def test_a_mistake_in_dagster_yaml_is_told_in_one_sentence(
    project: Project, tmp_path: Path, text: str, answer: str
) -> None:
    (tmp_path / "dagster.yaml").write_text(text)
    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as failed:
        open_instance()
    assert answer.format(home=tmp_path) in str(failed.value)
    assert "\n" not in str(failed.value)
    assert len(str(failed.value)) < 300


def test_a_damaged_history_of_dagster_is_told_with_what_heals_it(
    project: Project, tmp_path: Path
) -> None:
    project.environment.setenv("DAGSTER_HOME", str(tmp_path))
    with open_instance() as instance:
        instance.get_runs_count()
    (tmp_path / "history/runs.db").write_bytes(b"no database" * 100)
    with pytest.raises(PlainFailure, match="`storage` away") as failed:
        run_with_plain_errors(lambda: open_instance().get_runs_count())
    assert f"Dagster's history in {tmp_path} is damaged: file is not a data" in str(failed.value)


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
    (clone / "event_assets/defs/events/defs.yaml").write_text(text)
    done = project.run("dg", "check", "yaml", cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    for line in (44, 52, 55, 60):
        assert f"defs.yaml:{line} - " in done.stdout


def test_make_check_is_the_same_in_a_process_of_its_own(project: Project, clone: Path) -> None:
    assert "\t@$(BIN)/event-assets check\n" in (ROOT / "Makefile").read_text()
    done = project.run("python", "-m", "event_assets", "check", cwd=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No mistakes were found in the sources: events.\n"


def test_dagster_prints_the_sentence_only(project: Project, clone: Path) -> None:
    file = clone / "event_assets/defs/events/defs.yaml"
    file.write_text(YAML.replace("limit: 100", "limit: 0"))
    command = ("dagster", "asset", "materialize", "--select", "*", "-m", "event_assets.definitions")
    done = project.run(*command, cwd=clone, PYTHONPATH=str(clone))
    assert done.returncode == 1
    assert f"Error: {file}:29: " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
