"""The typed fields of an event: what the contract says of a column."""

from collections.abc import Mapping
from typing import Literal

from dlt.common.schema.typing import TColumnSchema
from pydantic import Field as Describe

from event_assets.configuration import Attributes


class Field(Attributes):
    """One typed column of `event_data`."""

    type: Literal["text", "timestamp", "date", "bigint", "double", "bool", "json"] = Describe(
        description="Type of the column, by dlt's names; a timestamp lands in UTC."
    )
    nullable: bool = Describe(default=True, description="Whether the API may leave it out.")


def columns(fields: Mapping[str, Field]) -> dict[str, TColumnSchema]:
    """Say the contract's fields in dlt's column hints."""
    return {
        name: {"name": name, "data_type": field.type, "nullable": field.nullable}
        for name, field in fields.items()
    }
