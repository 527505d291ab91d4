"""Other tools that sync the same API into DuckDB, each in a virtual environment of its own.

Singer, PyAirbyte and sling are left out: each needs a configuration of dozens of lines.
"""

import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contender import run_python
from bench.contenders import PAGE, PATH, Prepared, count_rows
from bench.measure import ROOT, ContenderError
from event_assets.sandbox import KEY

FOLDER = ROOT / ".venv-peers"
TABLE = "events"
DUCKDB = f"""
import pathlib, sys, duckdb, duckdb_extension_httpfs
url, database = sys.argv[1:]
(folder,) = duckdb_extension_httpfs.__path__
(extension,) = pathlib.Path(folder).glob("**/httpfs.duckdb_extension")
connection = duckdb.connect(database)
connection.execute(f"load '{{extension}}'")
connection.execute("set force_download = true")
((total,),) = connection.sql(f"select total from read_json('{{url}}&offset=0&limit=1')").fetchall()
pages = [f"{{url}}&offset={{offset}}&limit={PAGE}" for offset in range(0, total, {PAGE})]
connection.execute(
    "create temp table page as "
    "select unnest(data, max_depth := 2) from read_json($1, union_by_name := true)", [pages]
)
connection.execute("create table if not exists {TABLE} as from page limit 0")
connection.execute(
    "merge into {TABLE} using (select distinct on (id) * from page) as new using (id) "
    "when matched then update when not matched then insert"
)
"""
DUCKLE = f"""
import sys, duckle
url, database = sys.argv[1:]
source = duckle.src.rest(
    url=f"{{url}}&limit={PAGE}", responsePath="/data", paginationType="offset",
    offsetParam="offset", pageSize={PAGE}, totalCountPath="/total", maxPages=100_000,
)
source.snk.duckdb(
    database=database, tableName="{TABLE}", mode="upsert", conflictColumns="id"
).run()
"""


@dataclass(frozen=True)
class Peer:
    """A tool: its packages, and a script that is given the URL of the list and a database."""

    name: str
    packages: Sequence[str]
    script: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return FOLDER / self.name / "bin" / "python"

    def prepare(self, url: str, folder: Path) -> Prepared:
        """Prepare its script, as a process."""
        if not self.python.exists():
            raise ContenderError(f"does not install: {', '.join(self.packages)}")
        database = folder / f"{self.name}.duckdb"
        arguments = ("-c", self.script, f"{url}{PATH}?api_key={KEY}", str(database))
        return Prepared(
            lambda: run_python(folder, *arguments, python=str(self.python)),
            lambda: count_rows(database, TABLE),
            database,
        )


PEERS = {
    "h": Peer("duckdb", ("duckdb==1.5.5", "duckdb-extension-httpfs==1.5.5"), DUCKDB),
    "k": Peer("duckle", ("duckle==0.7.4", "duckdb-cli==1.5.5"), DUCKLE),
}
prepare_duckdb, prepare_duckle = (peer.prepare for peer in PEERS.values())


def install() -> None:
    """Install the peers that are not there; one that does not install is left out."""
    for peer in PEERS.values():
        folder = FOLDER / peer.name
        if peer.python.exists():
            continue
        venv.create(folder, clear=True, with_pip=True)
        command = [str(peer.python), "-m", "pip", "install", "--quiet", *peer.packages]
        if subprocess.run(command, check=False).returncode:
            print(f"{peer.name} does not install", file=sys.stderr)
            peer.python.unlink()
