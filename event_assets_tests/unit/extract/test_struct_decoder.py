"""Records that have the members of those before are decoded into structs, to the same end."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from event_assets.extract.struct_decoder import StructDecoder, can_decode
from event_assets.http.response import JsonResponse
from event_assets.records.arrow_builder import ArrowTableBuilder, Reject
from event_assets.records.contract import build_contract
from event_assets.values.json_structs import JsonStruct, to_dicts
from event_assets_tests.support.direct_syncs import source_of
from event_assets_tests.support.platforms import events, source

OFFSET = {"type": "offset", "limit": 5}
VALUES = some.one_of(
    some.none(), some.booleans(), some.integers(-(2**70), 2**70), some.floats(), some.text()
)
ANY = some.recursive(
    VALUES,
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(), inner, max_size=2),
    max_leaves=4,
)
NAMES = some.sampled_from(["a", "@type", "a b", "class", "__class__", "attributes", "é", "", "m0"])
TIMES = some.sampled_from(["2026-01-01T10:00:00Z", "soon", None, 5])


def resource(fields: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    document = source("http://127.0.0.1", **{"endpoint": {"paginator": OFFSET}, **changes})
    document["attributes"]["fields"].update(fields or {})
    return source_of(document).resources["event_data"]


def decode(decoder: StructDecoder, document: Any) -> list[Any]:
    response = JsonResponse(json.dumps(document).encode(), {})
    decoder.decode(response)
    return response.json()["data"]  # type: ignore[no-any-return]


def ordered(members: dict[str, Any]) -> some.SearchStrategy[dict[str, Any]]:
    """Draw objects whose members come in the same order each time."""
    drawn = some.fixed_dictionaries(members)
    return drawn.map(lambda values: {name: values[name] for name in members})


@some.composite
def pages(draw: some.DrawFn) -> list[list[Any]]:
    """Draw pages of records that mostly have the same members."""
    names = draw(some.lists(NAMES, unique=True, max_size=4))
    nested = draw(some.lists(NAMES, unique=True, max_size=3))
    objects = ordered(dict.fromkeys(nested, VALUES))
    kinds = {
        name: draw(some.sampled_from([VALUES, ANY, objects, objects | some.none()]))
        for name in names
    }
    usual = ordered({"id": some.text(min_size=1) | some.integers(), "start_time": TIMES, **kinds})
    odd = some.dictionaries(NAMES | some.just("id"), ANY, max_size=3) | VALUES
    record = some.one_of(usual, usual, usual, usual, usual, odd) if draw(some.booleans()) else usual
    return draw(some.lists(some.lists(record, min_size=4, max_size=5), min_size=2, max_size=4))


def build(chunks: Sequence[Sequence[Any]]) -> tuple[list[pa.Table], list[Reject], Any]:
    """Return the tables and rejects of chunks of records, and what the builder has learned."""
    rejects: list[Reject] = []
    builder = ArrowTableBuilder(build_contract(resource()), on_rejects=rejects.extend)
    tables = [builder.build(chunk) for chunk in chunks]
    return tables, rejects, (builder.observed_types, builder.source_paths, builder.widened)


@given(pages())
@settings(max_examples=60)
def test_structs_become_what_dictionaries_become(drawn: list[list[Any]]) -> None:
    decoder = StructDecoder(resource())
    bodies = [JsonResponse(json.dumps({"data": rows, "total": 9}).encode(), {}) for rows in drawn]
    as_dicts = [JsonResponse(one.content, {}).json() for one in bodies]
    for body in bodies:
        decoder.decode(body)
    decoded = [body.json() for body in bodies]
    plain = [{**document, "data": to_dicts(document["data"])} for document in decoded]
    assert repr(plain) == repr(as_dicts)
    structs, dicts = ([one["data"] for one in documents] for documents in (decoded, as_dicts))
    assert repr(build(structs)) == repr(build(dicts))
    assert repr(build([[*chain(*structs)]])) == repr(build([[*chain(*dicts)]]))


def test_the_first_record_and_the_last_two_stay_dictionaries() -> None:
    decoder = StructDecoder(resource())
    decode(decoder, {"data": events(3)})
    rows = decode(decoder, {"data": events(7)})
    assert [isinstance(row, JsonStruct) for row in rows] == [False, *[True] * 4, False, False]
    assert to_dicts(rows) == events(7)


ROW = {"id": 1, "venue": {"name": "Hall", "at": {"lat": 1.5}}, "tags": ["a"], "@id": "b"}


@pytest.mark.parametrize(
    ("change", "is_struct"),
    [
        ({}, True),
        ({"venue": None}, True),
        ({"tags": {"any": "value"}}, True),
        ({"id": "text"}, True),
        ({"id": None}, False),
        ({"id": ""}, False),
        ({"id": 1.5}, False),
        ({"new": 1}, False),
        ({"venue": {"name": "Hall"}}, False),
        ({"venue": "Hall"}, False),
        ({"@id": float("nan")}, False),
    ],
)
def test_a_page_with_other_members_is_decoded_as_any_other(
    change: Mapping[str, Any], is_struct: bool
) -> None:
    decoder = StructDecoder(resource())
    decode(decoder, {"data": [ROW] * 5, "total": 9})
    changed = [ROW, ROW, {**ROW, **change}, ROW, ROW]
    rows = decode(decoder, {"data": changed, "total": 9})
    assert isinstance(rows[2], JsonStruct) == is_struct
    assert to_dicts(rows) == json.loads(json.dumps(changed).replace("NaN", "null"))


def test_another_member_beside_the_records_is_not_lost() -> None:
    decoder = StructDecoder(resource())
    decode(decoder, {"data": events(5)})
    response = JsonResponse(json.dumps({"data": events(5), "next": "/more"}).encode(), {})
    decoder.decode(response)
    assert response.json() == {"data": events(5), "next": "/more"}


def test_a_new_member_is_learned_and_pages_that_differ_all_the_time_are_given_up() -> None:
    decoder = StructDecoder(resource())
    decode(decoder, {"data": events(5)})
    new = [{**event, "new": 1} for event in events(5)]
    assert not any(isinstance(row, JsonStruct) for row in decode(decoder, {"data": new}))
    assert any(isinstance(row, JsonStruct) for row in decode(decoder, {"data": new}))
    for number in range(40):
        decode(decoder, {"data": [{**event, f"new {number}": 1} for event in events(5)]})
    assert decoder.misses < 10


@pytest.mark.parametrize("name", ["venue", "venue.*", "venue.*.name"])
def test_an_object_that_the_contract_reads_stays_a_dictionary(name: str) -> None:
    decoder = StructDecoder(resource({"venue": {"type": "json", "from": name}}))
    decode(decoder, {"data": [ROW] * 5})
    row = decode(decoder, {"data": [ROW] * 5})[2]
    assert isinstance(row, JsonStruct)
    assert row["venue"] == ROW["venue"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"endpoint": {"paginator": {"type": "page_number", "total_path": None}}}, True),
        ({"endpoint": {"paginator": {"type": "json_link", "next_url_path": "next"}}}, False),
        ({"removed_when": {"is_off": True}}, False),
        ({"fields": {"id": {"type": "text", "from": "key.id"}}}, False),
        ({"fields": {"name": {"type": "text", "from": "*.name"}}}, False),
    ],
)
def test_only_lists_whose_records_are_read_by_their_id_are(
    options: dict[str, Any], expected: bool
) -> None:
    assert can_decode(resource(**options)) == expected


@pytest.mark.parametrize("zone", ["place.*.tz", "place.*", "place", "{place.at}"])
def test_a_time_zone_is_read_from_structs_as_from_dictionaries(zone: str) -> None:
    field = {"start_time": {"type": "timestamp", "timezone": zone}}
    place = {"at": {"tz": "Europe/Rome"}, "tz": "Europe/Rome"}
    rows = [{"id": f"e{n}", "start_time": "2026-07-01T10:00:00", "place": place} for n in range(5)]
    own = resource(field)
    decoder = StructDecoder(own)
    decode(decoder, {"data": rows})
    found = decode(decoder, {"data": rows})
    tables = [
        ArrowTableBuilder(build_contract(own)).build(records) for records in (found[1:3], rows[1:3])
    ]
    assert isinstance(found[1], JsonStruct)
    assert tables[0] == tables[1]
