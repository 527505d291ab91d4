"""The contract's fields: where they are in a record, and their types."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from event_assets.config.fields import FieldConfig, field_problems
from event_assets.records.contract import build_field_readers
from event_assets.values.conversion import to_json
from event_assets.values.json_text import UnreadableRecord

TIME = datetime(2026, 5, 1, 18, 30, tzinfo=UTC)


def read(record: dict[str, Any], **contract: Any) -> Any:
    field = FieldConfig.model_validate({"type": "text", **contract})
    reader = build_field_readers({"x": field})["x"]
    values = reader.read([record])
    return reader.to_arrow(values, [record]).to_pylist()[0]


def ids(*values: Any, key: str | list[str] = "id") -> list[Any]:
    records = [value if isinstance(value, dict) else {"id": value} for value in values]
    reader = build_field_readers({"id": FieldConfig(type="text")}, key)["id"]
    made: list[Any] = reader.to_arrow(reader.read(records), records).to_pylist()
    return made


def test_a_record_that_is_unreadable_in_part_has_its_id_beside_one_that_is_no_object() -> None:
    reader = build_field_readers({"id": FieldConfig(type="text")})["id"]
    assert reader.read([UnreadableRecord(id="a"), 1, {"id": "b"}]) == ["a", None, "b"]


@pytest.mark.parametrize(
    ("source", "record"),
    [
        (None, {"x": "here"}),
        ("a.b.c", {"a": {"b": {"c": "here"}}}),
        ("entries.0.name", {"entries": [{"name": "here"}]}),
        (["name.en", "name.de"], {"name": {"de": "here"}}),
        (["name.en", "name.de", "name.*"], {"name": {"fr": None, "ja": "here"}}),
        (["name.en", "name"], {"name": "here"}),
        (["{a}{b}", "c"], {"a": "x", "c": "here"}),
        (["{a}{b}", "c"], {"a": "x", "b": {"no": "part"}, "c": "here"}),
        (["a", "c"], {"a": "", "c": "here"}),
        ("{a.b}{c}", {"a": {"b": "he"}, "c": "re"}),
        ("names.*", {"names": [None, "here"]}),
    ],
)
def test_a_field_is_found_where_the_contract_says(source: Any, record: dict[str, Any]) -> None:
    assert read(record, **{"from": source}) == "here"


def test_a_field_may_name_a_path_more_than_once() -> None:
    field = FieldConfig.model_validate({"type": "text", "from": ["{day} {time}", "{day} 00:00"]})
    assert build_field_readers({"x": field})["x"].source_paths == ["day", "time"]


@pytest.mark.parametrize("record", [{}, {"a": None}, {"a": {}}, {"a": "x"}, {"a": [1]}])
def test_a_field_that_is_not_there_is_null(record: dict[str, Any]) -> None:
    assert read(record, **{"from": "a.b"}) is None
    assert read(record, **{"from": "{a.b}T{a.c}"}) is None


@pytest.mark.parametrize(
    ("contract", "record"),
    [
        ({"from": "dates.start.dateTime"}, {"dates": {"start": {"dateTime": "2026-05-01T18:30Z"}}}),
        (
            {"from": "{startDate.date}T{startDate.time}", "timezone": "startDate.tz"},
            {"startDate": {"date": "2026-05-01", "time": "20:30:00", "tz": "Europe/Berlin"}},
        ),
        ({"from": "local", "timezone": "Europe/Berlin"}, {"local": "2026-05-01T20:30"}),
        ({"from": "starts", "format": "epoch_s"}, {"starts": 1777660200}),
        ({"from": "starts", "format": "epoch_ms"}, {"starts": 1777660200000}),
    ],
)
def test_vendors_say_a_time_in_many_ways(contract: Any, record: dict[str, Any]) -> None:
    assert read(record, type="timestamp", **contract) == TIME


@pytest.mark.parametrize("clock", ["TBA", "tbc", "TBD"])
def test_a_time_of_day_that_is_yet_to_be_said_leaves_the_next_choice(clock: str) -> None:
    record = {"day": "2026-05-01", "clock": clock, "doors": "2026-05-01T18:30Z"}
    source = ["{day}T{clock}", "doors"]
    assert read(record, type="timestamp", **{"from": source}) == TIME
    assert read(record, type="text", **{"from": source}) == f"2026-05-01T{clock}"
    alone = FieldConfig.model_validate({"type": "timestamp", "from": source[0]})
    values = build_field_readers({"x": alone})["x"].read([record])
    assert [*values] == [f"2026-05-01T{clock}"]  # and is a reject, with this value


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", 7, "7"),
        ("text", True, "true"),
        ("text", "", ""),
        ("text", {"en": "x"}, None),
        ("text", ["x"], None),
        ("bigint", 7, 7),
        ("bigint", "7", 7),
        ("bigint", 7.0, 7),
        ("bigint", 7.5, None),
        ("bigint", True, None),
        ("bigint", 2**63, None),
        ("bigint", "", None),
        ("bigint", "1_000", None),
        ("double", 7, 7.0),
        ("double", "7.5", 7.5),
        ("double", "nan", None),
        ("double", 10**400, None),
        ("bool", True, True),
        ("bool", "False", False),
        ("bool", 1, True),
        ("bool", "yes", None),
        ("date", "2026-05-01", date(2026, 5, 1)),
        ("date", "2026-05-01T23:00:00-05:00", date(2026, 5, 1)),
        ("date", "2026-02-30", None),
        ("json", {"a": [1]}, '{"a":[1]}'),
        ("timestamp", "", None),
    ],
)
def test_values_become_the_contracts_type_or_null(kind: str, value: Any, expected: Any) -> None:
    assert read({"x": value}, type=kind) == expected


def test_an_id_is_text_and_7_is_the_same_as_its_text() -> None:
    assert ids(7, "7", "a", None, "") == ["7", "7", "a", None, None]


def test_a_whole_number_is_the_same_id_however_it_is_written() -> None:
    assert ids(7, 7.0, 2.0**53 - 1, -0.0) == ["7", "7", str(2**53 - 1), "0"]
    assert ids({"a": 7.0, "b": "x"}, {"a": 7.5, "b": "x"}, key=["a", "b"]) == ["7:x", None]


@pytest.mark.parametrize("value", [7.5, 2.0**53, -(2.0**53), 1e21, True, [], {"a": 1}])
def test_what_cannot_tell_events_apart_is_no_id(value: Any) -> None:
    assert ids({"id": value}) == [None]


def test_the_id_is_the_apis_primary_key() -> None:
    assert ids({"slug": "a", "id": 7}, key="slug") == ["a"]
    assert ids({"series": 1, "number": 2}, key=["series", "number"]) == ["1:2"]
    assert ids(
        {"a": "x:y", "b": "z"}, {"a": "x", "b": "y:z"}, {"a": [1], "b": 1}, key=["a", "b"]
    ) == ["x\\:y:z", "x:y\\:z", None]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "is missing"),
        ("soon", "is not a timestamp"),
        (1777660200, "is a number: set `format: epoch_s` or `format: epoch_ms`"),
    ],
)
def test_what_is_wrong_is_said_in_words(value: Any, problem: str) -> None:
    reader = build_field_readers({"start_time": FieldConfig(type="timestamp")})["start_time"]
    assert reader.error(value) == problem


def test_an_unknown_zone_is_said_to_be_one() -> None:
    field = FieldConfig.model_validate({"type": "timestamp", "timezone": "tz"})
    reader = build_field_readers({"start_time": field})["start_time"]
    assert (
        reader.error("2026-05-01T18:30:00")
        == "is a local time, and its time zone is missing or unknown"
    )


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ({"type": "text", "format": "epoch_s"}, "`format` is for `type: timestamp` only"),
        ({"type": "text", "timezone": "UTC"}, "`timezone` is for `type: timestamp` only"),
        ({"type": "timestamp", "format": "epoch"}, "`format` must be epoch_s, epoch_ms or"),
        ({"type": "timestamp", "timezone": "Europe/Berlni"}, "neither a known zone nor a path"),
        ({"type": "timestamp", "timezone": "CEST"}, "neither a known zone nor a path"),
        ({"type": "timestamp", "timezone": "+25:00"}, "neither a known zone nor a path"),
        ({"type": "text", "from": "{a}T{b"}, "`from` must be a path like a.b or a.0, a list, or a"),
        ({"type": "text", "from": "{a!r}"}, "`from` must be a path like a.b or a.0, a list, or a"),
        ({"type": "text", "from": []}, "`from` must be a path like a.b or a.0, a list, or a"),
        ({"type": "text", "form": "x"}, "Allowed: description, format, from, html, nullable"),
    ],
)
def test_a_contract_that_cannot_work_is_refused(contract: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FieldConfig.model_validate(contract)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("startTime", "id"), "`startTime` cannot be a column name: write `start_time`"),
        (("_dlt_id", "id"), "`_dlt_id` cannot be a column name: write `id`"),
        (("name",), "`id` is missing: the table merges on it"),
        (("id", "start_time"), ""),
        (("id", "d"), "`d` is reserved: choose another name"),
        (("id", "last_seen_at"), "`last_seen_at` is reserved: choose another name"),
    ],
)
def test_the_contracts_names_must_be_columns(names: tuple[str, ...], said: str) -> None:
    found = field_problems({name: FieldConfig(type="text") for name in names})
    assert "".join(problem for _, problem in found) == said


def test_a_local_time_takes_the_first_zone_that_is_there() -> None:
    contract = {"from": "t", "timezone": ["venue.tz", "tz", "Europe/Berlin"]}
    for record in ({"venue": {"tz": "UTC+2"}}, {"tz": "+02:00"}, {"tz": None}, {}):
        assert read({"t": "2026-05-01T20:30", **record}, type="timestamp", **contract) == TIME


def test_a_local_time_whose_zone_is_not_there_is_none() -> None:
    contract = {"from": "t", "timezone": "tz"}
    assert read({"t": "2026-05-01T20:30"}, type="timestamp", **contract) is None
    assert read({"t": "2026-05-01T18:30Z"}, type="timestamp", **contract) == TIME


def test_json_takes_numbers_of_any_size_and_any_depth() -> None:
    assert to_json([2**70]) == "[1180591620717411303424]"
    deep: Any = 1
    for _ in range(400):
        deep = [deep]
    assert to_json(deep) == "[" * 400 + "1" + "]" * 400
    for _ in range(200_000):
        deep = [deep]
    assert "too deeply" in to_json(deep)


@pytest.mark.parametrize(
    ("record", "end"),
    [
        ({"day": "2026-05-01", "from": "22:00", "to": "02:30"}, "2026-05-02T00:30Z"),
        ({"day": "2026-05-01", "from": "18:00", "to": "21:00"}, "2026-05-01T19:00Z"),
        ({"day": "2026-05-01", "from": "18:00", "to": None}, None),
        ({"day": "2026-05-01", "from": None, "to": "21:00"}, "2026-05-01T19:00Z"),
        # The clocks are put forward in this night.
        ({"day": "2026-03-28", "from": "22:00", "to": "04:00"}, "2026-03-29T02:00Z"),
        ({"day": "2026-05-01", "from": "22:00", "to": "02:30", "end": "2026-04-01"}, None),
    ],
)
def test_an_end_by_its_time_of_day_is_after_the_start(record: dict[str, Any], end: Any) -> None:
    templates = {"start_time": "{day}T{from}", "end_time": "{day}T{to}"}
    if "end" in record:  # an end that is more than a day too early is one of the API
        templates["end_time"], end = "{end}T{to}", "2026-04-01T00:30Z"
    fields = {
        name: FieldConfig.model_validate(
            {"type": "timestamp", "from": source, "timezone": "Europe/Berlin"}
        )
        for name, source in templates.items()
    }
    reader = build_field_readers(fields)["end_time"]
    found = reader.to_arrow(reader.read([record]), [record]).to_pylist()
    assert found == [end and datetime.fromisoformat(end)]


@pytest.mark.parametrize(
    ("record", "end"),
    [
        ({"at": "2026-05-01T18:30Z", "minutes": 90}, "2026-05-01T20:00Z"),
        ({"at": "2026-05-01T18:30Z", "minutes": "7.5"}, "2026-05-01T18:37:30Z"),
        ({"at": "2026-05-01T20:30", "minutes": 90}, "2026-05-01T20:00Z"),  # local
        ({"at": "2026-05-01T18:30Z", "minutes": None}, None),
        ({"at": None, "minutes": 90}, None),
        ({"at": "2026-05-01T18:30Z", "minutes": "some"}, None),
        ({"at": "2026-05-01T18:30Z", "minutes": 10**30}, None),
        (
            {"end": "2026-05-01T19:30Z", "at": "2026-05-01T18:30Z", "minutes": 90},
            "2026-05-01T19:30Z",
        ),
    ],
)
def test_an_end_is_a_start_and_a_duration(record: dict[str, Any], end: Any) -> None:
    contract = {"from": ["end", "{at}/PT{minutes}M"], "timezone": "Europe/Berlin"}
    assert read(record, type="timestamp", **contract) == (end and datetime.fromisoformat(end))


@pytest.mark.parametrize(
    ("duration", "minutes"),
    [
        ("PT1H30M", 90),
        ("P1DT30M", 24 * 60 + 30),
        ("PT5400S", 90),
        ("PT01:30", 90),
        ("PT01:30:00", 90),
        ("PT30", None),
        ("P", None),
        ("P1M", None),  # of 28 to 31 days
        ("P36525D", 36_525 * 24 * 60),
        ("P36526D", None),
        ("P999999999D", None),
        ("-PT1H", None),
    ],
)
def test_durations_are_written_as_in_iso_8601(duration: str, minutes: int | None) -> None:
    found = read(
        {"at": 1777660200, "for": duration},
        type="timestamp",
        **{"from": "{at}/{for}"},
        format="epoch_s",
    )
    assert found == (None if minutes is None else TIME + timedelta(minutes=minutes))
