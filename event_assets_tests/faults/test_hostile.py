"""An API that means harm: what it says in names and values is data, and does nothing."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.project import Project, checks, failure
from event_assets_tests.support.sandbox import Sandbox

HOSTILE = {
    "escape sequences": "\x1b]0;mine\x07\x1b[31mred\x1b[2J",
    "C1 controls": "\x9b31m\x9d0;mine\x9c",
    "a text from right to left": "\u202etxt.exe",
    "NUL": "a\x00b",
    "SQL": "'; drop table events.event_data; --",
    "quoted SQL": '"; drop table "events"."event_data"; --',
    "Jinja": "{{ env.API_KEY }}{% raw %}{{ 7*7 }}",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "Markdown": "[x](javascript:alert(1)) ![y](http://127.0.0.1:1/z) `a` | b |\n# T",
    "formats": "%s %(x)s {0} {x} $HOME `id` $(id)",
    "YAML": "!!python/object/apply:os.system [id]\n- a: &b *b",
    "300 characters": "n" * 300,
}
# More names of fields that could be taken for something else.
NAMES = ["select", "order", "ID", "", " ", "_dlt_load_id", "_dlt_id", "last_seen_at", "event_data"]
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def records() -> list[dict[str, Any]]:
    """Make an event for each, which has it as its id, name and status, and all as its fields."""
    soon = datetime.now(UTC) + timedelta(days=1)
    fields = {name: f"value of {number}" for number, name in enumerate([*HOSTILE.values(), *NAMES])}
    return [
        {
            **fields,
            "id": f"{number} {text}",
            "name": text,
            "status": text,
            "start_time": (soon + timedelta(days=number)).isoformat(),
            "tags": [text, {text: text}],
        }
        for number, text in enumerate(HOSTILE.values())
    ]


@pytest.fixture
def hostile(project: Project) -> Iterator[Sandbox]:
    with Sandbox(records()) as api:
        project.connect_to(api.url)
        yield api


def moved() -> list[dict[str, Any]]:
    """Let each event change, one leave and one come that breaks the contract."""
    texts = list(HOSTILE.values())
    changed = [{**r, "name": f"{r['name']}!", "status": texts[0]} for r in records()[1:]]
    return [*changed, {"id": f"bad {texts[0]}", "start_time": texts[0]}]


def test_hostile_values_and_names_are_only_data(
    project: Project, hostile: Sandbox, tries: Tries
) -> None:
    result = project.sync(url=hostile.url)
    rows = project.rows("select id, name, status, tags from events.event_data")
    columns = [name for name, *_ in project.rows("describe events.event_data")]
    for record in records():
        fault = next(name for name, text in HOSTILE.items() if text == record["name"])
        with tries.trying(f"hostile: {fault}") as this:
            assert result.success, failure(result)
            found = [row for row in rows if row[0] == record["id"]]
            this.lost = int(not found)
            this.doubled = max(len(found) - 1, 0)
            (_, name, status, tags) = found[0]
            assert (name, status) == (record["name"], record["status"])
            assert json.loads(tags) == record["tags"]
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in columns)
    assert len(columns) >= len(HOSTILE) + len(NAMES)
    (values,) = project.rows("select columns(*)::varchar from events.event_data limit 1")
    assert {f"value of {n}" for n in range(len(HOSTILE) + len(NAMES))} <= {*values}
    assert all(check.passed for check in checks(result).values())


def test_a_hostile_value_that_changes_is_recorded_as_it_is(
    project: Project, hostile: Sandbox
) -> None:
    project.sync(url=hostile.url)
    hostile.replace(moved())
    result = project.sync(url=hostile.url)
    assert result.success, failure(result)
    gone, *_ = records()
    assert project.rows("select id from events.event_changes where change = 'gone'") == [
        (gone["id"],)
    ]
    noted = project.rows("select old, new from events.event_changes where field = 'name'")
    assert sorted(noted) == sorted((r["name"], f"{r['name']}!") for r in records()[1:])
    assert project.rows("select count(*) from events.event_data_rejects") == [(1,)]


@pytest.mark.parametrize(
    "command",
    [
        ("python", "-m", "event_assets"),
        ("dagster", "asset", "materialize", "-m", "event_assets.definitions", "--select", "*"),
        ("python", "-m", "event_assets.probe"),
    ],
    ids=["make run", "dagster", "probe"],
)
def test_nothing_hostile_reaches_the_terminal(
    project: Project, hostile: Sandbox, tries: Tries, command: tuple[str, ...]
) -> None:
    with tries.trying(f"hostile: on the terminal of {' '.join(command[:3])}"):
        project.sync(url=hostile.url)
        hostile.replace(moved())
        changed = project.run(*command)
        hostile.replace([{"id": text, "start_time": text} for text in HOSTILE.values()])
        refused = project.run(*command)
        assert refused.returncode == 1
        for done in (changed, refused):
            said = done.stdout + done.stderr
            assert said
            assert not CONTROLS.findall(said)
            assert "<script" not in said
            assert "Traceback" not in said


def test_the_ui_is_given_no_markup_of_the_api(project: Project, hostile: Sandbox) -> None:
    project.sync(url=hostile.url)
    hostile.replace(moved())
    result = project.sync(url=hostile.url)
    entries = [
        entry
        for event in result.get_asset_materialization_events()
        for entry in event.materialization.metadata.values()
    ]
    assert any(isinstance(entry, dg.TableMetadataValue) for entry in entries)
    assert not any(isinstance(entry, dg.MarkdownMetadataValue) for entry in entries)
