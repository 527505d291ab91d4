"""`python -m event_assets`: sync the source `events` once (`make run`), or `erase`."""

import sys

from event_assets.orchestration import process

if __name__ == "__main__":
    with process.command():
        from event_assets.cli import erase, sync

        command, *rest = [*sys.argv[1:], ""]
        sys.exit(erase.main(rest[:-1]) if command == "erase" else sync.main(sys.argv[1:]))
