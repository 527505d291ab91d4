"""`python -m event_assets.probe`: probe the API of a source."""

import sys

from event_assets.cli.probe import main

if __name__ == "__main__":
    sys.exit(main())
