"""This project beside plain dlt and beside the bare limit, on the same loopback server."""
