"""A page whose records came before, byte for byte, changes nothing but when they were last seen."""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from requests import JSONDecodeError
from starlette.requests import Request
from starlette.responses import Response

from event_assets import warehouse
from event_assets.config.database_file import syncs_folder
from event_assets.config.source import SourceConfig
from event_assets.extract import known_pages
from event_assets.extract.known_pages import KnownPages
from event_assets.extract.struct_decoder import can_decode
from event_assets.http.response import JsonResponse
from event_assets.sync.known_rows import KnownRows
from event_assets.values.json_structs import to_dicts
from event_assets.warehouse import merge
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, source_of, sync_source, unique
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process
SIZE = 5  # events of a page
Seen = tuple[list[Any], dict[str, list[str]]]  # checks, and the rows of tables
Rows = list[dict[str, Any]]
Paging = tuple[Mapping[str, Any], Callable[[Rows, Mapping[str, str]], Mapping[str, Any]]]
VARYING = ("finished_at", "began_at", "requests", "bytes")  # by how far is read ahead
VALUES = (None, 1, 2**60, 1.5, "text", "7", True, [1, {"a": 2}], {"b": {"c": 1}}, {"b": "d"})


def by_offset(rows: Rows, query: Mapping[str, str]) -> Mapping[str, Any]:
    start = int(query.get("offset", 0))
    return {"facets": [{"n": 1}], "data": rows[start : start + SIZE], "total": len(rows)}


def by_page(rows: Rows, query: Mapping[str, str]) -> Mapping[str, Any]:
    start = SIZE * (int(query.get("page", 1)) - 1)
    return {"request": uuid4().hex, "data": rows[start : start + SIZE]}


def by_cursor(rows: Rows, query: Mapping[str, str]) -> Mapping[str, Any]:
    start = int(query.get("after", "x0")[1:])
    end = f"x{start + SIZE}" if start + SIZE < len(rows) else None
    return {"next": end, "data": rows[start : start + SIZE], "é": {"big": 2**63}}


PAGINGS: dict[str, Paging] = {
    "offset": ({"type": "offset", "limit": SIZE}, by_offset),
    "page": ({"type": "page_number", "base_page": 1, "total_path": None}, by_page),
    "cursor": ({"type": "cursor", "cursor_path": "next", "cursor_param": "after"}, by_cursor),
}


def change(rows: Rows, chance: random.Random) -> None:
    """Change a list as its events change, come and go, and as records are broken and mended."""
    for _ in range(chance.choice([0, 0, 1, 2])):
        at = chance.randrange(len(rows))
        kind = chance.randrange(6)
        if kind == 0:
            rows[at][chance.choice(["x", "name", "new", "é"])] = chance.choice(VALUES)
        elif kind == 1:
            rows.insert(at, events(1, chance.randrange(50))[0])  # or one that is there
        elif kind == 2 and len(rows) > SIZE:
            del rows[at]
        elif kind == 3:
            rows[at]["start_time"] = chance.choice(["soon", "2026-02-01T10:00:00Z", None])
        elif kind == 4:
            rows.append(rows.pop(at))
        else:
            rows[at]["is_off"] = chance.choice([True, False])


def edit(chance: random.Random) -> str:
    """Return a statement of a person who changes the table."""
    some = f"where id = 'e{chance.randrange(30)}'"
    return chance.choice(
        [
            *["select 1"] * 5,
            f"update events.event_data set name = 'mine' {some}",
            f"delete from events.event_data {some}",
            f"insert into events.event_data from events.event_data {some}",
            f"update events.event_data set last_seen_at = null {some}",
            "alter table events.event_data add column if not exists mine integer",
            "alter table events.event_data drop column if exists x",
        ]
    )


def contents(database: warehouse.Database) -> dict[str, list[str]]:
    """Return the rows of all tables, with the times and ids of loads by their order."""
    loads = database.sql("from events.event_data_syncs select load_id, started_at order by all")
    order = {str(value): f"sync {at}" for at, row in enumerate(loads.fetchall()) for value in row}
    found: dict[str, list[str]] = {}
    for (table,) in database.sql("select table_name from duckdb_tables() order by 1").fetchall():
        if table.startswith("_dlt"):
            continue
        rows = database.table(f"events.{table}")
        names = [name for name in sorted(rows.columns) if name not in VARYING]
        found[table] = sorted(
            repr([(name, as_value(row[name], order)) for name in names])
            for row in (dict(zip(rows.columns, one, strict=True)) for one in rows.fetchall())
        )
    return found


def as_value(value: Any, order: Mapping[str, str]) -> Any:
    """Return a value of a table; JSON by its members in order."""
    text = order.get(str(value), str(value))
    if text.startswith("{"):
        return sorted(orjson.loads(text).items(), key=repr)
    return text


def sync(database: Path, project: Project, config: SourceConfig) -> Seen:
    """Sync into a database, and return all that can be seen of it."""
    project.environment.setenv("EVENTS_DUCKDB", str(database))
    sync_source(config)
    checks = [(each.passed, each.description) for each in (complete(config), unique(config))]
    return checks, warehouse.run(contents)


def differences(known: Seen, typed: Seen) -> list[Any]:
    """Return the rows and results that are not the same."""
    found: list[Any] = [] if known[0] == typed[0] else [known[0], typed[0]]
    for table in known[1].keys() | typed[1].keys():
        found += sorted(set(known[1].get(table, [])) ^ set(typed[1].get(table, [])))
    return found


def serve_pages(rows: Rows, paging: Paging) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return Response(orjson.dumps(paging[1](rows, request.query_params)))

    return answer


@pytest.mark.parametrize("kind", PAGINGS)
def test_known_pages_and_structs_leave_what_typed_dictionaries_leave(
    project: Project, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, rows = random.Random(kind), events(23)
    databases = {name: tmp_path / name / "warehouse.duckdb" for name in ("with", "without")}
    with serving(serve_pages(rows, PAGINGS[kind])) as api, ExitStack() as opened:
        for database in databases.values():
            opened.enter_context(replace(project, database=database).kept_open())
        removed = {"removed_when": {"is_off": True}} if kind != "offset" else {}
        document = source(
            api.url, endpoint={"paginator": PAGINGS[kind][0]}, max_rejects="90%", **removed
        )
        config = source_of(document)
        for number in range(8):
            statement = edit(chance) if number else "select 1"
            seen = []
            for name, database in databases.items():
                project.environment.setenv("EVENTS_DUCKDB", str(database))
                warehouse.run(lambda open_one: open_one.execute(statement))  # noqa: B023
                use = can_decode if name == "with" else lambda _: False
                monkeypatch.setattr(known_pages, "can_decode", use)
                if name == "without":
                    for file in syncs_folder().glob("*.pages"):
                        file.unlink()
                seen.append(sync(database, project, config))
            found = differences(*seen)
            assert not found, f"after {statement}, sync {number}: {found}"
            change(rows, chance)


def test_a_sync_in_which_nothing_changed_types_no_record(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, take = list[bool](), KnownRows.take

    def note(known: KnownRows, rows: Sequence[Any]) -> bool:
        taken.append(take(known, rows))
        return taken[-1]

    monkeypatch.setattr(KnownRows, "take", note)
    with serving(paged(events(250))) as api:
        config = source_of(source(api.url))
        sync_source(config)
        pages = len(taken)
        sync_source(config)
    assert taken == [False] * pages + [True] * pages
    assert project.rows("from events.event_data_syncs select distinct rows_read") == [(252,)]


def test_only_ids_and_the_ends_of_a_known_page_are_decoded() -> None:
    rows = [{**event, "venue": {"name": "Hall"}} for event in events(6)]
    body = orjson.dumps({"request": "r2", "data": rows, "total": 6})
    (resource,) = source_of(source("http://127.0.0.1")).resources.values()
    first = JsonResponse(body.replace(b"r2", b"r1"), {})
    KnownPages(resource, ()).prepare(first)
    assert first.json() == {"request": "r1", "data": rows, "total": 6}
    second = JsonResponse(body, {})
    KnownPages(resource, {first.digest or b""}).prepare(second)
    reduced = [*rows[:1], *({"id": row["id"]} for row in rows[1:4]), *rows[4:]]
    assert second.json() == {"request": "r2", "data": reduced, "total": 6}


@pytest.mark.parametrize(
    ("known", "are_hashed"), [((), [True, True, True, False]), ((b"another",), [True] * 4)]
)
def test_a_list_that_is_too_long_to_be_remembered_is_not_hashed(
    known: Sequence[bytes], are_hashed: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MAX_ROWS", 10)
    (resource,) = source_of(source("http://127.0.0.1")).resources.values()
    pages = KnownPages(resource, known)
    select = pages.watch(lambda response: response.json()["data"])
    responses = [JsonResponse(orjson.dumps({"data": events(5)}), {}) for _ in range(4)]
    for response in responses:
        pages.prepare(response)
        assert to_dicts(select(response)) == events(5)
    assert [response.digest is not None for response in responses] == are_hashed


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"",
        b"\xef\xbb\xbf{}",
        b'{"data": {"1": {"id": "e1"}}}',
        b'{"data": [{"id": NaN}]}',
        b'{"other": [{"id": "e1"}]}',
        b'{"data": ' + b"[" * 100_000,
    ],
)
def test_what_has_no_plain_list_is_decoded_as_any_other(body: bytes) -> None:
    (resource,) = source_of(source("http://127.0.0.1")).resources.values()
    first, again = JsonResponse(body, {}), JsonResponse(body, {})
    KnownPages(resource, ()).prepare(first)
    digest = first.digest
    KnownPages(resource, {digest or b""}).prepare(again)
    assert (again.digest, *decoded(again)) == (None, *decoded(first))


def decoded(response: JsonResponse) -> list[Any]:
    """Return the document of a response, if it is one."""
    try:
        return [response.json()]
    except JSONDecodeError:
        return []


@pytest.mark.parametrize("damage", ["lost", "cut", "changed", "a folder"])
def test_without_what_was_remembered_a_sync_is_as_the_first(project: Project, damage: str) -> None:
    with serving(paged(events(120))) as api:
        config = source_of(source(api.url))
        sync_source(config)
        (file,) = syncs_folder().glob("*.pages")
        content = file.read_bytes()
        file.unlink()
        if damage == "a folder":
            file.mkdir()
        elif damage != "lost":
            file.write_bytes(content[:20] if damage == "cut" else bytes(len(content)))
        sync_source(config)
        assert complete(config).passed
        query = "from events.event_data select count(*), count(distinct last_seen_at)"
        assert project.rows(query) == [(120, 1)]


def test_a_row_that_a_person_changes_during_a_sync_heals(project: Project) -> None:
    rows, statements = events(120), list[str]()

    def answer(request: Request) -> Any:
        if statements:
            warehouse.run(lambda database: database.execute(statements.pop()))
        return paged(rows)(request)

    with serving(answer) as api:
        config = source_of(source(api.url))
        sync_source(config)
        statements.append("update events.event_data set name = 'mine' where id = 'e7'")
        sync_source(config)
        assert project.rows("from events.event_data select name where id = 'e7'") == [("Event 7",)]
        assert complete(config).passed


def test_an_event_of_a_known_page_that_comes_again_on_another_is_compared(project: Project) -> None:
    rows = events(300)
    with serving(paged(rows)) as api:
        config = source_of(source(api.url))
        sync_source(config)
        rows[-1] = {**rows[5], "name": "Another"}
        sync_source(config)
        query = "from events.event_data_syncs select conflicting_ids order by sync_number"
        assert project.rows(query) == [(0,), (1,)]
        assert project.rows("from events.event_data select name where id = 'e5'") == [("Event 5",)]


def test_records_that_a_shifted_list_sends_again_are_told_among_structs(project: Project) -> None:
    rows = events(60)

    def answer(request: Request) -> Any:
        start = 10 * int(request.query_params["page"])
        if start == 40 and len(rows) == 60:
            rows[:0] = events(4, 100)
        return {"data": rows[start : start + 10]}

    paginator = {"type": "page_number", "base_page": 0, "total_path": None}
    with serving(answer) as api:
        sync_source(source_of(source(api.url, endpoint={"paginator": paginator})))
    assert len(project.ids()) == 64
    assert [*syncs_folder().glob("*.pages")]  # since no two records had the same id


def test_a_file_does_not_grow_while_nothing_changes(project: Project) -> None:
    with serving(paged(events(500))) as api:
        config = source_of(source(api.url))
        sizes = []
        for _ in range(12):
            sync_source(config)
            sizes.append(sum(f.stat().st_size for f in project.database.parent.rglob("*.pages")))
        assert len({*sizes}) == 1
