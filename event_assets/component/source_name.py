"""What a source may be called."""

import re
from pathlib import Path

from event_assets.values.errors import ConfigError
from event_assets.values.naming import normalize_name
from event_assets.warehouse.sql import is_reserved

MAX_LENGTH = 40  # characters: names of pipelines and files begin with it
NAME = (
    f"a name of at most {MAX_LENGTH} small letters, digits and underscores that is not reserved in "
    "SQL or Windows and does not end in _staging, _fully or _on_schedule."
)
# Of other schemas and jobs, and of devices in Windows, which dlt refuses as those of pipelines.
RESERVED = re.compile(
    r".*_(staging|fully|on_schedule)|information_schema|pg_catalog|con|prn|aux|nul|(com|lpt)\d"
)


def is_source_name(name: str) -> bool:
    """Return whether a source may have this name, which is also that of its schema."""
    is_plain = normalize_name(name) == name and len(name) <= MAX_LENGTH
    return is_plain and not RESERVED.fullmatch(name) and not is_reserved(name)


def require_source_name(folder: Path) -> None:
    """Raise a ConfigError if a folder cannot name a source."""
    if not is_source_name(folder.name):
        raise ConfigError(
            f"The folder {folder} names a source and its schema in DuckDB: give it {NAME}"
        )
