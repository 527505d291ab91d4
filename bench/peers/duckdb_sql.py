"""DuckDB alone: the list of all pages read as JSON over HTTP, merged by id."""

import sys
from pathlib import Path

import duckdb
import duckdb_extension_httpfs

base, path, key, database = sys.argv[1:]
pages_url = f"{base}{path}?api_key={key}&limit=100"
(extension,) = Path(duckdb_extension_httpfs.__path__[0]).glob("**/httpfs.duckdb_extension")
connection = duckdb.connect(database)
connection.execute(f"load '{extension}'")
connection.execute("set force_download = true")
((total,),) = connection.sql(f"select total from read_json('{pages_url}&offset=0')").fetchall()
pages = [f"{pages_url}&offset={offset}" for offset in range(0, total, 100)]
connection.execute(
    "create temp table page as "
    "select unnest(data, max_depth := 2) from read_json($1, union_by_name := true)",
    [pages],
)
connection.execute("create table if not exists events as from page limit 0")
connection.execute(
    "merge into events using (select distinct on (id) * from page) as new using (id) "
    "when matched then update when not matched then insert"
)
