"""What fields are called as columns, and which of them are kept."""

from typing import Any

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given
from hypothesis import strategies as some

from event_assets.config.fields import FieldConfig
from event_assets.records.arrow_builder import ArrowTableBuilder
from event_assets.records.column_names import ColumnNamer
from event_assets.records.contract import build_field_readers
from event_assets.records.field_selection import FieldSelection
from event_assets.values.json_paths import Path


def named(*paths: Path, reserved: tuple[str, ...] = ("id",)) -> list[str]:
    names = ColumnNamer(reserved, (), {})
    return [names.column(path) for path in paths]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("startTime",), "start_time"),
        (("venue", "geoLocation", "lat"), "venue__geo_location__lat"),
        (("2nd",), "_2nd"),
        (("select",), "select"),
        (('"; drop table',), "_drop_table"),
        (("",), "x"),
        (("日本",), "x"),
        (("_dlt_load_id",), "api_dlt_load_id"),
        (("x" * 300,), "x" * 300),
    ],
)
def test_names_are_normalized_as_dlt_does_it(path: tuple[str, ...], name: str) -> None:
    assert named(path) == [name]


def test_two_paths_never_share_a_column() -> None:
    assert named(("startTime",), ("start_time",), ("StartTime",), ("a__b",), ("a", "b")) == [
        "start_time",
        "start_time__x2",
        "start_time__x3",
        "a_b",
        "a__b",
    ]


def test_the_contracts_and_our_own_names_are_not_taken() -> None:
    assert named(("ID",), ("last_seen_at",), reserved=("id", "last_seen_at")) == [
        "id__x2",
        "last_seen_at__x2",
    ]


def test_values_of_another_type_have_a_column_of_their_own() -> None:
    assert named(("x", None, "text"), ("x", "v_text")) == ["x__v_text", "x__v_text__x2"]


def test_a_path_keeps_its_column_from_sync_to_sync() -> None:
    known = ["id", "start_time", "start_time__x2", "venue__name", "_dlt_load_id"]
    names = ColumnNamer(
        ("id",), known, {"start_time": ["startTime"], "start_time__x2": ["start_time"]}
    )
    assert names.column(("start_time",)) == "start_time__x2"
    assert names.column(("startTime",)) == "start_time"
    assert names.column(("venue", "name")) == "venue__name"
    assert names.column(("_dlt_load_id",)) == "api_dlt_load_id"


def test_a_column_whose_path_is_lost_goes_to_the_first_that_would_have_got_it() -> None:
    known = ["a_b", "a_b__x2", "id__x2", "c", "c__v_text"]
    names = ColumnNamer(("id",), known, dict.fromkeys(known))
    paths = [("a_b",), ("aB",), ("AB",), ("ID",), ("C",), ("c",), ("C", None, "text")]
    columns = ["a_b", "a_b__x2", "ab", "id__x2", "c", "c__x2", "c__v_text"]
    assert [names.column(path) for path in paths] == columns


@given(some.lists(some.lists(some.text(), min_size=1, max_size=4).map(tuple), unique=True))
def test_any_names_make_columns_of_their_own(paths: list[Path]) -> None:
    names = named(*paths)
    assert len(set(names)) == len(paths)
    assert [NamingConvention().normalize_path(name) for name in names] == names  # dlt agrees


def pruned(record: Any, **choice: Any) -> str:
    return FieldSelection(**choice).to_json(record)


RECORD = {"id": "1", "venue": {"name": "Hall", "location": {"lat": 1}}, "tags": [{"a": 1}]}


def test_what_is_excluded_is_kept_nowhere() -> None:
    selection = FieldSelection(exclude=["venue.location", "tags"])
    assert not selection.may_contain(("venue", "location"))
    assert selection.may_contain(("venue",))
    assert selection.to_json(RECORD) == '{"id":"1","venue":{"name":"Hall"}}'


def test_only_what_is_chosen_is_kept_and_what_the_contract_reads() -> None:
    selection = FieldSelection(only=["venue.location"], contract=[("id",)])
    assert selection.may_contain(("venue",))
    assert not selection.includes(("venue",))
    assert selection.includes(("venue", "location", "lat"))
    assert not selection.may_contain(("tags",))
    assert selection.to_json(RECORD) == '{"id":"1","venue":{"location":{"lat":1}}}'


DOTTED = {
    "id": "1",
    "@odata.etag": "E",
    "a.b": {"c": "C", "d": "D"},
    "people": [{"@odata.id": "P", "name": "Ada"}],
}


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ({"exclude": ["@odata.etag"]}, "CDP"),
        ({"exclude": ["['@odata.etag']", "['a.b'].c"]}, "DP"),
        ({"exclude": ['people["@odata.id"]', "a.b"]}, "E"),
        ({"only": ["@odata.etag", "['a.b'].d"]}, "DE"),
    ],
)
def test_a_name_with_a_dot_can_be_chosen(choice: dict[str, Any], left: str) -> None:
    builder = builder_with(**choice)
    kept = str(builder.build([DOTTED]).to_pylist())
    assert (
        "".join(letter for letter in "CDEP" if f"'{letter}'" in kept or f'"{letter}"' in kept)
        == left
    )
    assert builder.unmatched() == []


@pytest.mark.parametrize(
    ("choice", "unmatched"),
    [
        ({"exclude": ["id", "etag", "a.x"]}, ["etag", "a.x"]),
        ({"exclude": ["people.email"]}, ["people.email"]),
        ({"only": ["name", "nme"]}, ["name", "nme"]),
    ],
)
def test_an_entry_that_matches_nothing_is_found(
    choice: dict[str, Any], unmatched: list[str]
) -> None:
    builder = builder_with(**choice)
    builder.build([DOTTED])
    assert builder.unmatched() == unmatched


def builder_with(**choice: Any) -> ArrowTableBuilder:
    readers = build_field_readers({"id": FieldConfig(type="text", nullable=False)})
    return ArrowTableBuilder(readers, selection=FieldSelection(**choice))
