"""`event-assets`, and `python -m event_assets`, which syncs without a command."""

import sys
from collections.abc import Sequence

from event_assets.orchestration import process


def main(arguments: Sequence[str] = ()) -> None:
    """Run a command by the arguments of the process, or by these if it has none.

    Raises:
        SystemExit: with its status, or with that of the signal that ended it.
    """
    with process.command():
        from event_assets.cli.main import run

        sys.exit(run(sys.argv[1:] or arguments))


if __name__ == "__main__":
    main(["sync"])
