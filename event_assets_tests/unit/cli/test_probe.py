"""`python -m event_assets.probe` prints the report and the suggested YAML."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from event_assets.cli.main import run
from event_assets.config import env_file as env_module
from event_assets_tests.support.project import ROOT, Project
from event_assets_tests.support.sandbox import Faults, Sandbox

PROBE = ("python", "-m", "event_assets.probe")
YAML = (ROOT / "event_assets/defs/events/defs.yaml").read_text()


def test_the_built_in_sandbox_is_probed_without_an_address(project: Project, clone: Path) -> None:
    done = project.run(*PROBE, cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *lines, last = done.stdout.splitlines()
    assert first == "Source events at the built-in sandbox:"
    assert {line.split()[0] for line in lines} == {"ok", "-"}
    assert last == "Ready: all checks passed."
    assert done.stderr == ""
    assert not project.database.parent.exists()


def test_the_exit_status_is_1_when_a_check_fails_and_env_overrides_the_environment(
    project: Project, api: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.connect_to("http://127.0.0.1:1")
    (tmp_path / ".env").write_text(f"EVENTS_API_URL={api.url}\nAPI_KEY=wrong-key\n")
    project.environment.setattr(env_module, "ENV_FILE", str(tmp_path / ".env"))
    assert run(["probe", "events"]) == 1
    output, errors = capsys.readouterr()
    assert f"The API at {api.url}/v1/events answered 401 Unauthorized; set API_KEY" in output
    assert output.splitlines()[-1] == "Not ready: 1 error, 0 warnings."
    assert "wrong-key" not in output
    assert errors == ""


def test_a_key_without_an_address_probes_no_sandbox(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.connect_to("", key="of-an-api")
    assert run(["probe"]) == 1
    assert "(API_KEY), but no URL: set " in capsys.readouterr().err


def test_the_exit_status_is_0_with_warnings_only(
    project: Project, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    api.faults = Faults(ignore_key=True)
    project.connect_to(api.url)
    assert run(["probe"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Ready, with 1 warning."


def test_suggest_prints_the_yaml_and_the_report_on_standard_error(
    project: Project, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    api.faults = Faults(page_cap=60)
    project.connect_to(api.url)
    assert run(["probe", "--suggest"]) == 0
    output, errors = capsys.readouterr()
    assert yaml.safe_load(output) == yaml.safe_load(YAML.replace("limit: 100", "limit: 60"))
    assert errors.splitlines()[-1] == "Changed settings: paginator.limit."


def test_an_error_in_the_yaml_is_printed_with_its_line_and_no_traceback(
    source_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source_file.write_text(source_file.read_text().replace("limit: 100", "limitt: 100"))
    assert run(["probe"]) == 1
    output, errors = capsys.readouterr()
    assert f"{source_file}:17: rest_api.resources.0.endpoint.paginator.limitt" in errors
    assert "Traceback" not in errors
    assert output == ""


def test_a_missing_key_is_one_sentence_before_any_request(
    project: Project, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    project.connect_to(api.url, key=None)
    assert run(["probe"]) == 1
    output, errors = capsys.readouterr()
    assert errors.startswith(f"No key for the API at {api.url}: set API_KEY in .env")
    assert (output, errors.count("\n")) == ("", 1)
    assert api.requests == []


def test_a_key_that_is_set_beside_an_empty_one_in_the_env_file_is_told(
    project: Project, source_file: Path, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    project.connect_to(api.url, key="of-the-shell")
    (source_file.parents[3] / env_module.ENV_FILE).write_text("API_KEY=\n")
    assert run(["probe"]) == 1
    told = f"No key for the API at {api.url}: set API_KEY in .env, which is read before the envir"
    assert capsys.readouterr().err.startswith(told)


def test_each_source_of_a_project_can_be_probed(
    project: Project, source_file: Path, api: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    other = source_file.parents[1] / "concerts/defs.yaml"
    other.parent.mkdir()
    other.write_text(YAML.replace("data_selector: data", "data_selector: concerts"))
    project.connect_to(api.url)
    assert run(["probe", "concerts"]) == 1
    assert "the response has no `concerts`; 100 are under `data`" in capsys.readouterr().out


def test_an_unknown_source_is_a_usage_error_that_lists_the_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["probe", "concerts"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("Unknown source `concerts`; known sources: events. See ")


def test_the_help_explains_the_marks_and_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["probe", "--help"]) == 0
    output = capsys.readouterr().out
    assert "Exit status: 0 when no check failed" in output
    assert "  fail  a sync fails or is wrong" in output
