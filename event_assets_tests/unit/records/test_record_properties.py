"""Whatever JSON an API sends, a sync ends well, and every record is in the table or the rejects."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from event_assets.config.fields import FieldConfig
from event_assets.records.arrow_builder import ArrowTableBuilder, Reject
from event_assets.records.contract import build_field_readers
from event_assets_tests.support.direct_syncs import sync_default
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

SCALARS = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.integers(min_value=2**62, max_value=2**200)
    | some.floats()
    | some.text(some.characters(exclude_categories=()))
)
NAMES = some.text(some.characters(exclude_categories=()), max_size=8) | some.sampled_from(
    [
        "id",
        "name",
        "start_time",
        "_dlt_load_id",
        "last_seen_at",
        "a",
        "A",
        "a__b",
        "select",
        "d",
        "s",
    ]
)
VALUES = some.recursive(  # small, or Hypothesis finds too many of them too large
    SCALARS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
IDS = some.sampled_from(["1", 1, "2", 3, None, "", 1.5, True]) | some.text(max_size=3)
RECORDS = some.lists(
    some.builds(
        lambda members, id_: {**members, "id": id_},
        some.dictionaries(NAMES, VALUES, max_size=5),
        IDS,
    )
    | VALUES,
    max_size=8,
)


@contextmanager
def raw_api(records: Sequence[Any]) -> Iterator[str]:
    """Serve records as Python writes them: with NaN, half characters and numbers of any size."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {
                name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()
            }
            begin = int(query["offset"])
            page = records[begin : begin + int(query["limit"])]
            body = json.dumps({"data": page, "total": len(records)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def sync_again(project: Project, url: str) -> None:
    """Sync records of the source that the project comes with, whose address differs each time."""
    sync_default(project, url, accepts_new_origin=True)


FIELDS = build_field_readers(
    {
        "id": FieldConfig(type="text", nullable=False),
        "name": FieldConfig(type="text"),
        "start_time": FieldConfig(type="timestamp"),
    }
)


@given(some.lists(RECORDS, min_size=1, max_size=3))
@settings(max_examples=40)
def test_any_records_become_rows_or_rejects(chunks: list[list[Any]]) -> None:
    rejects: list[Reject] = []
    shaper = ArrowTableBuilder(FIELDS, on_rejects=rejects.extend)
    for chunk in chunks:
        before = len(rejects)
        table = shaper.build(json.loads(json.dumps(chunk).replace("\\ud", "\\u1")))
        assert len(table) + len(rejects) - before == len(chunk)
        assert len(set(table.schema.names)) == table.num_columns
    distinct = {reject.id or reject.record for reject in rejects}
    assert sum(shaper.reject_reasons.values()) == len(distinct)


@given(records=RECORDS)
@settings(max_examples=5)  # a second or two each
def test_any_records_can_be_synced(
    project: Project, monkeypatch: pytest.MonkeyPatch, records: list[Any]
) -> None:
    monkeypatch.setattr("event_assets.records.arrow_builder.CHUNK_ROWS", 3)
    monkeypatch.setattr("event_assets.records.arrow_builder.BATCH_ROWS", 6)
    monkeypatch.setenv("DATA_WRITER__BUFFER_MAX_ITEMS", "6")
    project.database.unlink(missing_ok=True)
    enough = [{"id": f"good {i}"} for i in range(20 * len(records) + 1)]
    for mixed in ([*records[::2], *enough], [*enough, *records]):
        with raw_api(mixed) as url:
            sync_again(project, url)
    kept = {*project.ids(), *(row[0] for row in project.rows(REJECTED))}
    expected = {str(id_) for record in records if (id_ := text_id(record)) is not None}
    assert kept - {None} >= expected | {event["id"] for event in enough}
    assert len(project.ids()) == len(set(project.ids()))


REJECTED = "select id from events.event_data_rejects"


def text_id(record: Any) -> str | None:
    if type(record) is not dict or type(record.get("id")) not in (str, int) or record["id"] == "":
        return None
    return str(record["id"])


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = [{"next": value}]
    return value


ODD: dict[str, dict[str, Any]] = {  # their fields differ, so that none changes another's column
    "nan": {"x1": float("nan"), "y1": [float("inf")]},
    "surrogate": {"x2": "half a character: \ud83d", "\udc00": 1},
    "huge": {"x3": 2**200, "y3": [2**200], "z3": -(2**63)},
    "1 MB": {"x4": "long" * 250_000},
    "deep": {"x5": deep(100)},
    "deeper": {"x6": deep(400)},
    "long name": {"x7": {"y" * 5_000: 1}},
    "wide": {f"field {i}": i for i in range(500)},
    "odd names": {"": {"": {"": 1}}, "_dlt_id": "mine", "_dlt_load_id": "mine", "ID": 7},
}


def test_odd_records_are_synced_twice(project: Project) -> None:
    records = [{"id": id_, **record} for id_, record in ODD.items()]
    for _ in range(2):
        with raw_api(records) as url:
            sync_again(project, url)
        assert project.ids() == sorted(ODD)
        assert project.rows("select count(*) from events.event_data_rejects") == [(0,)]


def test_mixed_types_in_one_column_each_keep_a_value(project: Project) -> None:
    values: list[Any] = [1, 2.5, "three", True, None, ["five"], {"six": 6}, 2**70]
    with raw_api([{"id": str(i), "x": value} for i, value in enumerate(values)]) as url:
        sync_again(project, url)
    (columns,) = project.rows("select columns from events.event_data_syncs")
    held = [name for name in json.loads(columns[0]) if name.startswith("x")]
    found = project.rows(f"select {', '.join(held)} from events.event_data order by id")
    assert [any(value is not None for value in row) for row in found] == [
        value is not None for value in values
    ]
