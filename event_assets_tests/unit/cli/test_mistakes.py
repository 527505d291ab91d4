"""Every mistake in a source's YAML is told in one sentence, by file and line, by every command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from event_assets._compat.dagster import PlainFailure
from event_assets.cli.main import run
from event_assets.config.program import program
from event_assets.definitions import defs
from event_assets_tests.support.mistakes import MISTAKES, YAML, Mistake


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
        ("a: " + "[" * 1000, "defs.yaml:1: is nested too deeply"),
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
    assert "holds more than 20,000 values, with those of aliases" in said(text)


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
        YAML.replace("order: asc", "order: 2026-13-45"),
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


@pytest.mark.parametrize("target", ["nowhere/defs.yaml", "defs.yaml"])
def test_a_link_that_leads_to_no_file_is_told(
    source_file: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    source_file.with_name(".#notes.yaml").symlink_to("nowhere")
    source_file.unlink()
    source_file.symlink_to(target)
    for command in ("check", "sync", "probe", "status", "sources"):
        assert run([command]) == 1
        errors = capsys.readouterr().err
        assert errors.startswith(f"The file {source_file} cannot be read: ")
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "type: event_assets.EventApi", "attributes: {}", "type: event_assets.EventApis"),
        *(
            "- type: event_assets.EventApi",
            "type: event_assets.EventApi\nattributes: {rest_api: {}}",
        ),
    ],
)
def test_a_file_that_names_no_api_is_not_taken_for_the_sandbox(
    source_file: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    source_file.write_text(text)
    for command in ("status", "sources"):
        assert run([command]) == 1
        told = f"The file {source_file} names no API: `{program()} check` says why.\n"
        assert capsys.readouterr().err == told
    assert run(["check"]) == 1
    assert capsys.readouterr().err.startswith(str(source_file))


def test_a_folder_in_place_of_the_file_is_told(
    source_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source_file.unlink()
    source_file.mkdir()
    for command in ("check", "sync", "probe", "status", "sources"):
        assert run([command]) == 1
        told = f"The folder {source_file} cannot be read: Is a directory.\n"
        assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    "name", [".ipynb_checkpoints/defs-1.yaml", "../.git/x/defs.yaml", "../__pycache__/defs.yaml"]
)
def test_what_is_in_a_folder_that_dagster_ignores_is_no_source(
    source_file: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    copy = source_file.parent / name
    copy.parent.mkdir(parents=True)
    shutil.copy(source_file, copy)
    assert run(["check"]) == 0
    assert capsys.readouterr().out.endswith("in the sources: events.\n")


def test_a_source_may_be_a_link_to_a_folder(
    source_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared, link = tmp_path / "shared", source_file.parents[1] / "concerts"
    shutil.copytree(source_file.parent, shared)
    link.symlink_to(shared)
    assert run(["check"]) == 0
    assert capsys.readouterr().out.endswith("in the sources: events, concerts.\n")
    assert run(["remove", "concerts", "--yes"]) == 0
    assert not link.is_symlink()
    assert (shared / source_file.name).exists()


def test_the_project_may_be_a_link_where_python_finds_it_by_its_path(
    source_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    link = source_file.parents[4] / "link"
    link.symlink_to(source_file.parents[3])
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(link))
    assert run(["check"]) == 0
    assert run(["erase", "--value", "nobody", "--yes"]) == 1
    assert capsys.readouterr().err.startswith("There is no database ")


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


@pytest.mark.usefixtures("said")
def test_the_mistakes_of_all_sources_are_told_at_once(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(YAML.replace("max_rejects: 5%", "max_rejects: 5"))
    other = file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(YAML.replace("limit: 100", "limit: 0"))
    statuses = [run(["check"]), run(["sync"])]
    shutil.rmtree(other.parent)
    assert statuses == [1, 1]
    assert capsys.readouterr().err.splitlines() == 2 * [
        f"{other}:29: rest_api.resources.0.endpoint.paginator.limit: must be 1 or more, not 0.",
        f"{file}:62: max_rejects: must be a percentage such as 5%, not 5.",
    ]


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


@pytest.mark.usefixtures("said")
def test_the_inputs_that_dagster_suggests_are_told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(YAML)
    own = file.parents[1] / "own.py"
    own.write_text(
        "import dagster as dg\n@dg.asset\ndef guests(): ...\n@dg.asset\ndef tables(guest): ...\n"
    )
    statuses = [run([command]) for command in ("check", "sync")]
    own.unlink()
    told = capsys.readouterr().err.splitlines()
    assert statuses == [1, 1]
    assert len(set(told)) == 1
    assert told[0].endswith('Did you mean one of the following? ["guests"]')


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
