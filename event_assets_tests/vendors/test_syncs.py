"""Every example syncs all events of a server with its platform's protocol."""

from datetime import datetime
from typing import Any

import pytest
from dagster.components.testing.utils import create_defs_folder_sandbox

from event_assets import EventApi
from event_assets_tests.support.project import ROOT, Project, checks, failure
from event_assets_tests.vendors.examples import EXAMPLES, expected_ids, sync_example
from event_assets_tests.vendors.records import MAKERS, at
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import SECRET, VENDORS

pytestmark = pytest.mark.in_process

COUNT = 230
NAMES = sorted(VENDORS)

# A special record of each platform, and some of its columns.
SPECIAL_RECORDS: dict[str, tuple[int, dict[str, Any]]] = {
    "ticketmaster": (
        *(25,),  # a date without a time: midnight in the venue's zone
        {"start_time": at(5), "no_specific_time": True, "name": "Show 25", "status": "onsale"},
    ),
    "eventbrite": (
        *(6,),
        {"name": "Slam 'N 6", "start_time": at(6), "end_time": at(7), "status": "draft"},
    ),
    "seatgeek": (
        *(8,),
        {
            "id": "4612883",
            "start_time": at(8),
            "end_time": at(11),
            "start_local": "2027-01-01T00:00:00",
            "time_tbd": True,
        },
    ),
    "predicthq": (
        *(5,),
        {"status": "cancelled", "start_time": at(5), "end_time": at(7), "attendance": 13833},
    ),
    "luma": (4, {"id": "calev-4", "platform": "external", "start_time": at(4), "end_time": at(6)}),
    "pretix": (
        *(10,),
        {
            "id": "ev-010",
            "name": "Du 10",
            "location": "Hall 1",
            "start_time": at(10),
            "end_time": None,
            "meta_data": "{}",
        },
    ),
    "indico": (
        *(35,),
        {
            "start_time": at(35),
            "end_time": at(37),
            "status": "CANCELLED",
            "is_not_happening": True,
            "timezone": "Europe/Zurich",
        },
    ),
    "tickettailor": (3, {"start_time": at(3), "end_time": at(5), "is_private": True}),
    "eventzilla": (
        *(218,),  # in June: daylight saving time from a Windows zone name
        {"id": "2138989430", "start_time": at(17 * 218), "end_time": at(17 * 218 + 2)},
    ),
    "cvent": (
        *(6,),
        {
            "start_time": at(6),
            "end_time": at(10),
            "status": "Upcoming",
            "registration_status": "Pending",
        },
    ),
}


def test_each_platform_has_an_example() -> None:
    assert sorted(EXAMPLES) == NAMES == sorted(SPECIAL_RECORDS) == sorted(MAKERS)


def test_all_examples_load_together_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with create_defs_folder_sandbox() as sandbox:
        for name in NAMES:
            for secret in VENDORS[name].secrets:
                monkeypatch.delenv(f"{name.upper()}__{secret}", raising=False)
            folder = sandbox.scaffold_component(component_cls=EventApi, defs_path=name)
            (folder / "defs.yaml").write_text((ROOT / f"examples/{name}/defs.yaml").read_text())
        with sandbox.build_all_defs() as loaded:
            jobs = {job.name for job in loaded.jobs or ()}
    assert {f"sync_{name}" for name in NAMES} <= jobs


@pytest.mark.parametrize("name", NAMES)
def test_an_example_syncs_every_event_with_its_types(project: Project, name: str) -> None:
    rows = [MAKERS[name](number) for number in range(COUNT)]
    with serve(VENDORS[name], rows) as api:
        result = sync_example(project, name, api.url)
        assert not [
            answer for answer in api.responses if answer.status_code not in expected_statuses(name)
        ]
    assert result.success, failure(result)
    found = checks(result)
    assert {check: found[check].passed for check in found} == dict.fromkeys(found, True), {
        check: found[check].description for check in found
    }
    ids = {row[0] for row in project.rows(f"select id from {name}.event_data")}
    assert ids == expected_ids(name, rows)
    number, columns = SPECIAL_RECORDS[name]
    id_ = expected_ids(name, rows[number : number + 1]).pop()
    shown = project.rows(f"select {', '.join(columns)} from {name}.event_data where id = '{id_}'")
    assert dict(zip(columns, map(plain, shown[0]), strict=True)) == columns
    types = dict(
        project.rows(
            "select column_name, data_type from information_schema.columns where "
            f"table_schema = '{name}' and table_name = 'event_data'"
        )
    )
    assert types["start_time"] == types["end_time"] == "TIMESTAMP WITH TIME ZONE"
    assert types["id"] == types["name"] == "VARCHAR"


def expected_statuses(name: str) -> set[int]:
    """Return the response statuses of a successful sync."""
    return {200, 400} if name == "cvent" else {200}  # dlt sends the secret in the body first


def plain(value: Any) -> Any:
    return value.astimezone(at(0).tzinfo) if isinstance(value, datetime) else value


@pytest.mark.parametrize("name", ["cvent", "eventzilla", "ticketmaster", "tickettailor"])
def test_an_empty_list_is_not_an_error(project: Project, name: str) -> None:
    with serve(VENDORS[name], []) as api:
        result = sync_example(project, name, api.url)
    assert result.success, failure(result)
    assert project.rows(f"select count(*) from {name}.event_data") == [(0,)]
    unproved = name == "eventzilla"  # responds with an error like any other
    assert checks(result)["complete"].passed is not unproved


@pytest.mark.parametrize("name", ["cvent", "eventbrite", "indico", "seatgeek", "tickettailor"])
def test_a_wrong_key_fails_with_its_status_and_is_not_shown(project: Project, name: str) -> None:
    vendor = VENDORS[name]
    for secret in vendor.secrets:
        project.environment.setenv(f"{name.upper()}__{secret}", "wr0ng")
    with serve(vendor, [MAKERS[name](0)]) as api:
        message = failure(sync_example(project, name, api.url, keep=list(vendor.secrets)))
    status = vendor.tokens.refusal.status if vendor.tokens else vendor.key.wrong.status
    assert f" answered {status}" in message
    assert "key" in message or "CLIENT_SECRET" in message
    assert "wr0ng" not in message
    assert SECRET not in message
