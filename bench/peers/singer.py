"""Singer: tap-rest-api-msdk into target-duckdb."""

import json
import subprocess
import sys
from pathlib import Path

base, path, key, database = sys.argv[1:]
TAP = {
    "api_url": base,
    "params": {"api_key": key},
    "pagination_request_style": "simple_offset_paginator",
    "pagination_response_style": "offset",
    "pagination_page_size": 100,
    "pagination_initial_offset": 0,
    "pagination_next_page_param": "offset",
    "pagination_limit_per_page_param": "limit",
    "next_page_token_path": "$",
    "offset_records_jsonpath": "$.data",
    "streams": [
        {"name": "events", "path": path, "records_path": "$.data[*]", "primary_keys": ["id"]}
    ],
}
TARGET = {"path": database, "default_target_schema": "main"}

folder, programs = Path(database).parent, Path(sys.executable).parent
for name, settings in (("tap", TAP), ("target", TARGET)):
    (folder / f"{name}.json").write_text(json.dumps(settings))
tap = subprocess.Popen(
    [programs / "tap-rest-api-msdk", "--config", folder / "tap.json"], stdout=subprocess.PIPE
)
target = subprocess.run(
    [programs / "target-duckdb", "--config", folder / "target.json"], stdin=tap.stdout, check=False
)
sys.exit(tap.wait() or target.returncode)
