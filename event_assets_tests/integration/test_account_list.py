"""The list of accounts, their names in pipelines and URLs, and their keys."""

import os
from pathlib import Path
from typing import Any

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import SecretsTomlProvider
from dlt.common.configuration.specs import PluggableRunContext
from hypothesis import given
from hypothesis import strategies as st

from event_assets import warehouse
from event_assets.config.accounts import AccountsConfig, pipeline_name, substitute_account
from event_assets.config.source import SourceConfig
from event_assets.sync import account_list
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.contracts import complaint, contract
from event_assets_tests.support.direct_syncs import failed_sync, source_of, sync_accounts
from event_assets_tests.support.platforms import definitions, events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

KEYED = {"auth": {"type": "api_key", "name": "key", "location": "query"}}
REST_API = {"client": {}, "resources": [{"name": "event_data"}]}


def having(**where: Any) -> SourceConfig:
    return SourceConfig(name="events", rest_api=REST_API, accounts=AccountsConfig(**where))


def test_a_file_has_a_name_in_each_line(tmp_path: Path) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text("\ufeff berlin \n\nanna@example.com\nberlin\n", encoding="utf-8")
    assert account_list.list_accounts(having(file=str(file))) == ["berlin", "anna@example.com"]


@pytest.mark.usefixtures("project")
def test_a_query_has_them_in_its_first_column() -> None:
    values = "select * from (values ('b', 1), (null, 2), ('a', 3)) order by 2"
    assert account_list.list_accounts(having(query=values)) == ["b", "a"]
    with warehouse.connect() as database:
        assert account_list.list_accounts(having(query="select 7"), database) == ["7"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"file": "/nowhere/list"}, "Cannot read /nowhere/list, the account list of events"),
        ({"file": os.devnull}, "The account list of events is empty: nothing changes"),
        ({"query": "from nothing"}, "The query for the account list of events failed: Catalog"),
        ({"query": "select ' x'"}, "In the account list of events, ' x' is empty or has"),
    ],
)
def test_an_account_list_that_cannot_be_used_is_explained(where: Any, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        account_list.list_accounts(having(**where))
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ([], "accounts: must be a list of names, or {file: PATH}, or {query: SQL}"),
        ("berlin", "accounts: must be a list of names, or {file: PATH}, or {query: SQL}"),
        (["a", 7], "accounts.1: must be text, in quotes, not 7"),
        (["a", ".."], "accounts.1: `..` cannot be a part of a URL"),
        (["a", "b", "a"], "accounts.2: `a` is listed twice"),
        (["a\nb"], "accounts.0: 'a\\nb' has control characters, has three dots"),
        ({"fiel": "x"}, "accounts.fiel: `fiel` is not a known field, did you mean `file`?"),
        ({"file": "x", "query": "select 1"}, "accounts: needs either `file` or `query`"),
        ({"query": "drop table x"}, "accounts.query: must be a single SELECT"),
        ({"query": "selec 1"}, "accounts.query: is not valid SQL: Parser Error"),
    ],
)
def test_invalid_accounts_are_refused_with_their_path(accounts: Any, said: str) -> None:
    assert said in complaint(contract(accounts=accounts))


def test_an_account_placeholder_needs_accounts() -> None:
    document = contract()
    document["attributes"]["rest_api"]["resources"][0]["endpoint"]["path"] = "/{account}/events"
    with pytest.raises(Exception) as refused:  # noqa: PT011 (Dagster wraps it)
        definitions({"events": document})
    error: BaseException = refused.value
    while error.__cause__:
        error = error.__cause__
    assert "stands for the name of an account: list the accounts in `accounts`." in str(error)


@given(st.lists(st.text(min_size=1), min_size=2, unique=True))
def test_no_two_names_have_one_pipeline_and_each_is_one(names: list[str]) -> None:
    pipelines = {pipeline_name("a" * 40, "b" * 40, name) for name in names}
    assert len(pipelines) == len(names)
    assert all(name.isidentifier() and len(name) <= 64 for name in pipelines)


def test_a_name_is_escaped_in_an_address_only() -> None:
    config = {"client": {"base_url": "http://{account}.x"}, "params": ["{account}"]}
    assert substitute_account(config, "a/b") == {
        "client": {"base_url": "http://a%2Fb.x"},
        "params": ["a/b"],
    }


def keys_sent(*accounts: str) -> list[str]:
    with serving({"/v1/events": paged(events(1))}) as api:
        document = source(api.url, client=KEYED, accounts=list(accounts))
        sync_accounts(source_of(document), *accounts)
        return list(dict.fromkeys(query["key"] for query in api.asked_for("/v1/events")))


def test_each_account_has_its_own_key_or_the_sources(project: Project) -> None:
    project.environment.setenv("EVENTS__ACCOUNTS__ANNA_EXAMPLE_COM__API_KEY", "annas")
    project.environment.setenv("EVENTS__API_KEY", "all")
    assert keys_sent("anna@example.com", "berlin") == ["annas", "all"]


def test_a_key_may_stand_under_the_name_as_it_is(project: Project, tmp_path: Path) -> None:
    (tmp_path / "secrets.toml").write_text(
        '[events.accounts."a.b"]\napi_key = "dots"\n[events.accounts."a-b"]\napi_key = "dashes"\n'
    )
    known = Container()[PluggableRunContext].providers
    project.environment.setattr(
        known, "providers", [*known.providers, SecretsTomlProvider(str(tmp_path))]
    )
    assert keys_sent("a.b", "a-b") == ["dots", "dashes"]


@pytest.mark.parametrize(("value", "kind"), [('["a", "b"]', "list"), ('{a = "b"}', "table")])
@pytest.mark.parametrize("section", ["", '[events.accounts."a.b"]'])
def test_a_key_that_is_no_text_is_refused(
    project: Project, tmp_path: Path, section: str, value: str, kind: str
) -> None:
    (tmp_path / "secrets.toml").write_text(f"{section}\napi_key = {value}\n")
    known = Container()[PluggableRunContext].providers
    project.environment.setattr(
        known, "providers", [*known.providers, SecretsTomlProvider(str(tmp_path))]
    )
    document = source("http://127.0.0.1:9", client=KEYED, accounts=["a.b"])
    said = f"api_key is a {kind}, not a text: write it in quotes in .dlt/secrets.toml."
    assert failed_sync(source_of(document).for_account("a.b")).endswith(said)


def test_a_variable_that_two_accounts_would_read_is_refused(project: Project) -> None:
    project.environment.setenv("EVENTS__ACCOUNTS__A_B__API_KEY", "whose")
    document = source("http://127.0.0.1:9", client=KEYED, accounts=["a.b", "a-b"])
    made = source_of(document).for_account("a.b", ["a.b", "a-b"])
    assert failed_sync(made) == (
        "The accounts a.b and a-b are both spelled EVENTS__ACCOUNTS__A_B__API_KEY: put their keys "
        'into .dlt/secrets.toml, under [events.accounts."a.b"] and so on.'
    )


@pytest.mark.usefixtures("project")
def test_the_missing_key_of_an_account_is_named() -> None:
    document = source("http://127.0.0.1:9", client=KEYED, accounts=["a.b"])
    assert failed_sync(source_of(document).for_account("a.b")) == (
        "No key for the account a.b of the API at http://127.0.0.1:9: set "
        "EVENTS__ACCOUNTS__A_B__API_KEY in .env or the environment (or api_key in "
        '.dlt/secrets.toml, under [events.accounts."a.b"]).'
    )


def test_a_failed_query_is_told_without_a_password_that_is_in_it() -> None:
    KNOWN.add("hunter2-hunter2")
    with pytest.raises(ConfigError) as failed:
        account_list.list_accounts(having(query="select a from read_csv('hunter2-hunter2')"))
    assert 'failed: IO Error: No files found that match the pattern "***"' in str(failed.value)
