"""Dagster's definitions, built from a source's configuration."""
