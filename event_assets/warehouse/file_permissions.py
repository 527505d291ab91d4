"""Files that hold secrets or events, and that others on this machine can get at."""

import stat
from collections.abc import Iterator
from pathlib import Path

from event_assets import warehouse

READABLE = stat.S_IRGRP | stat.S_IROTH
WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def insecure_file_warnings() -> Iterator[str]:
    """Say which files are open to others, and how to close them, in a sentence each.

    `.env` and dlt's secrets must not be read by others; the database may be, but not written.
    """
    secret = (Path(".env"), Path(".dlt/secrets.toml"))
    for file, bits, what in (
        *((file, READABLE | WRITABLE, "read") for file in secret),
        *((file, WRITABLE, "changed") for file in warehouse.get_destination().files),
    ):
        if file.exists() and file.stat().st_mode & bits:
            mode = "600" if bits & READABLE else "go-w"
            yield (
                f"{file.absolute()} can be {what} by other users of this machine: "
                f"chmod {mode} {file.absolute()}"
            )
