"""The table of column types."""

from typing import get_args

import duckdb
import pytest

from event_assets.values.types import COLUMN_TYPES, DataType, accepts, infer_type


def test_the_table_has_each_type_of_the_contract() -> None:
    assert tuple(COLUMN_TYPES) == get_args(DataType)


@pytest.mark.parametrize("name", [column_type.duckdb for column_type in COLUMN_TYPES.values()])
def test_duckdb_reports_a_type_by_the_name_in_the_table(name: str) -> None:
    with duckdb.connect() as database:
        (kind,) = database.sql(f"select null::{name} as x").types
    assert str(kind) == name


def test_each_json_type_is_accepted_by_the_type_that_is_inferred_from_it() -> None:
    values: list[object] = ["text", True, 1, 1.5, [], {}]
    for value in values:
        assert accepts(value, infer_type(value))


@pytest.mark.parametrize(
    ("value", "data_type", "accepted"),
    [
        (2**63 - 1, "bigint", True),
        (2**63, "bigint", False),
        (2**53, "double", True),
        (2**53 + 1, "double", False),
        (True, "bigint", False),
        ("2026-05-01", "date", False),
        ({}, "text", False),
    ],
)
def test_a_value_is_accepted_only_if_it_keeps_its_meaning(
    value: object, data_type: str, accepted: bool
) -> None:
    assert accepts(value, data_type) is accepted
