"""Pictures, column lineage, observations: what the UI shows beside the figures."""

import base64
from datetime import datetime, timedelta, timezone
from operator import itemgetter
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest

from event_assets.definitions import defs
from event_assets.orchestration import charts
from event_assets.sandbox import EventSimulation, Sandbox
from event_assets_tests.support.project import Project, failure, metadata

WHEN = datetime(2026, 5, 1, tzinfo=timezone.utc)
WORLD = EventSimulation(300, seed=1).events(datetime.now(timezone.utc))
WORLD.sort(key=itemgetter("start_time"), reverse=True)  # the first are yet to come


CHARTS = [
    ("calendar", "event_calendar", ["Events by day", "Mon", "Sun"]),
    ("coming_weeks", "event_calendar", ["Events in the coming weeks", "scheduled"]),
    ("event_changes", "event_changes", ["Changes since", "appeared", "changed: name", "gone"]),
]


def test_each_chart_is_a_file_and_in_the_metadata(project: Project) -> None:
    with Sandbox(WORLD[:200]) as api:
        project.sync(url=api.url)
        api.replace([{**WORLD[0], "name": "New"}, *WORLD[2:201]])
        result = project.sync(url=api.url)
    for name, asset, words in CHARTS:
        svg = (project.database.parent / "charts" / "events" / f"{name}.svg").read_text()
        key = {"event_changes": "moves"}.get(name, name)
        prefix, _, encoded = metadata(result, asset)[key].partition("base64,")
        assert prefix.endswith("(data:image/svg+xml;")
        assert base64.b64decode(encoded.rstrip(")")).decode() == svg
        text = " ".join(ElementTree.fromstring(svg).itertext())
        assert [word for word in words if word not in text] == []


def test_pictures_have_a_ground_that_is_legible_in_any_theme() -> None:
    rows = [{"week": "2026-05-04", "weekday": "Mon", "events": 1}]
    svg = charts.calendar(rows)
    assert "<rect width=" in svg
    assert 'fill="#ffffff"' in svg


def test_scheduled_is_calm_and_cancelled_is_red_whatever_else_is_there() -> None:
    for others in ([], ["draft"], ["a", "b", "c", "no status", "other"]):
        statuses = ["scheduled", "Cancelled", *others]
        colors = charts.colors_of(statuses)
        assert (colors["scheduled"], colors["Cancelled"]) == ("#7a8fa8", "#d62f2f")
        assert len(set(colors.values())) == len(statuses)


def test_a_picture_that_cannot_be_written_fails_nothing(project: Project, api: Sandbox) -> None:
    project.database.parent.mkdir()
    (project.database.parent / "charts").write_text("This is no folder.")
    result = project.sync(url=api.url)
    assert result.success
    assert metadata(result, "event_calendar")["calendar"].startswith("It cannot be written: ")


@pytest.mark.parametrize("other", [1, True, ["a"], "cancelled"])
def test_the_calendar_takes_a_status_of_any_type(project: Project, other: Any) -> None:
    soon = (datetime.now(timezone.utc) + timedelta(days=3)).isoformat()
    statuses = [1, other, None]
    events = [
        {"id": str(i), "start_time": soon, "status": status} for i, status in enumerate(statuses)
    ]
    with Sandbox(events) as api:
        assert project.sync(url=api.url).success
    rows = project.rows("select sum(events), any_value(typeof(status)) from events.event_calendar")
    assert rows == [(3, "VARCHAR")]


def test_days_without_events_keep_their_place_in_the_calendar(project: Project) -> None:
    starts = ["2026-05-04T10:00:00Z", "2026-11-02T10:00:00Z"]
    with Sandbox([{"id": t, "start_time": t} for t in starts]) as api:
        project.sync(url=api.url)
    svg = (project.database.parent / "charts" / "events" / "calendar.svg").read_text()
    assert float(ElementTree.fromstring(svg).attrib["width"]) > 27 * 14


def test_figures_have_names_that_stay_so_that_they_can_be_plotted(
    project: Project, api: Sandbox
) -> None:
    said = metadata(project.sync(url=api.url, derived=False))
    figures = {name for name, value in said.items() if type(value) in (int, float)}
    assert figures >= {
        *("dagster/row_count", "duration_seconds", "events_per_second", "requests", "retries"),
        *("bytes", "pages", "rows_read", "distinct_ids", "rejects"),
    }


LINEAGE = [
    ("event_data", "start_time", ("events_api", "start_time")),
    ("current_events", "venue__name", ("event_data", "venue__name")),
    ("event_calendar", "day", ("current_events", "start_time")),
    ("event_changes", "id", ("current_events", "id")),
]


def test_each_column_names_the_column_that_it_is_made_from(project: Project, api: Sandbox) -> None:
    result = project.sync(url=api.url)
    for asset, column, origin in LINEAGE:
        lineage = metadata(result, asset)["dagster/column_lineage"]
        (dep,) = lineage.deps_by_column[column]
        assert (dep.asset_key.to_user_string(), dep.column_name) == origin


def observe(project: Project) -> Any:
    job = defs().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=project.instance, asset_selection=[dg.AssetKey("events_api")], raise_on_error=False
    )


def test_observing_the_api_probes_it_and_says_what_it_is_like(
    project: Project, api: Sandbox
) -> None:
    project.connect_to(api.url)
    (event,) = observe(project).get_asset_observation_events()
    said = event.asset_observation_data.asset_observation.metadata
    assert len(api.requests) == 6
    assert said["total_reported"].value == 250
    assert said["records_on_first_page"].value == 100
    assert said["answer_seconds"].value > 0
    shape = {row.data["field"]: row.data["type"] for row in said["first_record"].records}
    assert (shape["id"], shape["venue"], shape["tags"]) == ("text", "object", "list")
    found = {row.data["what"]: row.data["mark"] for row in said["findings"].records}
    assert (found["key"], found["pages"], found["rate limit"]) == ("ok", "ok", "-")
    assert said["verdict"].value == "Ready: all checks passed."
    assert said["bytes"].value > 10_000
    assert not project.database.exists()


def test_observing_an_api_that_refuses_the_key_says_so_in_one_sentence(
    project: Project, api: Sandbox
) -> None:
    project.connect_to(api.url, key="wrong")
    assert failure(observe(project)).startswith(
        f"The API at {api.url}/v1/events answered 401 Unauthorized; set API_KEY"
    )


@pytest.mark.parametrize("status", ["a\x00b", "\x1b[31mred", "\ufffe", "<b>&'\"", "long " * 100])
def test_a_picture_shows_no_control_characters_no_markup_and_no_long_text(status: str) -> None:
    svg = charts.weeks([{"week": WHEN, "status": status, "events": 3}])
    texts = [element.text or "" for element in ElementTree.fromstring(svg).iter()]
    starts = ("a\ufffdb", "\ufffd[3", "\ufffd", "<b>&'\"", "lon")
    (shown,) = [text for text in texts if text.startswith(starts)]
    assert len(shown) <= charts.MAX_TEXT_LENGTH + 1


def test_bars_are_as_long_as_their_numbers_and_beside_round_ones() -> None:
    counts = [("gone", 30), ("appeared", 60), ("changed: name", 7)]
    rows = [{"what": what, "change": what.partition(":")[0], "events": n} for what, n in counts]
    drawn = ElementTree.fromstring(charts.moves(rows))
    bars = [part for part in drawn if part.attrib.get("height") == "16"]
    assert [float(bar.attrib["width"]) for bar in bars] == [420, 210, 49]
    texts = [part.text for part in drawn if part.text]
    assert [text for text in texts if text.isdigit()] == ["0", "20", "40", "60"]


def test_a_day_is_the_darker_the_more_events_it_has() -> None:
    numbers = {"Mon": 0, "Tue": 1, "Wed": 50, "Thu": 100}
    rows = [{"week": WHEN, "weekday": day, "events": n} for day, n in numbers.items()]
    drawn = ElementTree.fromstring(charts.calendar(rows))
    shades = {
        part.attrib["d"]: charts.BLUES.index(part.attrib["stroke"])
        for part in drawn.iter()
        if "d" in part.attrib
    }
    assert shades == {"M0 1h.93": 1, "M0 2h.93": 3, "M0 3h.93": 5}
