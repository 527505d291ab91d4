"""The least that Dagster does: one asset that does nothing."""

from pathlib import Path

from bench.contenders import NO_ROWS, Prepared
from bench.project import run_dagster

CODE = """
import dagster as dg

@dg.asset
def bare() -> None: ...

defs = dg.Definitions(assets=[bare], executor=dg.in_process_executor)  # as this project's
"""


def prepare_command(_url: str, folder: Path) -> Prepared:
    """Prepare the command that materializes the asset."""
    return _prepare(folder, "asset", "materialize", "--select", "bare")


def prepare_validate(_url: str, folder: Path) -> Prepared:
    """Prepare the command that validates the definitions."""
    return _prepare(folder, "definitions", "validate")


def _prepare(folder: Path, *command: str) -> Prepared:
    (folder / "bare.py").write_text(CODE)
    return Prepared(lambda: run_dagster(folder, *command, "-f", "bare.py"), lambda: NO_ROWS)
