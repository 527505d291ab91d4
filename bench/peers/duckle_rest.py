"""duckle: its REST source and its DuckDB sink, upsert by id."""

import sys

import duckle

base, path, key, database = sys.argv[1:]
duckle.src.rest(
    url=f"{base}{path}?api_key={key}&limit=100",
    responsePath="/data",
    paginationType="offset",
    offsetParam="offset",
    pageSize=100,
    totalCountPath="/total",
    maxPages=100_000,
).snk.duckdb(database=database, tableName="events", mode="upsert", conflictColumns="id").run()
