"""sling: an API specification into DuckDB, by the DuckDB command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb_cli
import duckdb_extension_json
import sling_linux_amd64

base, path, key, database = sys.argv[1:]
SPECIFICATION = {
    "name": "Events",
    "endpoints": {
        "events": {
            "state": {"limit": 100, "offset": 0},
            "request": {
                "url": base + path,
                "method": "GET",
                "rate": 1000,  # requests a second
                "parameters": {
                    "api_key": "${secrets.api_key}",
                    "limit": "${state.limit}",
                    "offset": "${state.offset}",
                },
            },
            "pagination": {
                "next_state": {"offset": "${state.offset + state.limit}"},
                "stop_condition": "length(response.records) < state.limit",
            },
            "response": {"records": {"jmespath": "data[]", "primary_key": ["id"]}},
        }
    },
}
REPLICATION = {
    "source": "API",
    "target": "FILE",
    "defaults": {"mode": "full-refresh", "object": "main.{stream_name}", "primary_key": ["id"]},
    "streams": {"events": None},
}

folder = Path(database).parent
(specification := folder / "events.json").write_text(json.dumps(SPECIFICATION))
(replication := folder / "replication.json").write_text(json.dumps(REPLICATION))
CONNECTIONS = {
    "API": {"type": "api", "spec": f"file://{specification}", "secrets": {"api_key": key}},
    "FILE": {
        "type": "duckdb",
        "instance": database,
        "duckdb_version": "1.5.5",
        "copy_method": "csv_files",
    },
}
(folder / "env.yaml").write_text(json.dumps({"connections": CONNECTIONS}))

(extension,) = Path(duckdb_extension_json.__path__[0]).rglob("*.duckdb_extension")
found = (
    folder / ".duckdb/extensions/v1.5.5/linux_amd64"
)  # where the command line looks: in its HOME
found.mkdir(parents=True)
shutil.copy(extension, found)
(binaries,) = sling_linux_amd64.__path__
environment = {
    **os.environ,
    "DUCKDB_PATH": f"{duckdb_cli.__path__[0]}/duckdb",
    "SLING_HOME_DIR": str(folder),
    "SLING_DISABLE_TELEMETRY": "true",
}
done = subprocess.run(
    [f"{binaries}/bin/sling-linux-amd64", "run", "--replication", replication],
    env=environment,
    check=False,
)
sys.exit(done.returncode)
