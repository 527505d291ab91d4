"""From JSON records to typed Arrow tables."""

from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from event_assets import records
from event_assets.records import Field, RecordError, tables
from event_assets.sandbox import Sandbox
from event_assets_tests.conftest import Project

FIELDS = {
    "id": Field(type="text", nullable=False),
    "start_time": Field(type="timestamp"),
}
UTC = pa.timestamp("us", "UTC")


def table(*rows: dict[str, Any], fields: dict[str, Field] | None = None) -> pa.Table:
    (made,) = tables(rows, FIELDS if fields is None else fields)
    return made


def column(values: list[Any], field: Field | None = None) -> tuple[pa.DataType, list[Any]]:
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
        ([1, "a"], ["1", "a"]),
        ([True, 2], ["true", "2"]),
        ([2**63, 1], ["9223372036854775808", "1"]),
    ],
)
def test_values_without_a_common_type_are_text(values: list[Any], texts: list[str]) -> None:
    assert column(values) == (pa.string(), texts)


def test_objects_are_flattened_and_lists_are_json() -> None:
    made = table({"id": "1", "a": {"b": {"c": 1}, "d": [1, {"e": "ü"}]}})
    assert made.schema.names == ["id", "start_time", "a__b__c", "a__d"]
    assert made["a__b__c"].to_pylist() == [1]
    assert made["a__d"].to_pylist() == ['[1,{"e":"ü"}]']
    assert records.json_columns(made) == {"a__d": {"name": "a__d", "data_type": "json"}}


def test_a_field_that_is_now_an_object_and_now_a_scalar_has_columns_for_both() -> None:
    made = table({"id": "1", "venue": "Hall"}, {"id": "2", "venue": {"name": "Park"}})
    assert made["venue"].to_pylist() == ["Hall", None]
    assert made["venue__name"].to_pylist() == [None, "Park"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T18:30:00Z",
        "2026-05-01T20:30:00+02:00",
        "2026-05-01 18:30:00",
        "2026-05-01T18:30:00.000000Z",
        "2026-05-01T18:30:00",
    ],
)
def test_times_are_instants_in_utc(text: str) -> None:
    expected = datetime(2026, 5, 1, 18, 30, tzinfo=timezone.utc)
    assert column([text, None], Field(type="timestamp")) == (UTC, [expected, None])


def test_times_with_and_without_a_zone_may_stand_in_one_column() -> None:
    _, values = column(
        ["2026-05-01T18:30:00", "2026-05-01T20:30:00+02:00"], Field(type="timestamp")
    )
    assert values == [datetime(2026, 5, 1, 18, 30, tzinfo=timezone.utc)] * 2


def test_what_does_not_fit_a_typed_column_is_kept_beside_it() -> None:
    made = table(
        {"id": "1", "start_time": "soon"}, {"id": "2", "start_time": "2026-05-01T18:30:00Z"}
    )
    assert made["start_time"].is_null().to_pylist() == [True, False]
    assert made["start_time__v_text"].to_pylist() == ["soon", None]


def test_a_number_as_id_is_text() -> None:
    assert column([7, "7"], Field(type="text")) == (pa.string(), ["7", "7"])


def test_typed_columns_are_there_even_if_the_api_leaves_them_out() -> None:
    made = table({"id": "1"})
    assert made.schema.field("start_time").type == UTC
    assert made["start_time"].to_pylist() == [None]


def test_a_missing_field_that_is_required_is_said_with_its_name() -> None:
    with pytest.raises(RecordError, match="1 of 2 records have no usable `id`"):
        table({"id": "1"}, {"name": "x"})


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BATCH_ROWS", 10)
    monkeypatch.setattr(records, "CHUNK_ROWS", 5)
    made = list(tables(({"id": str(i)} for i in range(25)), FIELDS))
    assert [len(batch) for batch in made] == [10, 10, 5]


def test_another_type_in_a_later_batch_goes_on_in_a_second_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "BATCH_ROWS", 1)
    monkeypatch.setattr(records, "CHUNK_ROWS", 1)
    first, second = tables([{"id": "1", "x": 1}, {"id": "2", "x": "many"}], FIELDS)
    assert first["x"].to_pylist() == [1]
    assert second["x__v_text"].to_pylist() == ["many"]


def test_another_type_in_a_later_sync_goes_on_in_a_second_column(project: Project) -> None:
    for value in (1, "many", 2):
        with Sandbox([{"id": str(value), "start_time": None, "x": value}]) as api:
            assert project.sync(url=api.url).success
    assert project.rows("select id, x, x__v_text from events.event_data order by id") == [
        ("1", 1, None),
        ("2", 2, None),
        ("many", None, "many"),
    ]


def test_a_new_field_becomes_a_column_and_a_gone_one_keeps_its(project: Project) -> None:
    for event in ({"id": "1", "old": 1}, {"id": "2", "new": [1]}):
        with Sandbox([event]) as api:
            assert project.sync(url=api.url).success
    assert project.rows("select id, old, new from events.event_data order by id") == [
        ("1", 1, None),
        ("2", None, "[1]"),
    ]


def test_columns_that_come_late_in_a_batch_are_null_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK_ROWS", 1)
    made = table({"id": "1"}, {"id": "2", "new": True})
    assert made["new"].to_pylist() == [None, True]
