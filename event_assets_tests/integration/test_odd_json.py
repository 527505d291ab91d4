"""Records and pages that JSON does not allow: the others are loaded, and nothing is changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from event_assets_tests.support.api_server import serving
from event_assets_tests.support.direct_syncs import complete, failed_sync, source_of, sync_source
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.project import Project

pytestmark = pytest.mark.in_process

PATH = "/v1/events"
KEY = "an/odd+key=" + "0123456789"
ODD = {
    "a raw newline": "Fête\nà Zürich",
    "a raw tab and NUL": "a\tb\0c",
    "a secret over two lines": f"{KEY[:9]}\n{KEY[9:]}",
}


def odd_page(request: Request) -> str:
    """Write a page with texts that are not escaped, and with what Python's JSON cannot read."""
    rows: list[dict[str, Any]] = [*events(40)]
    rows += [{"id": name, "name": f"<{name}>"} for name in ODD]
    rows += [{"id": "deep", "deep": "<deep>"}, {"id": "large", "size": "<large>", "nan": "<nan>"}]
    page = json.dumps(paged(rows)(request), ensure_ascii=False)
    for name, text in ODD.items():
        page = page.replace(f"<{name}>", text)
    deep = "[" * 200_000 + "]" * 200_000
    page = page.replace('"<deep>"', deep).replace('"<large>"', "9" * 5_000)
    return page.replace('"<nan>"', "NaN").replace('"e7"', str(2**70))


CHARSETS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with a byte order mark": lambda page: page.encode("utf-8-sig"),
    "UTF-16 with a byte order mark": lambda page: page.encode("utf-16"),
}


@pytest.mark.parametrize("charset", CHARSETS)
def test_only_the_record_that_cannot_be_read_is_rejected(project: Project, charset: str) -> None:
    project.environment.setenv("API_KEY", KEY)
    encode = CHARSETS[charset]

    def answer(request: Request) -> Response:
        return Response(encode(odd_page(request)), media_type="application/json")

    with serving({PATH: answer}) as api:
        config = source_of(source(api.url, client={"auth": {"type": "bearer"}}))
        sync_source(config)
    assert complete(config).passed
    names = dict(project.rows("select id, name from events.event_data where name is not null"))
    assert len(names) == 43
    assert names["a raw newline"] == "Fête\nà Zürich"
    assert names["a raw tab and NUL"] == "a\tb\0c"
    assert names["a secret over two lines"] == "***"
    assert names[str(2**70)] == "Event 7"
    assert project.rows("select size from events.event_data where id = 'large'") == [("9" * 5_000,)]
    ((rejected, reason, record),) = project.rows(
        "select id, reason, record from events.event_data_rejects"
    )
    assert (rejected, reason) == ("deep", "is nested too deeply to be read")
    assert record.count("[") == 200_000


@pytest.mark.usefixtures("project")
def test_ids_that_are_no_ids_are_counted_as_what_they_are() -> None:
    rows = [{**event, "id": at % 2 == 0} for at, event in enumerate(events(300))]
    with serving({PATH: paged(rows)}) as api:
        assert "300 of 300 records" in failed_sync(source_of(source(api.url)))


def test_ids_such_as_7_0_are_whole_numbers(project: Project) -> None:
    rows = [{**event, "id": float(at)} for at, event in enumerate(events(250))]
    with serving({PATH: paged(rows)}) as api:
        config = source_of(source(api.url))
        sync_source(config)
    assert complete(config).passed
    assert project.rows("select min(id), max(id), count(*) from events.event_data") == [
        ("0", "99", 250)
    ]


def test_a_secret_of_digits_may_be_a_number_in_the_records(project: Project) -> None:
    project.environment.setenv("API_KEY", "1234567890")
    rows = [{**event, "client": 1234567890, "of": [1234567890]} for event in events(3)]
    with serving({PATH: paged(rows)}) as api:
        sync_source(source_of(source(api.url, client={"auth": {"type": "bearer"}})))
    assert set(project.rows("select client, of from events.event_data")) == {("***", '["***"]')}
