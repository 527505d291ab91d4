"""The probe checks the records of page 1, their ids, and each field of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.requests import Request

from event_assets.probe.report import Finding
from event_assets_tests.support.event_records import events, number, renamed
from event_assets_tests.support.probe_reports import (
    build_fields,
    find_line,
    marks,
    probe_api,
    probe_line,
)
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Faults, Sandbox

TIME = {"type": "timestamp"}
LOCAL = "2026-10-20T19:30:00"


@pytest.fixture(autouse=True)
def api_key(project: Project) -> None:
    project.environment.setenv("API_KEY", "sandbox")


def check(document: Any, name: str, **settings: Any) -> Finding:
    """Probe an API whose only page is a document; return one line of the report."""
    return probe_line(lambda _: document, name, paginator="single_page", **settings)


def rows(without: str = "", **changes: Any) -> dict[str, Any]:
    """Make a document of nine events without a field, and with changes by record, if callable."""
    found = []
    for at, row in enumerate(events(9)):
        made = {key: one(at) if callable(one) else one for key, one in changes.items()}
        found.append({key: one for key, one in row.items() if key != without} | made)
    return {"data": found}


@pytest.mark.parametrize(
    ("document", "selector"),
    [
        ({"events": events(20), "facets": [{"name": "a"}] * 90}, "events"),
        ({"_embedded": {"events": events(20)}, "page": {"size": 20}}, "_embedded.events"),
        ({"my list": events(20)}, "'my list'"),
        (events(20), "$"),
    ],
)
def test_a_selector_that_finds_the_records_is_suggested(document: Any, selector: str) -> None:
    found = check(document, "records")
    assert (found.mark, found.changes) == ("fail", {"data_selector": selector})
    assert "20 are under" in found.message
    assert check(document, "records", data_selector=selector).mark == "ok"


@pytest.mark.parametrize("name", ["feed.entry", "gd:feed"])
def test_a_name_that_looks_like_a_path_is_a_selector(name: str) -> None:
    found = check({name: events(20)}, "records", data_selector=name)
    assert found.message == f"`{name}` has 20 records."


def test_a_detected_selector_is_suggested(api: Sandbox) -> None:
    found = find_line(probe_api(api, data_selector=None), "records")
    assert (found.mark, found.changes) == ("warn", {"data_selector": "data"})


@pytest.mark.parametrize("selector", [None, "missing.path", "tags[*]"])
def test_a_wrong_or_wrongly_detected_selector_is_corrected(selector: str | None) -> None:
    def answer(request: Request) -> Any:
        page = events(250)[number(request, "offset") :][: number(request, "limit", 100)]
        return {"tags": [], "items of": ["a"], "data": page, "total": 250}

    found = probe_line(answer, "records", data_selector=selector)
    assert found.changes == {"data_selector": "data"}


@pytest.mark.parametrize(
    ("document", "mark", "said"),
    [
        ({"error": "no such thing", "code": [1]}, "fail", "has no `data`, and no other list"),
        ({"data": ["a", "b"]}, "fail", "2 of 2 under `data` are not objects"),
        ({"data": []}, "warn", "the list under `data` is empty"),
    ],
)
def test_a_response_without_records_is_told(document: Any, mark: str, said: str) -> None:
    found = check(document, "records")
    assert (found.mark, said in found.message) == (mark, True)


@pytest.mark.parametrize(
    ("faults", "mark", "message"),
    [
        (Faults(null_id_every=40), "warn", "2 of 100 records have no `id`"),
        (Faults(missing_id_every=3), "fail", "33 of 100 records have no `id`; `url` is unique"),
    ],
)
def test_records_without_an_id_are_counted(
    api: Sandbox, faults: Faults, mark: str, message: str
) -> None:
    api.faults = faults
    found = find_line(probe_api(api), "id")
    assert (found.mark, message in found.message) == (mark, True)


def test_a_duplicate_id_is_a_failure_that_suggests_a_unique_field() -> None:
    found = check(rows(id="same", uuid=lambda at: f"u{at}"), "id")
    assert "8 of 9 records have a duplicate `id`; `uuid` is unique" in found.message
    assert (found.mark, found.changes) == ("fail", {"primary_key": "uuid"})


def test_an_id_that_occurrences_share_is_completed_by_their_start() -> None:
    document = rows(id=lambda at: at // 3)
    found = check(document, "id")
    assert "6 of 9 records have a duplicate `id`; `id`, `start_time` are unique" in found.message
    assert (found.mark, found.changes) == ("fail", {"primary_key": ["id", "start_time"]})
    assert check(document, "id", key=found.changes["primary_key"]).mark == "ok"


def test_an_id_that_is_no_text_and_no_number_is_shown() -> None:
    found = check(rows(id=True), "id")
    assert "9 of 9 records have no `id`, or one that is neither text nor a whole" in found.message
    assert "such as `true`" in found.message


def test_an_id_with_from_is_corrected_in_the_contract() -> None:
    contract = build_fields(id={"type": "text", "from": "key"})
    assert check(rows(), "id", contract=contract).changes == {"fields.id.from": "id"}


FIELDS: dict[str, tuple[dict[str, Any], Mapping[str, Any], str, str, Mapping[str, Any]]] = {
    "a name elsewhere": (
        rows("name", title="T"), {}, "name", "fail", {"from": "title"},
    ),
    "a name by language": (
        rows(name={"en": "A", "de": "B"}), {}, "name", "fail",
        {"from": ["name.en", "name.de", "name.*"]},
    ),
    "a name in some languages": (
        rows(name=lambda at: {"en" if at % 2 else "fr": "x"}), {}, "name", "fail",
        {"from": ["name.en", "name.fr", "name.*"]},
    ),
    "that of the venue": (
        rows("name", venue={"name": "Hall"}, title=lambda at: f"T {at}"),
        {"name": {"type": "text", "from": "venue.name"}}, "name", "warn", {"from": "title"},
    ),
    "the time of a change": (
        rows("start_time", created_at="2026-01-01T10:00:00Z", start=f"{LOCAL}Z"),
        {"start_time": {**TIME, "from": "created_at"}}, "start_time", "warn", {"from": "start"},
    ),
    "days without their time of day": (
        rows("start_time", date="2026-10-20", time="19:30", timezone="Europe/Berlin"),
        {"start_time": {**TIME, "from": "date"}}, "start_time", "warn",
        {"from": ["{date}T{time}", "date"], "timezone": "timezone"},
    ),
    "HTML": (
        rows(name=lambda at: "R&#038;B" if at < 4 else "Jazz"), {}, "name", "warn",
        {"html": "unescape"},
    ),
    "HTML that is read": (
        rows(name="R&#038;B"), {"name": {"type": "text", "html": "unescape"}}, "name", "ok", {},
    ),
    "a start elsewhere": (
        rows("start_time", dates={"start": {"dateTime": f"{LOCAL}Z"}}), {}, "start_time", "fail",
        {"from": "dates.start.dateTime"},
    ),
    "seconds": (
        rows(start_time=1767225600), {}, "start_time", "fail", {"format": "epoch_s"},
    ),
    "milliseconds elsewhere": (
        rows("end_time", endsAt=1767225600000), {}, "end_time", "fail",
        {"from": "endsAt", "format": "epoch_ms"},
    ),
    "a German time": (
        rows(start_time=lambda at: f"{at + 14}.10.2026 19:30"), {}, "start_time", "fail",
        {"format": "%d.%m.%Y %H:%M"},
    ),
    "local times with a zone": (
        rows(start_time=LOCAL, tz="Europe/Berlin"), {}, "start_time", "warn", {"timezone": "tz"},
    ),
    "local times with a zone beside the list": (
        rows(start_time=LOCAL) | {"timeZone": "Europe/Berlin"}, {}, "start_time", "warn",
        {"timezone": "Europe/Berlin"},
    ),
    "local times": (rows(start_time=LOCAL), {}, "start_time", "warn", {}),
    "days beside times": (
        rows(start_time=lambda n: f"{LOCAL}Z"[: 20 if n % 2 else 10]), {}, "start_time", "ok", {},
    ),
    "local times that are UTC": (
        rows(start_time=LOCAL), {"start_time": {**TIME, "timezone": "UTC"}}, "start_time", "ok", {},
    ),
    "no end": (rows("end_time"), {}, "end_time", "warn", {}),
    "no end that must be": (
        rows("end_time"), {"end_time": {**TIME, "nullable": False}}, "end_time", "fail", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_judged_and_corrected(name: str) -> None:
    document, contract, field, mark, changes = FIELDS[name]
    found = check(document, f"field {field}", contract=build_fields(**contract))
    assert found.mark == mark
    assert found.changes == {f"fields.{field}.{key}": value for key, value in changes.items()}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HTML", "4 of 9 records have HTML entities, such as `R&#038;B`; set `html: unescape`."),
        ("local times", "without a zone, which a sync takes as UTC; set `timezone` to their zone"),
    ],
)
def test_what_is_wrong_with_a_field_is_told(name: str, said: str) -> None:
    document, _, field, _, _ = FIELDS[name]
    assert said in check(document, f"field {field}").message


def test_a_field_has_three_examples_and_its_share_of_nulls(api: Sandbox) -> None:
    message = find_line(probe_api(api), "field end_time").message
    assert message.startswith("20% null at `end_time`; `2025-12-23T")
    assert message.count("`") == 2 + 3 * 2


@pytest.mark.parametrize(
    ("every", "mark", "said"),
    [
        (30, "warn", "3 of 100 would be rejected, because the value is"),
        (3, "fail", "`soon` at `start_time` is not a timestamp (33 of 100 records)"),
    ],
)
def test_values_that_break_the_contract_are_counted(
    api: Sandbox, every: int, mark: str, said: str
) -> None:
    api.faults = Faults(bad_start_every=every)
    found = find_line(probe_api(api), "field start_time")
    assert (found.mark, said in found.message) == (mark, True)


def test_a_missing_field_is_all_that_is_told_of_a_list_without_it(api: Sandbox) -> None:
    api.replace(renamed(events(9), {"end_time": "x"}))
    assert marks(probe_api(api), "warn", "fail") == {"field end_time": "warn"}


def test_an_empty_list_is_all_that_is_told(api: Sandbox) -> None:
    api.replace([])
    assert marks(probe_api(api), "warn", "fail") == {"records": "warn"}
