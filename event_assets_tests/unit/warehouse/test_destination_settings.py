"""Settings of the destinations: what is wrong with them is said in a sentence, without a secret."""

import sys

import duckdb
import pytest

from event_assets import warehouse
from event_assets.config.settings import require_valid_settings
from event_assets.values.errors import ConfigError, WarehouseError
from event_assets.warehouse import s3
from event_assets.warehouse.postgres_url import parse_postgres_url
from event_assets_tests.support.project import ROOT, Project


@pytest.mark.parametrize("kind", ["oracle", "motherduck", "postgres"])
def test_an_unknown_destination_names_the_known_ones(project: Project, kind: str) -> None:
    project.environment.setenv("EVENTS_DESTINATION", kind)
    with pytest.raises(ConfigError) as failed:
        require_valid_settings()
    assert f"must be duckdb or ducklake, as docs/destinations.md describes, not `{kind}`" in str(
        failed.value
    )


def test_a_missing_setting_is_named(project: Project) -> None:
    project.environment.delenv("EVENTS_S3_KEY_ID", raising=False)
    with pytest.raises(WarehouseError, match="EVENTS_S3_KEY_ID is not set"):
        s3.create_secret_sql("s3://bucket/events")


@pytest.mark.parametrize(
    "address", ["mysql://u:secret@h/d", "postgresql://u:secret@h", "postgresql://u:secret@h:x/d"]
)
def test_an_invalid_url_is_not_quoted(project: Project, address: str) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    project.environment.setenv("EVENTS_DUCKLAKE_CATALOG", address)
    with pytest.raises(WarehouseError) as failed:
        warehouse.get_destination().validate_settings()
    assert "EVENTS_DUCKLAKE_CATALOG must be like postgresql://" in str(failed.value)
    assert "secret" not in str(failed.value)
    assert failed.value.__context__ is None


def test_missing_packages_are_named_with_their_command(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    sys.modules.pop("duckdb_extension_ducklake", None)
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    with pytest.raises(WarehouseError, match="run `make setup-scale`"):
        warehouse.get_destination().validate_settings()


@pytest.mark.parametrize(
    ("path", "preface"),
    [
        ("postgres:", 'Unable to connect to Postgres at "": '),
        ("postgres:sslmode='require'", "Unable to connect to Postgres at \"sslmode='require'\": "),
        ("/data/lake", ""),
    ],
)
def test_an_error_of_the_catalog_is_told_without_what_ducklake_says_before_it(
    project: Project, path: str, preface: str
) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    project.environment.setenv("EVENTS_DUCKLAKE_CATALOG", "postgresql://u:s3cret@h.example/d")
    reason = 'connection to server at "h.example", port 5432 failed: Connection refused'
    attach = 'Failed to attach DuckLake MetaData "__ducklake_metadata__warehouse" at path + '
    error = duckdb.IOException(f'IO Error: {attach}"{path}"{preface}{reason}\n\tIs it running?\n')
    said = warehouse.get_destination().describe_error(error)
    assert said
    assert said.endswith(
        f" cannot be used: {reason}; check that it runs and can be reached from here."
    )


def test_the_advice_for_a_damaged_catalog_names_the_settings_of_the_lake(project: Project) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    error = duckdb.IOException(
        "IO Error: Corrupt database file: computed checksum 1 does not match"
    )
    said = warehouse.get_destination().describe_error(error)
    assert said
    assert said.endswith(
        "; restore a backup, as docs/operations.md describes, or name another one in "
        "EVENTS_DUCKLAKE_CATALOG and EVENTS_DUCKLAKE_STORAGE."
    )


def test_a_url_is_shown_without_credentials() -> None:
    url = parse_postgres_url("X", "postgresql://me:s%40cret@db.example:5433/events?sslmode=require")
    assert str(url) == "postgresql://db.example:5433/events"
    assert "cret" not in repr(url)
    assert url.password == "s@cret"
    assert url.options == {"sslmode": "require"}


def test_a_lake_needs_no_other_settings(project: Project) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    assert warehouse.get_destination().display_name == (
        f"{ROOT}/data/lake.ducklake with files in {ROOT}/data/lake"
    )
