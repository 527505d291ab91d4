"""Other tools that sync the same API into DuckDB.

Each is a script of this folder that is given the address of the API and of the database, and runs
in a virtual environment of its own, in `.venv-peers`; one that does not install has no figure.
"""

import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import PATH, Prepared, count_rows
from bench.measure import ROOT, ContenderError
from bench.project import run_python
from event_assets.sandbox import KEY

FOLDER = ROOT / ".venv-peers"


@dataclass(frozen=True)
class Peer:
    """A tool: its script, the packages that this needs, and the table that it writes."""

    script: str
    packages: Sequence[str]
    table: str = "events"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return FOLDER / self.script / "bin" / "python"

    def prepare(self, url: str, folder: Path) -> Prepared:
        """Prepare its script, as a process.

        Raises:
            ContenderError: when its packages are not installed.
        """
        if not self.python.exists():
            raise ContenderError(f"does not install: {', '.join(self.packages)}")
        database = folder / "peer.duckdb"
        script = Path(__file__).with_name(f"{self.script}.py")
        arguments = (str(script), url, PATH, KEY, str(database))
        return Prepared(
            lambda: run_python(folder, *arguments, python=str(self.python)),
            lambda: count_rows(database, self.table),
            database,
        )

    def install(self) -> None:
        """Install it if it is not there."""
        if self.python.exists():
            return
        print(f"installing {', '.join(self.packages)} ...", file=sys.stderr, flush=True)
        venv.create(FOLDER / self.script, clear=True, with_pip=True)
        command = [str(self.python), "-m", "pip", "install", "--quiet", *self.packages]
        if subprocess.run(command, check=False).returncode:
            self.python.unlink()


DUCKDB = Peer("duckdb_sql", ("duckdb==1.5.5", "duckdb-extension-httpfs==1.5.5"))
DUCKLE = Peer("duckle_rest", ("duckle==0.7.4", "duckdb-cli==1.5.5"))
SINGER = Peer(
    "singer",
    ("tap-rest-api-msdk==1.4.2", "target-duckdb==0.8.0", "duckdb==1.5.5", "setuptools<81"),
    "main.events",
)
AIRBYTE = Peer("pyairbyte", ("airbyte==0.71.3",), "main.events")
SLING = Peer(
    "sling",
    ("sling-linux-amd64==1.4.11", "duckdb-cli==1.5.5", "duckdb-extension-json==1.5.5"),
    "main.events",
)
PEERS = (DUCKDB, DUCKLE, SINGER, AIRBYTE, SLING)


def install() -> None:
    """Install the tools that are not there."""
    for peer in PEERS:
        peer.install()
