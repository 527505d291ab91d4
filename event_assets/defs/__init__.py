"""One folder a source, each with a `defs.yaml`."""
