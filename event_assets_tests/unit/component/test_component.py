"""`EventApi`: one YAML file in, one source's definitions out; a typo is answered with its line."""

import copy
import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing.utils import create_defs_folder_sandbox

from event_assets import EventApi
from event_assets.http.credentials import configured_secrets
from event_assets.values.errors import exception_chain
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.contracts import CONTRACT, complaint, contract, load


def test_the_assets_read_from_the_api_to_the_calendar() -> None:
    graph = load(CONTRACT).resolve_asset_graph()
    upstream = {
        key.to_user_string(): sorted(k.to_user_string() for k in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    assert upstream == {
        "events_api": [],
        "event_data": ["events_api"],
        "current_events": ["event_data"],
        "event_calendar": ["current_events"],
        "event_changes": ["current_events"],
    }


def test_event_data_has_kinds_owner_description_version_and_columns() -> None:
    spec = (
        load(contract(owners=["team:events"])).resolve_asset_graph().get(dg.AssetKey("event_data"))
    )
    assert spec.kinds >= {"dlt", "duckdb"}
    assert spec.owners == ["team:events"]
    assert "Every event that the API ever listed" in str(spec.description)
    assert spec.code_version
    assert {c.name for c in spec.metadata["dagster/column_schema"].columns} == set(
        CONTRACT["attributes"]["fields"]
    )


def test_its_documentation_has_a_source_that_loads() -> None:
    [_, example] = str(inspect.getdoc(EventApi)).split("such as\n\n")
    loaded = load(yaml.safe_load(example.split("\n\n")[0]), "concerts")
    assert loaded.resolve_job_def("sync_concerts")


def test_a_setting_that_cannot_be_is_told_when_any_project_loads_a_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENTS_KEEP_RUNS_DAYS", "abc")
    with pytest.raises(ComponentTreeException) as failed:
        load(CONTRACT)
    told = map(str, exception_chain(failed.value))
    assert "EVENTS_KEEP_RUNS_DAYS must be a number of days, such as 30, not `abc`." in told


def test_post_processing_sets_tags_and_group() -> None:
    attributes = {"group_name": "sales", "tags": {"domain": "events"}}
    post_processing = {"assets": [{"target": "*", "attributes": attributes}]}
    graph = load({**CONTRACT, "post_processing": post_processing}).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert graph.get(key).group_name == "sales"
        assert graph.get(key).tags["domain"] == "events"


def test_the_code_version_changes_with_the_contract() -> None:
    def version(document: Mapping[str, Any]) -> str:
        return str(load(document).resolve_asset_graph().get(dg.AssetKey("event_data")).code_version)

    other = contract(fields={"id": {"type": "text", "nullable": False}})
    assert version(CONTRACT) == version(CONTRACT) != version(other)


def test_the_schedule_is_the_one_in_the_yaml_and_runs_by_default() -> None:
    schedule = load(contract(schedule="7 * * * *")).resolve_schedule_def("sync_events_schedule")
    assert schedule.cron_schedule == "7 * * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == "sync_events"


def test_without_a_schedule_there_is_none() -> None:
    assert not list(load(contract(schedule=None)).schedules or [])


def test_the_freshness_policy_is_the_one_in_the_yaml() -> None:
    windows = {"warn_after_minutes": 5, "fail_after_minutes": 9}
    spec = load(contract(freshness=windows)).resolve_asset_graph().get(dg.AssetKey("event_data"))
    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(minutes=9), warn_window=timedelta(minutes=5)
    )


def test_freshness_is_checked_every_hour_beside_the_syncs() -> None:
    windows = {"warn_after_minutes": 30, "fail_after_minutes": 60}
    schedule = load(contract(freshness=windows)).resolve_schedule_def(
        "check_events_are_fresh_schedule"
    )
    assert schedule.cron_schedule == "37 * * * *"


def test_a_further_source_puts_its_name_first() -> None:
    definitions = load(CONTRACT, name="concerts")
    keys = {k.to_user_string() for k in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert "concerts/event_data" in keys
    assert definitions.resolve_job_def("sync_concerts")


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("{{ env.ANY_NAME }}", "/events"),
        ("https://api.example.com/bot{{ env.ANY_NAME }}", "/events"),
        ("https://api.example.com", "{{ env.ANY_NAME }}/events"),
        ("https://api.example.com{% if 1 %}/{{ env.ANY_NAME }}{% endif %}", "/events"),
    ],
)
def test_what_looks_like_a_key_and_is_filled_in_is_a_secret(
    monkeypatch: pytest.MonkeyPatch, base_url: str, path: str
) -> None:
    key = f"k3y{uuid4().hex}"
    address = f"https://api.example.com/{key}" if base_url == "{{ env.ANY_NAME }}" else f"12:{key}"
    monkeypatch.setenv("ANY_NAME", address)
    document = contract()
    rest_api = document["attributes"]["rest_api"]
    rest_api["client"]["base_url"] = base_url
    rest_api["resources"][0]["endpoint"]["path"] = path
    with create_defs_folder_sandbox() as sandbox:
        file = sandbox.scaffold_component(EventApi, "events", defs_yaml_contents=document)
        with sandbox.load_component_and_build_defs(defs_path=file) as (component, _):
            assert isinstance(component, EventApi)
            assert key in configured_secrets(component.source("events"))
    assert KNOWN.redact_text(f"at {key}") == "at ***"


@pytest.mark.parametrize("place", ["params", "json"])
def test_what_fills_in_a_variable_with_the_name_of_a_secret_is_a_secret(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    key = "ab+81/hhPQ0x==\"'blue horse"
    monkeypatch.setenv("PARTNER_TOKEN", key)
    monkeypatch.setenv("OTHER_TOKEN", "of-another-program")
    document = contract()
    endpoint = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    endpoint[place] = {"partner": "{{ env.PARTNER_TOKEN }}"}
    with create_defs_folder_sandbox() as sandbox:
        file = sandbox.scaffold_component(EventApi, "events", defs_yaml_contents=document)
        with sandbox.load_component_and_build_defs(defs_path=file) as (component, _):
            assert isinstance(component, EventApi)
            found = configured_secrets(component.source("events"))
    assert key in found
    assert "of-another-program" not in found


@pytest.mark.parametrize(
    ("selection", "named"), [({"exclude": ["id"]}, "fields"), ({"only": ["id"]}, "only")]
)
def test_what_is_to_be_stored_cannot_be_excluded(
    selection: Mapping[str, list[str]], named: str
) -> None:
    said = complaint(contract(**{"exclude": ["id"], **selection}))
    assert f"`id` is stored, as `{named}` says: delete it in one" in said


def test_two_sources_load_side_by_side() -> None:
    with create_defs_folder_sandbox() as sandbox:
        for name in ("events", "concerts"):
            sandbox.scaffold_component(
                component_cls=EventApi, defs_path=name, defs_yaml_contents=CONTRACT
            )
        with sandbox.build_all_defs() as definitions:
            jobs = {job.name for job in definitions.jobs or []}
    assert jobs == {
        "sync_events",
        "check_events_are_fresh",
        "sync_concerts",
        "check_concerts_are_fresh",
    }


@pytest.mark.parametrize(
    "name",
    [
        "my-events",
        "MeetUp",
        "my__events",
        "order",
        "temp",
        "nul",
        "com1",
        "pg_catalog",
        "of_staging",
        "a" * 41,
    ],
)
def test_a_folder_that_cannot_name_a_schema_is_refused(name: str) -> None:
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=EventApi, defs_path="concerts", defs_yaml_contents=CONTRACT
        )
        folder.rename(folder.with_name(name))
        with pytest.raises(ComponentTreeException) as failed, sandbox.build_all_defs():
            pass
    assert "a name of at most 40 small letters, digits and underscores" in str(failed.value)


def test_an_unknown_attribute_is_answered_with_its_line_and_the_names() -> None:
    said = complaint(contract(shedule="* * * * *"))
    said_of_names = "did you mean `schedule`? Allowed: accounts, concurrency, "
    assert f"`shedule` is not a known field, {said_of_names}" in said
    assert said.endswith(">>   shedule: '* * * * *'")


def test_a_key_of_an_earlier_release_is_answered_with_its_line_and_what_replaced_it() -> None:
    said = complaint(contract(checkpoint_rows=1000))
    assert (
        "`checkpoint_rows` is gone, delete it: interrupted syncs resume by themselves within "
        "`resume_hours`." in said
    )
    assert "Allowed: " not in said
    assert said.endswith(">>   checkpoint_rows: 1000")


@pytest.mark.parametrize("hours", [0, 0.5, 48])
def test_resume_hours_are_those_of_the_yaml(hours: float) -> None:
    component = EventApi(**CONTRACT["attributes"], resume_hours=hours)
    assert component.source("events").resume_hours == hours


FURTHER = ("resources", 1)
CURSOR = (*FURTHER, "endpoint", "params", "since")


@pytest.mark.parametrize(
    ("place", "key", "value", "instead"),
    [
        (("resources", 0), "table_name", "mine", "a table is named like its resource"),
        (("resources", 0), "columns", {"name": {"data_type": "date"}}, "types are set in `fields`"),
        (("resource_defaults",), "max_table_nesting", 1, "delete it"),
        (("client",), "session", "x", "delete it"),
        (FURTHER, "table_name", "mine", "a table is named like its resource"),
        (FURTHER, "columns", {"name": {"data_type": "date"}}, "types are set in `fields`"),
        (FURTHER, "processing_steps", [{"filter": "lambda r: True"}], "`only` and `exclude`"),
        (FURTHER, "selected", False, "do not select its asset"),
        (FURTHER, "parallelized", True, "`concurrency` is"),
        (FURTHER, "schema_contract", {"columns": "freeze"}, "delete it"),
        (FURTHER, "merge_key", "day", "merged by the `primary_key`"),
        ((*FURTHER, "endpoint", "incremental"), "allow_external_schedulers", True, "delete it"),
        (CURSOR, "last_value_func", "min", "delete it"),
    ],
)
def test_what_dlt_knows_and_is_not_done_is_refused_with_its_line(
    place: tuple[str | int, ...], key: str, value: object, instead: str
) -> None:
    said = complaint(with_venues(place, key, value))
    path = ".".join(map(str, (*place, key)))
    assert f": rest_api.{path}: `{key}` has no effect here: " in said
    assert instead in said
    assert key in said.partition(">>")[2]


ENDPOINT = (*FURTHER, "endpoint")
IGNORE = {"status_code": 404, "action": "ignore"}
OAUTH = {"type": "oauth2_client_credentials", "access_token_url": "https://a.example/token"}


@pytest.mark.parametrize(
    ("place", "value", "at", "problem"),
    [
        (ENDPOINT, {"response_actions": IGNORE}, "response_actions", "must be a list"),
        *(
            (ENDPOINT, {"response_actions": [IGNORE | change]}, f"response_actions.0{at}", problem)
            for change, at, problem in (
                ({"statuscode": 404}, ".statuscode", "did you mean `status_code`?"),
                ({"action": "retry"}, ".action", "`retry` is not a known value. Allowed: ignore"),
                ({"action": None}, ".action", "must be one of ignore, not nothing"),
                ({"status_code": None}, "", "has no effect without a `status_code` or `content`"),
            )
        ),
        (ENDPOINT, {"params": {"f": {"a": 1}}}, "params.f", "write JSON as a text, in quotes"),
        (ENDPOINT, {"params": {"f": [{"a": 1}]}}, "params.f", "write JSON as a text, in quotes"),
        (ENDPOINT, {"headers": {"X": ["a"]}}, "headers.X", "cannot be sent"),
        (("client",), {"headers": {"X": {"a": 1}}}, "headers.X", "cannot be sent"),
        (ENDPOINT, {"params": ["a"]}, "params", "must be a mapping, not a list"),
        (ENDPOINT, {"path": 5}, "path", "must be text, not 5"),
        (FURTHER, {"primary_key": 5}, "primary_key", "must be text or a list, not 5"),
        (ENDPOINT, {"json": {"a": 1}, "data": {"b": 1}}, "json", "has no effect beside `data`"),
        *(
            (ENDPOINT, {body: {"q": [{"f": parameter}]}}, body, "is filled in `params` only")
            for body, parameter in (
                ("json", {"type": "incremental", "cursor_path": "u"}),
                ("data", {"type": "resolve", "resource": "event_data", "field": "id"}),
            )
        ),
        (
            (*ENDPOINT, "paginator"),
            {"type": "page_number", "stop_after_empty_page": "false"},
            "stop_after_empty_page",
            "must be true or false, not 'false'",
        ),
        ((*ENDPOINT, "incremental"), {"cursor_path": "u", "lag": "x"}, "lag", "a number, not 'x'"),
        ((*ENDPOINT, "incremental"), {"start_param": "s"}, "", "`cursor_path` is missing"),
        *(
            ((*ENDPOINT, "incremental"), {"cursor_path": "u", name: "x"}, at, "without each other")
            for name, at in (("end_param", "end_param"), ("end_value", ""))
        ),
        (
            ENDPOINT,
            {"params": {name: {"type": "incremental", "cursor_path": "u"} for name in "ab"}},
            "params",
            "only one parameter can be `incremental`",
        ),
        (("client", "auth"), OAUTH | {"session": "x"}, "session", "has no effect here"),
        (("client", "auth"), OAUTH | {"access_token": "x"}, "access_token", "has no effect here"),
        (("client", "auth"), {"type": OAUTH["type"]}, "", "`access_token_url` is missing"),
        ((*ENDPOINT, "paginator"), {"type": "offset"}, "", "`limit` is missing"),
    ],
)
def test_what_cannot_be_done_as_it_is_written_is_refused_with_its_line(
    place: tuple[str | int, ...], value: dict[str, object], at: str, problem: str
) -> None:
    *above, key = place
    said = complaint(with_venues(tuple(above), key, value))
    path = ".".join(map(str, (*place, at) if at else place))
    assert f": rest_api.{path}: " in said
    assert problem in said


def test_fields_of_a_parent_need_one() -> None:
    problem = "`include_from_parent` of `venues` has no effect: it has no parent resource."
    said = complaint(with_venues(FURTHER, "include_from_parent", ["id"]))
    assert problem in said
    assert "include_from_parent" in said.partition(">>")[2]


@pytest.mark.parametrize(
    ("place", "disposition", "key", "done"),
    [
        (("resources", 0), "append", "id", "merged by the `primary_key`: write `merge`"),
        (("resources", 0), "replace", None, "merged by the `primary_key`: write `merge`"),
        (("resource_defaults",), "append", "id", "merged by the `primary_key`: write `merge`"),
        (FURTHER, "append", None, "replaced, without a `primary_key`: write `replace`"),
        (FURTHER, "merge", None, "replaced, without a `primary_key`: write `replace`"),
        (FURTHER, {"disposition": "merge", "strategy": "scd2"}, "id", "merged by the"),
        (FURTHER, "replace", "id", "merged by the `primary_key`"),
    ],
)
def test_a_write_disposition_that_is_not_what_happens_is_refused(
    place: tuple[str | int, ...], disposition: object, key: str | None, done: str
) -> None:
    document = with_venues(place, "write_disposition", disposition)
    document["attributes"]["rest_api"]["resources"][1]["primary_key"] = key
    said = complaint(document)
    assert done in said
    assert "write_disposition" in said.partition(">>")[2]


@pytest.mark.parametrize(("disposition", "key"), [("merge", "id"), ("replace", None), (None, None)])
def test_a_write_disposition_that_is_what_happens_loads(
    disposition: object, key: str | None
) -> None:
    document = with_venues(FURTHER, "write_disposition", disposition)
    document["attributes"]["rest_api"]["resources"][1]["primary_key"] = key
    assert load(document)


def with_venues(place: tuple[str | int, ...], key: str | int, value: object) -> dict[str, Any]:
    """Return the contract with a further resource, and something set."""
    document: dict[str, Any] = copy.deepcopy(CONTRACT)
    endpoint: dict[str, Any] = {"path": "/v1/venues", "incremental": {"cursor_path": "updated"}}
    since = {"type": "incremental", "cursor_path": "updated"}
    if place == CURSOR:
        endpoint = {"path": "/v1/venues", "params": {"since": since}}
    if place == FURTHER:
        endpoint = {"path": "/v1/venues"}
    document["attributes"]["rest_api"]["resources"].append({"name": "venues", "endpoint": endpoint})
    part: Any = document["attributes"]["rest_api"]
    for name in place:
        part = part[name]
    part[key] = value
    return document
