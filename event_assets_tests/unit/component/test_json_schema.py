"""The JSON schema of a source's YAML: current, without false alarms, and it finds typos."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from event_assets import EventApi
from event_assets.component.json_schema import FILE, build_document, editor_line
from event_assets_tests.support.mistakes import MISTAKES, TYPOS, VALUES, YAML, Mistake
from event_assets_tests.support.project import ROOT

SCHEMA = build_document(EventApi.get_model_cls().model_json_schema())
VALIDATOR = Draft7Validator(SCHEMA)
FILES = [
    *sorted((ROOT / "event_assets/defs").rglob("defs.yaml")),
    *sorted((ROOT / "examples").glob("*/defs.yaml")),
]
MEANT = {  # what `make check` takes, too
    "limit: 100": "limit: '{{ env.LIMIT }}'",
    "concurrency: 4": 'concurrency: "4"',
    "resume_hours: 6": "resume_hours: 6.50",
    "order: asc": "order: [2026-05-01, 5, true, ~]",
    "sort: id": "sort: {type: resolve, resource: venues, field: id}",
    "since": "since\n            lag: '60'",
    "    resource_defaults:\n": "      paginator: auto\n    resource_defaults:\n",
    "path: /v1/venues": "path: /v1/venues\n          auth: {token: '{{ env.TOKEN }}'}",
}


def find_mistakes(text: str) -> list[str]:
    document = yaml.safe_load(text)
    return [error.message for error in VALIDATOR.iter_errors(document)]


def is_found(mistake: Mistake) -> bool:
    try:
        return bool(find_mistakes(mistake.text))
    except (yaml.YAMLError, TypeError, ValueError, KeyError):  # what YAML cannot construct
        return True


def test_the_schema_in_the_package_is_current() -> None:
    assert json.loads(FILE.read_text()) == SCHEMA, "write it: python -m event_assets.component"


def test_the_schema_is_valid_itself() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_no_source_of_ours_has_a_mistake(file: Path) -> None:
    assert find_mistakes(file.read_text()) == []


@pytest.mark.parametrize("old", MEANT)
def test_what_may_be_written_is_no_mistake(old: str) -> None:
    assert find_mistakes(YAML.replace(old, MEANT[old])) == []


@pytest.mark.parametrize("mistake", TYPOS, ids=lambda mistake: mistake.new.strip())
def test_every_typo_is_found(mistake: Mistake) -> None:
    assert is_found(mistake)


def test_most_mistakes_are_found() -> None:
    of_structure = [*TYPOS, *VALUES]  # others depend on more, or are no YAML
    found = [*filter(is_found, MISTAKES)]
    assert len(found) >= 105
    assert len([one for one in found if one in of_structure]) >= 0.75 * len(of_structure)


def test_an_editor_finds_the_schema_from_the_file_of_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ROOT / "event_assets/defs/events/defs.yaml"
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(ROOT))
    line = editor_line(source)
    assert source.read_text().startswith(line)
    path = line.removeprefix("# yaml-language-server: $schema=").rstrip()
    assert (source.parent / path).resolve() == FILE
    monkeypatch.setenv("EVENT_ASSETS_PROJECT", str(tmp_path))  # where the package is not
    assert editor_line(tmp_path / "defs/concerts/defs.yaml") == ""
