"""Numbers in links and cursors that count pages or rows."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest

from event_assets.pagination.counters import (
    counts,
    find_counters,
    find_left_out,
    find_row_counter,
    leads_further,
)


@pytest.mark.parametrize(
    ("pointer", "pages", "size", "may_count"),
    [
        ("/e?page=7", 1, 20, True),
        ("/e?skip=999", 5, 20, True),
        ("/e?token=1", 1, 20, True),
        ("/e?token=2", 1, 20, True),
        ("/e?token=3", 1, 20, False),
        ("/e?token=18", 1, 20, False),
        ("/e?token=19", 1, 20, True),
        ("/e?token=1000", 1, 20, True),
        ("/e?token=1001", 1, 20, False),
        ("/e?token=19", 2, 20, False),
        ("/e?token=3", 2, 20, True),
        ("2", 1, 20, True),
        ("c2", 1, 20, True),
        ("ab2", 1, 20, False),
        ("ab-2", 1, 20, True),
        ("2-ab", 1, 20, True),
        ("a2b", 1, 20, False),
        ("2ab", 1, 20, False),
        ("/events/page/2", 1, 20, True),
        ("/v2/events/page/2?sort=id", 1, 20, True),
        ("/v2/events", 1, 20, False),
        ("/events/2026", 1, 20, False),
    ],
)
def test_a_number_may_count_pages(pointer: str, pages: int, size: int, may_count: bool) -> None:
    assert counts(find_counters(pointer), [], pages, size) is may_count


@pytest.mark.parametrize(
    ("before", "after", "size", "may_count"),
    [
        ("xyz5abc", "xyz6abc", 20, True),
        ("xyz5abc", "xyz25abc", 20, True),
        ("xyz5abc", "xyz7abc", 20, False),
        ("xyz5abc", "xyw6abc", 20, False),
        ("xyz5abc", "xyz6abd", 20, False),
        ("xyz5abc", "xyz5abc", 0, False),
        ("xyz5abc", "xyz6abc", 0, True),
        ("xyz5abc", "xyz7abc", 0, False),
    ],
)
def test_a_number_may_count_by_its_step(
    before: str, after: str, size: int, may_count: bool
) -> None:
    assert counts(find_counters(after), find_counters(before), 9, size) is may_count


@pytest.mark.parametrize(
    ("pointer", "rows", "base"),
    [
        ("/e?$skip=20", 20, 0),
        ("/e?start=21", 20, 1),
        ("/e?page%5Boffset%5D=20", 20, 0),
        ("/e?offset=22", 20, None),
        ("/e?offset=19", 20, None),
        ("/e?after=20", 20, None),
        ("/e/offset/20", 20, 0),
        ("/e?offset=2", 2, 0),
        ("/e?offset=1", 1, None),  # pages of one row cannot overlap
    ],
)
def test_a_number_counts_rows_by_its_name(pointer: str, rows: int, base: int | None) -> None:
    found = find_row_counter(find_counters(pointer), rows)
    assert (found and found[1]) == base


@pytest.mark.parametrize(
    ("link", "left_out"),
    [
        ("/events?page=2", {"limit", "status", "from"}),
        ("/events/page/2", {"limit", "status", "from"}),
        ("/events/page/2?per_page=20", {"status", "from"}),
        ("/events?skip=20&status[]=on", {"limit", "from"}),
        ("/events?after=20", set()),  # a cursor may stand for all of them
    ],
)
def test_a_link_to_a_numbered_page_may_leave_out_what_was_asked_for(
    link: str, left_out: set[str]
) -> None:
    sent = {"limit": 20, "status": "on", "from": 1_700_000_000, "Page": 1, "offset": "0"}
    assert find_left_out(link, sent).keys() == left_out


@pytest.mark.parametrize("prefix", ["", "/events?limit=20&cursor="])
def test_a_number_in_base64_is_replaced_where_it_stands(prefix: str) -> None:
    token = b64encode(json.dumps({"offset": 20, "of": "events"}).encode()).decode()
    pointer = prefix + (quote(token, safe="") if prefix else token)
    found = find_row_counter(find_counters(pointer + ("&x=1" if prefix else "")), 20)
    assert found
    text = found[0].at(19)
    assert text.startswith(prefix)
    assert text.endswith("&x=1" if prefix else "")
    written = unquote(text.removeprefix(prefix).removesuffix("&x=1"))
    assert json.loads(b64decode(written)) == {"offset": 19, "of": "events"}


def test_a_number_in_base64_at_the_end_of_a_link_is_quoted() -> None:
    token = b64encode(b'{"offset": 20, "q": "a>>>"}').decode()
    assert "+" in token
    found = find_row_counter(find_counters(f"/events?cursor={quote(token, safe='')}"), 20)
    assert found
    assert "+" not in found[0].at(19)


def test_a_number_in_base64_with_a_slash_is_found() -> None:
    token = b64encode(b'{"offset": 20, "q": "a???"}').decode()
    assert "/" in token
    assert find_row_counter(find_counters(token), 20)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "hex": lambda text: text.encode().hex(),
    "base64 in base64": lambda text: b64encode(b64encode(text.encode())).decode(),
    "hex in base64": lambda text: b64encode(text.encode().hex().encode()).decode(),
    "JWT": lambda text: f"eyJhbGciOiJub25lIn0.{b64encode(text.encode()).decode().rstrip('=')}.sig",
}


@pytest.mark.parametrize("prefix", ["", "/events?limit=20&cursor="])
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_a_number_in_another_encoding_is_read_and_never_written(
    prefix: str, encode: Callable[[str], str]
) -> None:
    before, after = (
        find_counters(prefix + quote(encode(f'{{"offset": {rows}}}'), safe="")) for rows in (40, 60)
    )
    assert counts(after, before, 3, 20)
    assert not find_row_counter(after, 60)


def test_what_is_no_base64_is_not_decoded() -> None:
    assert find_row_counter(find_counters("b2Zmc2V0PTIw"), 20)
    assert not find_row_counter(find_counters("b2Zm:c2V0PTIw"), 20)


def test_what_is_no_url_leads_nowhere() -> None:
    assert leads_further("/events?page=2", "http://events.test/events?page=1", 20)
    assert not leads_further("http://[::1?page=2", "http://events.test/events?page=1", 20)
