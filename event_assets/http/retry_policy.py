"""The retry policy of every request."""

from __future__ import annotations

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
MAX_RETRIES = 3
BACKOFF_FACTOR = 2.0  # seconds; the waits are 2, 4 and 8
RETRY_AFTER_MAX = 120.0  # seconds
