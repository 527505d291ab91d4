"""Every example, as it stands, syncs a server that speaks its platform's protocol."""

from datetime import datetime
from typing import Any

import pytest
from dagster.components.testing.utils import create_defs_folder_sandbox

from event_assets import EventApi
from event_assets_tests.support.project import ROOT, Project, checks, failure
from event_assets_tests.vendors.examples import EXAMPLES, listed, sync
from event_assets_tests.vendors.records import MAKERS, at
from event_assets_tests.vendors.server import serve
from event_assets_tests.vendors.table import SECRET, VENDORS

COUNT = 230
NAMES = sorted(VENDORS)

# A record of each platform that shows what is special there, and some of its columns.
SHOWN: dict[str, tuple[int, dict[str, Any]]] = {
    "ticketmaster": (
        *(25,),  # a date without a time: midnight there, by the venue's zone
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
        *(218,),  # in June: Windows' name of the zone knows summer
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


def test_there_is_an_example_for_each_platform() -> None:
    assert sorted(EXAMPLES) == NAMES == sorted(SHOWN) == sorted(MAKERS)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_loads_as_it_stands_without_a_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for secret in VENDORS[name].secrets:
        monkeypatch.delenv(f"{name.upper()}__{secret}", raising=False)
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(component_cls=EventApi, defs_path=name)
        (folder / "defs.yaml").write_text((ROOT / f"examples/{name}/defs.yaml").read_text())
        with sandbox.build_all_defs() as loaded:
            assert f"sync_{name}" in {job.name for job in loaded.jobs or ()}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_syncs_every_event_and_types_it(project: Project, name: str) -> None:
    rows = [MAKERS[name](number) for number in range(COUNT)]
    with serve(VENDORS[name], rows) as api:
        result = sync(project, name, api.url)
        assert not [answer for answer in api.answers if answer.status_code not in expected(name)]
    assert result.success, failure(result)
    found = checks(result)
    assert {check: found[check].passed for check in found} == dict.fromkeys(found, True), {
        check: found[check].description for check in found
    }
    ids = {row[0] for row in project.rows(f"select id from {name}.event_data")}
    assert ids == listed(name, rows)
    number, columns = SHOWN[name]
    id_ = listed(name, rows[number : number + 1]).pop()
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


def expected(name: str) -> set[int]:
    """Give the statuses of the answers that are part of a good sync."""
    return {200, 400} if name == "cvent" else {200}  # the secret goes into the header at last


def plain(value: Any) -> Any:
    return value.astimezone(at(0).tzinfo) if isinstance(value, datetime) else value


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_without_events_is_no_error(project: Project, name: str) -> None:
    with serve(VENDORS[name], []) as api:
        result = sync(project, name, api.url)
    assert result.success, failure(result)
    assert project.rows(f"select count(*) from {name}.event_data") == [(0,)]
    doubtful = name == "eventzilla"  # it answers with an error, and nothing tells it from others
    assert checks(result)["complete"].passed is not doubtful


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_key_is_said_and_not_shown(project: Project, name: str) -> None:
    vendor = VENDORS[name]
    for secret in vendor.secrets:
        project.environment.setenv(f"{name.upper()}__{secret}", "wr0ng")
    with serve(vendor, [MAKERS[name](0)]) as api:
        told = failure(sync(project, name, api.url, keep=list(vendor.secrets)))
    status = vendor.tokens.refusal.status if vendor.tokens else vendor.key.wrong.status
    assert f" answered {status}" in told
    assert "key" in told or "CLIENT_SECRET" in told
    assert "wr0ng" not in told
    assert SECRET not in told
