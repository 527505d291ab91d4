"""From JSON records to typed Arrow tables."""

from typing import Any

import pyarrow as pa
import pytest

from event_assets.config.fields import FieldConfig
from event_assets.records import arrow_builder
from event_assets.records.arrow_builder import ArrowTableBuilder, Reject
from event_assets.records.contract import build_field_readers
from event_assets.values.types import DataType
from event_assets_tests.support.direct_syncs import sync_default
from event_assets_tests.support.project import Project
from event_assets_tests.support.sandbox import Sandbox

pytestmark = pytest.mark.in_process

FIELDS = {
    "id": FieldConfig(type="text", nullable=False),
    "start_time": FieldConfig(type="timestamp"),
}
UTC = pa.timestamp("us", "UTC")


def shaper(fields: dict[str, FieldConfig] | None = None) -> ArrowTableBuilder:
    return ArrowTableBuilder(build_field_readers(FIELDS if fields is None else fields))


def table(*rows: dict[str, Any], fields: dict[str, FieldConfig] | None = None) -> pa.Table:
    (made,) = shaper(fields).build_batches(rows)
    return made


def column(values: list[Any], field: FieldConfig | None = None) -> tuple[pa.DataType, list[Any]]:
    fields = {"x": field} if field else {}
    made = table(*({"n": 1, "x": value} for value in values), fields=fields)
    return made.schema.field("x").type, made["x"].to_pylist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], pa.string()),
        ([True, None], pa.bool_()),
        ([1, None], pa.int64()),
        ([1.5, None], pa.float64()),
        ([1, 1.5], pa.float64()),
    ],
)
def test_scalars_are_typed_by_what_they_are(values: list[Any], kind: pa.DataType) -> None:
    assert column(values) == (kind, values)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["a", 1], ["a", "1"]),
        (["a", True, 2.0], ["a", "true", "2.0"]),
        ([2**63, 1], ["9223372036854775808", "1"]),
    ],
)
def test_a_column_of_text_takes_every_scalar(values: list[Any], texts: list[str]) -> None:
    assert column(values) == (pa.string(), texts)


def test_objects_are_flattened_and_lists_are_json() -> None:
    built = shaper()
    made = built.build([{"id": "1", "a": {"b": {"c": 1}, "d": [1, {"e": "ü"}]}}])
    assert made.schema.names == ["id", "start_time", "a__b__c", "a__d"]
    assert made["a__b__c"].to_pylist() == [1]
    assert made["a__d"].to_pylist() == ['[1,{"e":"ü"}]']
    assert built.hinted_types(made) == {"a__d": "json"}


def test_a_field_that_is_now_an_object_and_now_a_scalar_has_columns_for_both() -> None:
    made = table({"id": "1", "venue": "Hall"}, {"id": "2", "venue": {"name": "Park"}})
    assert made["venue"].to_pylist() == ["Hall", None]
    assert made["venue__name"].to_pylist() == [None, "Park"]


def test_typed_columns_are_there_even_if_the_api_leaves_them_out() -> None:
    made = table({"id": "1"})
    assert made.schema.field("start_time").type == UTC
    assert made["start_time"].to_pylist() == [None]


def test_a_record_that_breaks_the_contract_is_set_aside_whole() -> None:
    rejects: list[Reject] = []
    rows = [
        {"id": "1", "start_time": "soon", "x": [1]},
        {"id": "2", "start_time": "2026-05-01T18:30:00Z", "x": 2},
        {"start_time": None},
        "no record at all",
    ]
    (made,) = ArrowTableBuilder(
        build_field_readers(FIELDS), on_rejects=rejects.extend
    ).build_batches(rows)
    assert made["id"].to_pylist() == ["2"]
    assert made["x"].to_pylist() == [2]
    assert rejects == [
        Reject("1", '{"id":"1","start_time":"soon","x":[1]}', "start_time", "is not a timestamp"),
        Reject(None, '{"start_time":null}', "id", "is missing"),
        Reject(None, '"no record at all"', None, "is not an object"),
    ]


def test_a_whole_page_of_garbage_is_set_aside() -> None:
    shaping = shaper()
    (made,) = shaping.build_batches([None, 7, [], "x"])
    assert len(made) == 0
    assert shaping.reject_reasons == {(None, "is not an object"): 4}


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_builder, "BATCH_ROWS", 10)
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 5)
    made = list(shaper().build_batches({"id": str(i)} for i in range(25)))
    assert [len(batch) for batch in made] == [10, 10, 5]


def test_another_type_in_a_later_batch_goes_on_in_a_second_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow_builder, "BATCH_ROWS", 1)
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 1)
    first, second = shaper().build_batches([{"id": "1", "x": 1}, {"id": "2", "x": "many"}])
    assert first["x"].to_pylist() == [1]
    assert second["x__v_text"].to_pylist() == ["many"]


def test_what_was_text_before_is_typed_by_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 2)
    values = ["a", None, "", "b", "c", 1, True, 2.5, None, None, {"y": "in it"}, ["z"], "d", "e"]
    made = table(*({"id": str(i), "x": x} for i, x in enumerate(values)))
    scalars = ["a", None, "", "b", "c", "1", "true", "2.5", *[None] * 4, "d", "e"]
    assert made.to_pydict() == {
        "id": [str(i) for i in range(14)],
        "start_time": [None] * 14,
        "x": scalars,
        "x__y": [*[None] * 10, "in it", *[None] * 3],
        "x__v_json": [*[None] * 11, '["z"]', None, None],
    }


def test_objects_of_one_member_are_flattened_where_some_lack_it() -> None:
    values = [{"y": {"z": 1}}, {"y": None}, {}, None, {"y": {"z": 2}}, {"y": {}, "other": 3}]
    made = table(*({"id": str(i), "x": x} for i, x in enumerate(values)))
    assert made["x__y__z"].to_pylist() == [1, None, None, None, 2, None]
    assert made["x__other"].to_pylist() == [*[None] * 5, 3]


def test_numbers_in_lists_stay_as_large_as_they_are() -> None:
    assert column([[1, "ü"], [2**70], None]) == (pa.string(), ['[1,"ü"]', f"[{2**70}]", None])


def test_only_the_values_that_do_not_fit_go_beside_the_column() -> None:
    made = table(*({"id": str(i), "x": x} for i, x in enumerate([1, "n/a", 3, True, [4], 2**64])))
    assert made["x"].to_pylist() == [1, None, 3, None, None, None]
    assert made["x__v_text"].to_pylist() == [None, "n/a", None, None, None, None]
    assert made["x__v_bool"].to_pylist() == [None, None, None, True, None, None]
    assert made["x__v_json"].to_pylist() == [None, None, None, None, "[4]", str(2**64)]


def test_a_whole_number_that_gets_a_fraction_makes_its_column_a_float(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 1)
    made = table({"id": "1", "x": 1}, {"id": "2", "x": 2.5}, {"id": "3", "x": 3})
    assert made.schema.field("x").type == pa.float64()
    assert made["x"].to_pylist() == [1.0, 2.5, 3.0]


def test_a_column_of_numbers_too_large_for_a_float_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 1)
    made = table({"id": "1", "x": 2**60 + 1}, {"id": "2", "x": 2.5})
    assert made["x"].to_pylist() == [2**60 + 1, None]
    assert made["x__v_double"].to_pylist() == [None, 2.5]


def test_a_whole_number_too_large_for_a_float_column_goes_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 1)
    made = table({"id": "1", "x": 2.5}, {"id": "2", "x": 2**60 + 1})
    assert made["x"].to_pylist() == [2.5, None]
    assert made["x__v_bigint"].to_pylist() == [None, 2**60 + 1]


@pytest.mark.parametrize("first", [[], [{"id": "0", "x": 1}]])
def test_a_number_gets_a_fraction_in_a_later_batch(
    project: Project, monkeypatch: pytest.MonkeyPatch, first: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 5)
    monkeypatch.setattr(arrow_builder, "BATCH_ROWS", 10)
    monkeypatch.setenv("DATA_WRITER__BUFFER_MAX_ITEMS", "10")  # each batch is written at once
    later = [{"id": str(i), "x": i if i < 20 else i + 0.5, "new": i} for i in range(30)]
    for events in (first, later):
        with Sandbox(events) as api:
            sync_default(project, api.url, accepts_new_origin=True)
    assert project.rows("select sum(x), count(x), any_value(typeof(x)) from events.event_data") == [
        (sum(range(30)) + 5.0, 30, "DOUBLE")
    ]


def test_a_list_called_as_dlts_merge_calls_its_tables_doubles_nothing(project: Project) -> None:
    for number in range(3):
        events = [{"id": str(i), "d": [number], "s": [number]} for i in range(30)]
        with Sandbox(events) as api:
            sync_default(project, api.url, accepts_new_origin=True)
    assert project.rows("select count(*), any_value(d__x2) from events.event_data") == [(30, "[2]")]


def test_a_number_gets_a_fraction_in_a_later_sync(project: Project) -> None:
    for value in (1, 2.5, 3):
        with Sandbox([{"id": str(value), "x": value}]) as api:
            sync_default(project, api.url, accepts_new_origin=True)
    assert project.rows("select typeof(x), x from events.event_data order by x") == [
        ("DOUBLE", 1.0),
        ("DOUBLE", 2.5),
        ("DOUBLE", 3.0),
    ]


def test_another_type_in_a_later_sync_goes_on_in_a_second_column(project: Project) -> None:
    for value in (1, "many", 2):
        with Sandbox([{"id": str(value), "start_time": None, "x": value}]) as api:
            sync_default(project, api.url, accepts_new_origin=True)
    assert project.rows("select id, x, x__v_text from events.event_data order by id") == [
        ("1", 1, None),
        ("2", 2, None),
        ("many", None, "many"),
    ]


def test_a_new_field_becomes_a_column_and_a_gone_one_keeps_its(project: Project) -> None:
    for event in ({"id": "1", "old": 1}, {"id": "2", "new": [1]}):
        with Sandbox([event]) as api:
            sync_default(project, api.url, accepts_new_origin=True)
    assert project.rows("select id, old, new from events.event_data order by id") == [
        ("1", 1, None),
        ("2", None, "[1]"),
    ]


def test_columns_that_come_late_in_a_batch_are_null_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_builder, "CHUNK_ROWS", 1)
    made = table({"id": "1"}, {"id": "2", "new": True})
    assert made["new"].to_pylist() == [None, True]


@pytest.mark.parametrize(
    ("none", "kind"),
    [
        ("0001-01-01T00:00:00Z", "timestamp"),
        ("0001-01-01 00:00:00", "timestamp"),
        ("9999-12-31T23:59:59.9999999Z", "timestamp"),
        ("9999-12-31T22:59:59Z", "timestamp"),
        ("0001-01-01", "timestamp"),
        ("0000-00-00", "timestamp"),
        ("-0001-11-30T00:00:00.000000Z", "timestamp"),
        ("Invalid date", "timestamp"),
        ("0000-00-00", "date"),
        ("Invalid Date", "date"),
    ],
)
def test_what_programs_write_for_no_time_is_none(none: str, kind: DataType) -> None:
    rejects: list[Reject] = []
    fields = {**FIELDS, "start_time": FieldConfig(type="timestamp", nullable=False)}
    fields["end_time"] = FieldConfig(type=kind)
    builder = ArrowTableBuilder(build_field_readers(fields), on_rejects=rejects.extend)
    rows = [
        {"id": "1", "start_time": "2026-05-01T18:30:00Z", "end_time": none},
        {"id": "2", "start_time": none if kind == "timestamp" else None, "end_time": None},
    ]
    made = builder.build(rows)
    assert (made["id"].to_pylist(), made["end_time"].to_pylist()) == (["1"], [None])
    assert [(one.id, one.field, one.reason) for one in rejects] == [
        ("2", "start_time", "is missing")
    ]


@pytest.mark.parametrize(
    ("format_", "none"),
    [("epoch_s", -62_135_596_800), ("epoch_ms", 253_402_300_799_000), ("epoch_s", 253402300799.0)],
)
def test_an_epoch_of_the_first_or_last_time_is_none(format_: str, none: float) -> None:
    rejects: list[Reject] = []
    fields = {**FIELDS, "end_time": FieldConfig(type="timestamp", format=format_)}
    builder = ArrowTableBuilder(build_field_readers(fields), on_rejects=rejects.extend)
    made = builder.build([{"id": "1", "start_time": "2026-05-01T18:30:00Z", "end_time": none}])
    assert (made["end_time"].to_pylist(), rejects) == ([None], [])
