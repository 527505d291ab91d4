"""`python -m event_assets.sandbox`: serve the sandbox until it is interrupted."""

from event_assets.sandbox.command import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m event_assets.sandbox")
