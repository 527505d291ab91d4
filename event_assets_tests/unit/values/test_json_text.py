"""JSON as APIs send it."""

from typing import Any

import pytest

from event_assets.values.json_text import UnreadableRecord, decode_leniently, decode_strictly

HUGE = "9" * 5_000
SLASHES = {"a": "/* */", "b": "http://c"}


@pytest.mark.parametrize(
    ("content", "document"),
    [
        ('{"a": 18446744073709551616}', {"a": 2**64}),
        ("[-9223372036854775809]", [-(2**63) - 1]),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('{"a": 1.12345678901234567890123}', {"a": 1.1234567890123457}),
        ('{"a": "12345678901234567890123"}', {"a": "12345678901234567890123"}),
        ('\ufeff{"a": "é"}', {"a": "é"}),
    ],
)
def test_what_the_standard_allows_is_decoded_strictly(content: str, document: Any) -> None:
    assert decode_strictly(content.encode()) == document


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('\n\n\ufeff{"a": "\ufeff1"}', {"a": "\ufeff1"}),
        (f'{{"a": {HUGE}}}', {"a": HUGE}),
        ('{"a": "b\nc\td\0e\x1b"}', {"a": "b\nc\td\0e\x1b"}),
        ('{"a": NaN, "b": [-Infinity, "NaN"]}', {"a": None, "b": [None, "NaN"]}),
        ('{"a": 1e400, "b": [-1e400, 1e-400]}', {"a": "1e400", "b": ["-1e400", 0.0]}),
        (
            '{"a": 1***2, "b": [***, -***.5], "c": "x: ***, \\" ***"}',
            {"a": "***", "b": ["***", "***"], "c": 'x: ***, " ***'},
        ),
        (r'"\ud800 \\ud800 \ud83d\ude00 \udc00"', "? \\ud800 😀 ?"),
        (
            r'["a\x41", "it\'s", "\u12", "\ud8", "\\x\"\n"]',
            [r"a\x41", r"it\'s", r"\u12", r"\ud8", '\\x"\n'],
        ),
        ('[1, {"a": ",]",},\n]', [1, {"a": ",]"}]),
        ('/* {***} */ {"a": "/* */", // 1\n"b": "http://c"}<!-- 5 s -->\0', SLASHES),
        (")]}',\n[1]", [1]),
        ("while(1); [1]", [1]),
        ("for (;;);[1]", [1]),
        ("[None, undefined, nan, True, FALSE]", [None, None, None, True, False]),
        ("[007, .5, +5, 0x1F, 2026-05-01]", ["007", ".5", "+5", "0x1F", "2026-05-01"]),
    ],
)
def test_what_is_not_allowed_is_decoded_leniently_and_exactly(text: str, document: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_strictly(text.encode())
    decoded = decode_leniently(text)
    assert decoded == document
    assert repr(decoded) == repr(document)


@pytest.mark.parametrize("ends", ["[]", ("{'x':", "}")], ids=["lists", "objects"])
def test_only_the_record_that_is_nested_too_deeply_is_unreadable(ends: tuple[str, str]) -> None:
    begin, end = ends[0].replace("'", '"'), ends[1]
    deep = f"{begin * 200_000}1{end * 200_000}" if begin != "[" else "[" * 200_000 + "]" * 200_000
    text = f'[{{"id": 1}}, {{"id": 2, "x": {deep}, "y": [NaN]}}, {{"id": 3, "x": "]]]\\"["}}]'
    first, second, third = decode_leniently(text)
    assert isinstance(second, UnreadableRecord)
    assert (second["id"], second["y"]) == (2, [None])
    assert (first, third) == ({"id": 1}, {"id": 3, "x": ']]]"['})
    assert not isinstance(first, UnreadableRecord)
    assert not isinstance(third, UnreadableRecord)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[" * 200_000, '{"a": "b', "<html>", "[,]", "[1,", "{'a': 1}", "f([1]);"),
        *("[1] [2]", "[1 2]", "[new Date(5)]", "Error", "/*" * 200_000, '[/* "', '"\\"' * 9),
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_leniently(text)
