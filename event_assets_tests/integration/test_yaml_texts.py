"""What is written in the YAML is what the API is asked: texts stay texts, braces need no escape."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster.components.testing.utils import create_defs_folder_sandbox
from starlette.requests import Request

from event_assets import EventApi
from event_assets.values.errors import ConfigError
from event_assets_tests.support import streams
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.platforms import source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

GRAPHQL = "query { events { nodes { id } } }"
DOUBLED = GRAPHQL.replace("{", "{{").replace("}", "}}")  # as dlt itself wants it
ESCAPED = f"{{% raw %}}{DOUBLED}{{% endraw %}}"


def load(text: str) -> EventApi:
    """Load a source from the text of its YAML."""
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=EventApi, defs_path="events")
        (path / "defs.yaml").write_text(text)
        with sandbox.load_component_and_build_defs(defs_path=path) as (component, _):
            assert isinstance(component, EventApi)
            return component


def ask(**endpoint: Any) -> Request:
    """Return the request that is sent for an endpoint, and its body in `state.body`."""
    with serving(lambda _: {"data": []}) as api:
        client = {"headers": endpoint.pop("client_headers", {})}
        endpoint = {"paginator": "single_page", **endpoint}
        document = source(api.url, client=client, endpoint=endpoint)
        loaded = load(yaml.safe_dump(document, sort_keys=False))
        with streams.reading(loaded.rest_api) as stream:
            streams.read_all(stream)
    return api.requests[0]


@pytest.mark.parametrize("text", ["1.10", "007", "None", "2", "1e3", "True", "[1]", "1_000", ""])
def test_a_quoted_text_is_sent_as_it_is(text: str) -> None:
    request = ask(params={"v": text}, headers={"X-Of": text}, client_headers={"X-All": text})
    assert request.query_params["v"] == text
    assert (request.headers["X-Of"], request.headers["X-All"]) == (text, text)


@pytest.mark.parametrize("name", ["lag", "status_code", "limit", "page"])
def test_a_quoted_text_is_sent_as_it_is_whatever_its_name(name: str) -> None:
    assert ask(params={name: "05"}).query_params[name] == "05"
    assert json.loads(ask(method="POST", json={"v": {name: "05"}}).state.body) == {
        "v": {name: "05"}
    }


def test_a_quoted_name_of_a_parameter_or_member_is_a_text() -> None:
    cursor = {"type": "cursor", "cursor_path": "0", "cursor_param": "007"}
    loaded = load(yaml.safe_dump(source("http://127.0.0.1:9", endpoint={"paginator": cursor})))
    assert loaded.rest_api["resources"][0]["endpoint"]["paginator"] == cursor


def test_a_quoted_text_in_a_body_stays_a_text() -> None:
    sent = {"v": "1.10", "none": "None", "list": ["007"], "number": 7, "yes": True}
    assert json.loads(ask(method="POST", json=sent).state.body) == sent


@pytest.mark.parametrize(
    "template", ["{{ env.OF_A_TEST }}", "{{ env('OF_A_TEST') }}", "v{{ env.OF_A_TEST }}"]
)
def test_a_variable_is_a_text(project: Project, template: str) -> None:
    for value in ("2024.10", "007", '{"a": 1}'):
        project.environment.setenv("OF_A_TEST", value)
        assert ask(params={"v": template}).query_params["v"].removeprefix("v") == value


def test_dagsters_own_variables_are_filled_in() -> None:
    project = ask(params={"v": "{{ context.project_root }}"}).query_params["v"]
    assert Path(project).is_absolute()


@pytest.mark.parametrize(
    "text", ['{{"status": "live"}}', "{{ live }}", "{{ a(first: 2) {{ b }} }}"]
)
def test_braces_that_are_doubled_as_for_dlt_are_sent_once(text: str) -> None:
    sent = ask(params={"filter": text}).query_params["filter"]
    assert sent == text.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    ("endpoint", "client"),
    [
        ({"params": {"of": "{{ env.NOT_SET_HERE }}"}}, {}),
        ({"json": {"of": {"a": ["b {{ env.NOT_SET_HERE }}"]}}, "method": "POST"}, {}),
        ({"path": "/v1/{{ env.NOT_SET_HERE }}/events"}, {}),
        ({}, {"X-Of": "{{env.NOT_SET_HERE}}"}),
    ],
)
def test_a_variable_that_is_not_set_is_named_and_nothing_is_sent(
    endpoint: dict[str, Any], client: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError) as failed:
        ask(**endpoint, client_headers=client)
    assert str(failed.value) == (
        "The variable NOT_SET_HERE is not set, which the defs.yaml of events names: set it in .env "
        "or in the environment."
    )


def test_an_address_with_a_variable_that_is_not_set_is_named_when_it_is_needed() -> None:
    loaded = load(yaml.safe_dump(source("https://{{ env.NOT_SET_HERE }}/v1")))
    with (
        pytest.raises(ConfigError, match="The variable NOT_SET_HERE is not set"),
        streams.reading(loaded.rest_api) as stream,
    ):
        streams.read_all(stream)


@pytest.mark.parametrize("text", ["{{ env.X }", "{{ envi.X }}", "{{ env.X | upper( }}"])
@pytest.mark.parametrize("at", ["path", "method", "params"])
def test_a_template_that_is_none_is_refused_in_a_sentence(text: str, at: str) -> None:
    endpoint = {at: {"v": text} if at == "params" else text}
    document = source("http://127.0.0.1:9", endpoint=endpoint)
    said = rf"defs.yaml:\d+: .*endpoint.{at}\S*: cannot be filled in: \S+"
    with pytest.raises(ConfigError, match=said) as failed:
        load(yaml.safe_dump(document))
    assert "Traceback" not in str(failed.value)


def test_the_status_of_an_ignored_response_may_be_in_quotes() -> None:
    actions = [{"status_code": "404", "action": "ignore"}]
    document = source("http://127.0.0.1:9", endpoint={"response_actions": actions})
    loaded = load(yaml.safe_dump(document)).rest_api["resources"][0]["endpoint"]
    assert loaded["response_actions"] == [{"status_code": 404, "action": "ignore"}]


def test_a_number_of_a_paginator_may_be_a_variable(project: Project) -> None:
    project.environment.setenv("OF_A_TEST", "25")
    paginator = {"type": "offset", "limit": "{{ env.OF_A_TEST }}", "total_path": None}
    assert ask(paginator=paginator).query_params["limit"] == "25"


@pytest.mark.parametrize(("value", "sent"), [(True, "true"), (False, "false"), (7, "7")])
def test_a_boolean_and_a_number_are_sent_as_json_writes_them(value: object, sent: str) -> None:
    request = ask(params={"v": value}, headers={"X-Of": value}, client_headers={"X-All": value})
    assert request.query_params["v"] == sent
    assert (request.headers["X-Of"], request.headers["X-All"]) == (sent, sent)
    assert ask(method="POST", data={"v": value}).state.body == f"v={sent}".encode()


def test_what_is_null_is_not_sent() -> None:
    nothing = {"X-Of": None}
    request = ask(params={"v": None}, headers=nothing, client_headers={"X-All": None})
    assert "v" not in request.query_params
    assert not {"x-of", "x-all"} & {*request.headers}


def test_a_list_is_a_repeated_parameter() -> None:
    request = ask(params={"status": ["live", "started", False]})
    assert request.query_params.getlist("status") == ["live", "started", "false"]


@pytest.mark.parametrize(
    "text", ['{"status": "live"}', '{"a":{"b":{}}}', '{"q": "}} }"}', "}{", "{}", "a } b"]
)
def test_json_in_a_parameter_needs_no_escapes(text: str) -> None:
    assert ask(params={"filter": text}).query_params["filter"] == text


@pytest.mark.parametrize("query", [GRAPHQL, DOUBLED, ESCAPED, GRAPHQL.replace(" ", "")])
def test_graphql_needs_no_escapes_and_may_have_them(query: str) -> None:
    body = json.loads(ask(method="POST", json={"query": query, "variables": {}}).state.body)
    assert body["query"] in (GRAPHQL, GRAPHQL.replace(" ", ""))


def test_a_placeholder_may_stand_in_json() -> None:
    incremental = {"cursor_path": "updated", "initial_value": "2026-01-01"}
    text = '{"since": "{incremental.start_value}", "of": {"a": 1}}'
    sent = ask(params={"filter": text}, incremental=incremental).query_params["filter"]
    assert json.loads(sent) == {"since": "2026-01-01", "of": {"a": 1}}


def test_accounts_may_look_like_numbers() -> None:
    document = source("http://127.0.0.1:9", accounts=["123", "1e3", "007", "None"])
    accounts = load(yaml.safe_dump(document)).accounts
    assert accounts is not None
    assert list(accounts.names) == ["123", "1e3", "007", "None"]


@pytest.mark.parametrize("written", ["NO", "22:30", "01234", "1.10", "1_000"])
def test_what_yaml_reads_as_something_else_is_refused_with_its_line(written: str) -> None:
    params = {"v": ["VALUE"], "w": "VALUE"}
    document = source("http://127.0.0.1:9", endpoint={"params": params})
    text = yaml.safe_dump(document).replace("VALUE", written)
    with pytest.raises(ConfigError, match=r"defs\.yaml:") as failed:
        load(text)
    said = str(failed.value)
    assert said.count(f"YAML reads `{written}` as ") == 2
    load(text.replace(written, f"'{written}'"))


@pytest.mark.parametrize("written", ["2026-05-01", "2026-05-01T00:00:00Z", "1e3", "live"])
def test_a_time_or_a_word_without_quotes_is_a_text(written: str) -> None:
    document = source("http://127.0.0.1:9", endpoint={"params": {"v": "VALUE"}})
    loaded = load(yaml.safe_dump(document).replace("VALUE", written))
    assert loaded.rest_api["resources"][0]["endpoint"]["params"] == {"v": written}
