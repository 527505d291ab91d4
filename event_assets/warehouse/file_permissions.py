"""Permissions of the files that hold secrets or events."""

import stat
from collections.abc import Iterator
from pathlib import Path

from event_assets.warehouse.registry import get_destination

READABLE = stat.S_IRGRP | stat.S_IROTH
WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def insecure_file_warnings() -> Iterator[str]:
    """Yield a sentence for each file that other users can read or change.

    Others must not read `.env` and dlt's secrets; they may read the database, but not write it.
    """
    secret_files = (Path(".env"), Path(".dlt/secrets.toml"))
    for file, bits, verb in (
        *((file, READABLE | WRITABLE, "read") for file in secret_files),
        *((file, WRITABLE, "changed") for file in get_destination().files),
    ):
        if file.exists() and file.stat().st_mode & bits:
            mode = "600" if bits & READABLE else "go-w"
            yield (
                f"{file.absolute()} can be {verb} by other users of this machine: "
                f"chmod {mode} {file.absolute()}"
            )
