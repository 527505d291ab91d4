"""Settings of the destinations: what is wrong with them is said in a sentence, without a secret."""

import sys

import pytest

from event_assets import warehouse
from event_assets.warehouse.urls import postgres_url
from event_assets_tests.conftest import Project


def test_an_unknown_destination_is_answered_with_the_known_ones(project: Project) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "oracle")
    with pytest.raises(warehouse.WarehouseError) as failed:
        warehouse.verify()
    assert "must be one of duckdb, ducklake, motherduck, postgres, not `oracle`" in str(
        failed.value
    )


def test_a_setting_that_is_missing_is_named(project: Project) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "postgres")
    with pytest.raises(warehouse.WarehouseError, match="EVENTS_POSTGRES_URL is not set"):
        warehouse.verify()


@pytest.mark.parametrize(
    "address",
    ["secret", "mysql://u:secret@h/d", "postgresql://u:secret@h", "postgresql://u:secret@h:x/d"],
)
def test_an_address_that_is_none_is_not_repeated(project: Project, address: str) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "postgres")
    project.environment.setenv("EVENTS_POSTGRES_URL", address)
    with pytest.raises(warehouse.WarehouseError) as failed:
        warehouse.verify()
    assert "EVENTS_POSTGRES_URL must be like postgresql://" in str(failed.value)
    assert "secret" not in str(failed.value)
    assert failed.value.__context__ is None


def test_packages_that_are_missing_are_named_by_what_installs_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    sys.modules.pop("duckdb_extension_ducklake", None)
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    with pytest.raises(warehouse.WarehouseError, match="run `make setup-scale`"):
        warehouse.verify()


def test_an_address_is_shown_without_user_and_password() -> None:
    url = postgres_url("X", "postgresql://me:s%40cret@db.example:5433/events?sslmode=require")
    assert str(url) == "postgresql://db.example:5433/events"
    assert "cret" not in repr(url)
    assert url.password == "s@cret"
    assert url.native().endswith("me:s%40cret@db.example:5433/events?sslmode=require")


def test_a_lake_needs_no_more_than_its_name(project: Project) -> None:
    project.environment.setenv("EVENTS_DESTINATION", "ducklake")
    assert warehouse.place().shown == (
        f"{warehouse.PROJECT_ROOT}/data/lake.ducklake with files in "
        f"{warehouse.PROJECT_ROOT}/data/lake"
    )
