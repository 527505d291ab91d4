"""`python -m event_assets.probe`: probe the API of a source."""

import sys

from event_assets.orchestration.process import command

if __name__ == "__main__":
    with command():
        from event_assets.cli.probe import main

        sys.exit(main())
