"""Syncs under other contracts than the default: what real platforms send."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from event_assets import warehouse
from event_assets.config.source import SourceConfig
from event_assets.orchestration.schema_stable import evaluate_schema_stable
from event_assets_tests.support.contracts import complaint, contract, load
from event_assets_tests.support.direct_syncs import source_of, sync_source
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process

TIME = datetime(2026, 5, 1, 18, 30, tzinfo=UTC)
Sync = Callable[..., SourceConfig]


@pytest.fixture
def sync(project: Project) -> Sync:
    """A sync of some records under a contract."""

    def run(
        records: list[dict[str, Any]], key: str = "id", *, derived: bool = False, **attributes: Any
    ) -> SourceConfig:
        with Sandbox(records) as api:
            project.connect_to(api.url)
            document = contract(**attributes)
            rest_api = document["attributes"]["rest_api"]
            rest_api["client"]["base_url"] = api.url
            rest_api["resource_defaults"]["primary_key"] = key
            config = source_of(document)
            sync_source(config, derived=derived, accepts_new_origin=True)
            return config

    return run


def fields(**others: Any) -> dict[str, Any]:
    return {"id": {"type": "text", "nullable": False}, **others}


def test_a_vendors_event_is_id_name_and_times(project: Project, sync: Sync) -> None:
    record = {
        "slug": "x",
        "name": {"de": "Oper", "en": "Opera"},
        "startDate": {"date": "2026-05-01", "time": "20:30:00", "tz": "Europe/Berlin"},
        "doors": {"opens": 1777660200},
    }
    others = {
        "name": {"type": "text", "from": ["name.en", "name.de", "name.*"]},
        "start_time": {
            "type": "timestamp",
            "from": "{startDate.date}T{startDate.time}",
            "timezone": "startDate.tz",
        },
        "opens": {"type": "timestamp", "from": "doors.opens", "format": "epoch_s"},
    }
    for _ in range(2):
        sync([record], "slug", fields=fields(**others))
    assert project.rows("select id, name, start_time, opens from events.event_data") == [
        ("x", "Opera", TIME, TIME)
    ]


def test_a_field_that_the_contract_takes_over_is_not_there_twice(
    project: Project, sync: Sync
) -> None:
    sync([{"id": 1, "title": "Opera"}], fields=fields(name={"type": "text", "from": "title"}))
    columns = [row[0] for row in project.rows("describe events.event_data")]
    assert columns == ["id", "name", "last_seen_at", "_dlt_load_id"]


RECORD = {"id": "1", "start_time": None, "venue": {"name": "Hall", "city": "Bonn"}, "tags": [1]}


@pytest.mark.parametrize(
    ("choice", "columns"),
    [
        ({"exclude": ["venue.city", "tags"]}, {"venue__name"}),
        ({"only": ["venue.city"]}, {"venue__city"}),
    ],
)
def test_fields_are_chosen_in_the_table_and_in_the_rejects(
    project: Project, sync: Sync, choice: dict[str, Any], columns: set[str]
) -> None:
    bad = {**RECORD, "id": "2", "start_time": "soon"}
    kept = fields(start_time={"type": "timestamp"})
    sync([RECORD, bad], fields=kept, **choice)
    found = {row[0] for row in project.rows("describe events.event_data")}
    assert found == {"id", "start_time", "last_seen_at", "_dlt_load_id", *columns}
    ((record,),) = project.rows("select record from events.event_data_rejects")
    assert {word in record for word in ("Hall", "Bonn")} == {True, False}
    assert "soon" in record


@pytest.mark.parametrize("id_", [{"type": "text"}, {"type": "text", "from": "slug"}])
def test_an_event_without_its_id_is_rejected_even_if_nullable(
    project: Project, sync: Sync, id_: dict[str, Any]
) -> None:
    sync([{"id": "1", "slug": "1"}, {"title": "No id"}], fields={"id": id_})
    assert project.ids() == ["1"]
    assert project.rows("select field, reason from events.event_data_rejects") == [
        ("id", "is missing")
    ]


def test_the_share_of_rejects_is_set_in_the_yaml(sync: Sync) -> None:
    records: list[dict[str, Any]] = [{"id": i, "start_time": None} for i in range(8)]
    records += [{"id": "x", "start_time": "soon"}, {"id": "y", "start_time": "soon"}]
    with pytest.raises(PipelineStepFailed, match=r"\(5 % of all\)"):
        sync(records)
    sync(records, max_rejects="20%")


def test_changes_may_be_ignored(project: Project, sync: Sync) -> None:
    for seen in (1, 2):
        sync([{"id": "1", "views": seen}], derived=True, ignore_changes=["views"])
    assert project.rows("select count(*) from events.event_changes") == [(0,)]


def test_the_contract_may_change_a_columns_type(project: Project, sync: Sync) -> None:
    record = {"id": "1", "opens": "2026-05-01T18:30:00Z"}
    for others in ({}, {"opens": {"type": "timestamp"}}):
        sync([record], fields=fields(**others))
    assert project.rows("select opens from events.event_data") == [(TIME,)]


def test_what_a_column_held_before_its_type_changed_is_kept_beside_it(
    project: Project, sync: Sync
) -> None:
    sync([{"id": "1", "opens": "at dawn"}, {"id": "2", "opens": "10:00"}])
    sync([{"id": "1", "opens": None}], fields=fields(opens={"type": "timestamp"}))
    assert project.rows("select id, opens, opens__v_text from events.event_data order by id") == [
        ("1", None, None),
        ("2", None, "10:00"),
    ]


def test_a_column_may_get_back_the_type_that_it_had(project: Project, sync: Sync) -> None:
    record = {"id": "1", "size": 1, "start_time": "2026-05-01T18:30:00Z"}
    time, size = {"type": "timestamp"}, {"type": "bigint"}
    for start, number in ((time, size), ({"type": "text"}, {"type": "json"}), (time, size)):
        for _ in range(2):
            sync([record], derived=True, fields=fields(start_time=start, size=number))
    described = project.rows("select column_name, column_type from (describe events.event_data)")
    types = {name: kind for name, kind in described if name.startswith(("start", "size"))}
    assert types == {
        "size": "BIGINT",
        "size__v_bigint": "BIGINT",
        "size__v_json": "JSON",
        "start_time": "TIMESTAMP WITH TIME ZONE",
        "start_time__v_text": "VARCHAR",
        "start_time__v_timestamp": "TIMESTAMP WITH TIME ZONE",
    }
    assert project.rows("select sum(size), max(start_time) from events.current_events") == [
        (1, TIME)
    ]


def test_a_field_that_must_be_there_can_be_added_to_a_table_with_rows(
    project: Project, sync: Sync
) -> None:
    sync([{"id": "1"}, {"id": "2"}], fields=fields())
    added = fields(city={"type": "text", "nullable": False})
    sync([{"id": "1", "city": "Bonn"}], fields=added)
    assert project.rows("select id, city from events.event_data order by id") == [
        ("1", "Bonn"),
        ("2", None),
    ]


def test_a_sync_that_fails_changes_no_columns_type(project: Project, sync: Sync) -> None:
    good = [{"id": str(i), "size": 1, "start_time": None} for i in range(8)]
    sync(good)
    before = project.rows("describe events.event_data")
    bad = [{**event, "size": 1.5, "start_time": "soon"} for event in good]
    changed = fields(start_time={"type": "timestamp"}, size={"type": "text"})
    for attributes in ({}, {"fields": changed}):
        with pytest.raises(PipelineStepFailed, match="break the contract"):
            sync(bad, **attributes)
    assert project.rows("describe events.event_data") == before


def test_a_column_gets_its_new_type_together_with_the_events_or_not_at_all(
    project: Project, sync: Sync
) -> None:
    record = {"id": "1", "name": "A", "opens": "2026-05-01T18:30:00Z", "size": 1}
    changed = fields(opens={"type": "timestamp"}, size={"type": "text"})
    sync([record])
    before = project.rows("from events.event_data")
    with project.failing_loads(), pytest.raises(RuntimeError):
        sync([record], fields=changed)
    assert project.rows("from events.event_data") == before
    sync([record], fields=changed)
    assert project.rows("select opens, size from events.event_data") == [(TIME, "1")]


def test_a_first_load_that_failed_leaves_no_trace_in_the_names_of_columns(
    project: Project, sync: Sync
) -> None:
    records = [{"id": "1", "count": 1, "Name": "x"}, {"id": "2", "count": "many", "a b": 1}]
    with project.failing_loads(), pytest.raises(RuntimeError):
        sync(records, fields=fields())
    sync(records, fields=fields())
    assert {row[0] for row in project.rows("describe events.event_data")} == {
        "id",
        "count",
        "count__v_text",
        "name",
        "a_b",
        "last_seen_at",
        "_dlt_load_id",
    }


def test_a_contracts_field_is_not_the_apis_field_that_is_called_alike(
    project: Project, sync: Sync
) -> None:
    records = [{"id": "1", "Name": "A", "title": "T"}, {"id": "2", "Name": None, "title": "T"}]
    sync(records, fields=fields())
    name = {"type": "text", "from": ["Name", "title"]}
    sync(records, fields=fields(name=name))
    assert project.rows("select id, name from events.event_data order by id") == [
        ("1", "A"),
        ("2", "T"),
    ]


def test_html_entities_become_characters_where_asked(project: Project, sync: Sync) -> None:
    text = "Rock &#038; Roll &lt;3, caf&eacute;"
    of_html = {"type": "text", "html": "unescape"}
    record = {"id": "1", "name": text, "raw": text, "kind": {"x": text}}
    chosen = fields(name=of_html, raw={"type": "text"}, kind={**of_html, "from": "{kind.x}!"})
    sync([record], fields=chosen)
    clean = "Rock & Roll <3, café"
    rows = project.rows("select name, raw, kind from events.event_data")
    assert rows == [(clean, text, f"{clean}!")]


DOTTED = {
    "id": "1",
    "@odata.etag": "E",
    "a.b": {"c": "C", "d": "D"},
    "people": [{"@odata.id": "P", "name": "Ada"}],
}


def test_a_name_with_a_dot_can_be_a_field_or_the_key(project: Project, sync: Sync) -> None:
    choice = {"name": {"type": "text", "from": "['a.b'].c"}}
    choice["etag"] = {"type": "text", "from": "{['@odata.etag']}-{['a.b'].d}"}
    sync([DOTTED], "['@odata.etag']", fields=fields(**choice))
    assert project.rows("select id, name, etag from events.event_data") == [("E", "C", "E-D")]


def test_an_entry_that_matches_nothing_is_a_warning(project: Project, sync: Sync) -> None:
    config = sync(
        [DOTTED],
        fields=fields(),
        exclude=["id", "etag", "['a.b'].x", "@odata.etag", "people.name"],
        ignore_changes=["id", "people", "views"],
    )
    check = schema_stable(config)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    said = "No record has `etag`, `['a.b'].x`, `views`: correct it in `exclude`"
    assert str(check.description).startswith(said)
    assert project.rows("select unmatched from events.event_data_syncs") != [("[]",)]


def schema_stable(config: SourceConfig) -> dg.AssetCheckResult:
    return warehouse.run(lambda database: evaluate_schema_stable(database, config))


def test_an_entry_is_not_judged_without_records(sync: Sync) -> None:
    assert schema_stable(sync([], fields=fields(), exclude=["etag"])).passed


def test_what_is_excluded_is_not_in_lists_either(project: Project, sync: Sync) -> None:
    records = [{"id": "1", "people": [{"name": "Ada", "email": "ada@example.org"}]}, {"id": None}]
    sync(records, exclude=["people.email"], fields=fields())
    assert project.rows("select people from events.event_data") == [('[{"name":"Ada"}]',)]


def test_what_is_excluded_is_no_field_whose_column_has_the_same_name(
    project: Project, sync: Sync
) -> None:
    records = [{"id": "1", "Email": "x", "email": "y", "user name": "x", "user_name": "y"}]
    sync(records, exclude=["Email", "user name"])
    assert project.rows("select email, user_name from events.event_data") == [("y", "y")]


def test_what_is_excluded_takes_no_field_with_it_that_is_written_alike(
    project: Project, sync: Sync
) -> None:
    record = {"id": "1", "venue": {"name": "secret"}, "venue_name": "Hall", "venue.name": "secret"}
    sync([record], fields=fields())
    sync([record], fields=fields(), exclude=["venue.name"])
    columns = "venue_name, venue_name__x2, venue__name"
    assert project.rows(f"select {columns} from events.event_data") == [("Hall", None, None)]


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"fields": {"name": {"type": "text"}}}, "`id` is missing: the table merges on it"),
        ({"fields": fields(startTime={"type": "text"})}, "write `start_time`"),
        ({"max_rejects": "a lot"}, "max_rejects"),
        ({"max_rejects": "150%"}, "max_rejects"),
        ({"fields": fields(x={"type": "text", "format": "epoch_s"})}, "`format` is for"),
        ({"fields": fields(x={"type": "json", "html": "unescape"})}, "`html` is for"),
        ({"fields": {"id": {"type": "text", "html": "unescape"}}}, "is not for the id"),
    ],
)
def test_an_invalid_contract_is_refused_with_its_path(
    attributes: dict[str, Any], said: str
) -> None:
    answer = complaint(contract(**attributes))
    assert said in answer
    assert "defs.yaml" in answer


def test_without_start_times_there_is_no_calendar() -> None:
    keys = load(contract(fields=fields())).resolve_asset_graph().get_all_asset_keys()
    assert "event_calendar" not in {key.to_user_string() for key in keys}
