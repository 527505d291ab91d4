"""Compare this project with plain dlt and a raw baseline, on the same loopback server."""
