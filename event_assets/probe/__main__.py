"""`python -m event_assets.probe`: probe the API of a source, as `event-assets probe`."""

import sys

from event_assets.orchestration.process import command

if __name__ == "__main__":
    with command():
        from event_assets.cli.main import run

        sys.exit(run(["probe", *sys.argv[1:]]))
