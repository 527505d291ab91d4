"""`python -m event_assets`: sync every source once (`make run`)."""

import sys

from event_assets.cli.sync import main

if __name__ == "__main__":
    sys.exit(main())
