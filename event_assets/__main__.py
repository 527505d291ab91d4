"""`python -m event_assets`: sync the source `events` once (`make run`)."""

import sys

from event_assets.cli.sync import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
