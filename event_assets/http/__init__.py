"""One request in, one checked response out: auth, retries, limits, redaction."""
