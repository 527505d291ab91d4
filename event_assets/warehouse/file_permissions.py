"""Permissions of the files that hold secrets or events."""

import shlex
from collections.abc import Iterator

from event_assets.config.env_file import env_file
from event_assets.config.project import find_project
from event_assets.warehouse.registry import get_destination


def insecure_file_warnings() -> Iterator[str]:
    """Yield a sentence for each file that other users can read or change.

    Others must not read `.env` and dlt's secrets; they may read the database, but not write it.
    """
    secret_files = (env_file(), find_project() / ".dlt/secrets.toml")
    checks = [(file, 0o066, "read", "600") for file in secret_files]
    checks += [(file, 0o022, "changed", "go-w") for file in get_destination().files]
    for file, bits, verb, mode in checks:
        if file.exists() and file.stat().st_mode & bits:
            yield (
                f"{file.absolute()} can be {verb} by other users of this machine: "
                f"chmod {mode} {shlex.quote(str(file.absolute()))}"
            )
