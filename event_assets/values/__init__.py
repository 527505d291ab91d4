"""Pure values and types: no configuration, no network, no database."""
