"""Names as dlt writes them in the database."""

from __future__ import annotations

from functools import cache

from dlt.common.normalizers.naming.snake_case import NamingConvention


@cache
def normalize_name(name: str) -> str:
    """Return a name in dlt's snake_case; a blank one is `x`."""
    return NamingConvention().normalize_identifier(name) if name.strip() else "x"
