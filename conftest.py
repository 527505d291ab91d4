"""Let no test depend on who runs it: on a proxy, a terminal, a time zone, a CI, an own `.env`.

In this place, it is read before anything imports what reads or sets variables itself.
"""

import os
import time

KEPT = ("HOME", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR", "USER")
OF_TESTS = ("EVENT_ASSETS_FUZZ", "EVENTS_SCALE_", "KEY_EXAMPLES", "PAGING_EXAMPLES", "PYTEST_")

for name in os.environ.keys() - KEPT:
    if not name.startswith(OF_TESTS):
        del os.environ[name]
os.environ["LANG"] = "C.UTF-8"
time.tzset()
