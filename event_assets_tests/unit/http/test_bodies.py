"""The bodies of responses: their encodings, their charsets, and what is not JSON."""

import codecs
import gzip
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from requests import Response
from starlette.requests import Request
from starlette.responses import Response as Answer
from starlette.responses import StreamingResponse

from event_assets.extract.response_check import response_check
from event_assets.http.session import ApiSession
from event_assets.values.errors import ApiError, ContentError
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH, session_for
from event_assets_tests.support.sandbox import Faults, Sandbox
from event_assets_tests.support.waits import Waits


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(status_code=204), "is empty (204 No Content)"),
        (Answer(status_code=304), "is empty (304 Not Modified)"),
        (Answer(" "), "is empty (tried"),
        (Answer("text", 300), "is not JSON (300 Multiple Choices)"),
        (Answer("<html>"), "is not JSON but HTML (tried"),
        (Answer("<?xml version='1.0'?><events/>"), "is not JSON but XML (tried"),
        (Answer('callback({"data": []})'), "is not JSON but JSONP (tried"),
        (Answer('{"id": 1}\n{"id": 2}'), "is not JSON but JSON Lines (tried"),
    ],
)
def test_a_response_without_json_is_named_by_its_status(
    waits: Waits, answer: Answer, problem: str
) -> None:
    with (
        serving(lambda _: answer) as api,
        ApiSession(api.url, check=response_check({})) as session,
        pytest.raises(ContentError, match=re.escape(problem)),
    ):
        session.get(api.url)
    assert waits.seconds == [2, 4, 8]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_json_may_begin_with_a_byte_order_mark(charset: str) -> None:
    body = (
        codecs.BOM_UTF8 + b'{"a": "\xc3\xa9"}'
        if charset == "utf-8"
        else '{"a": "é"}'.encode(charset)
    )
    answer = Answer(body, media_type=f"application/json; charset={charset}")
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        assert session.get(api.url).json() == {"a": "é"}


def test_interim_responses_are_skipped() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n"
    final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + hints + final)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        threads.submit(answer, listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with ApiSession(url) as session:
            response = session.get(url)
    assert (response.status_code, response.json()) == (200, {})
    assert "Link" not in response.headers


@pytest.mark.parametrize("pieces", [1, 40])
def test_a_body_that_is_compressed_and_sent_in_pieces_is_read(pieces: int) -> None:
    body = b'{"data": [' + b"1, " * 30_000 + b"2]}"

    def answer(_: Request) -> Any:
        size = -(-len(body) // pieces)
        return StreamingResponse(body[at : at + size] for at in range(0, len(body), size))

    with serving(answer, compressed=True) as api, ApiSession(api.url) as session:
        response = session.get(api.url)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.content == body


@pytest.mark.parametrize(
    ("is_compressed", "encoding"),
    [
        *((True, None), (False, "gzip"), (False, "UTF-8")),
        *((False, "deflate"), (False, "gzip, deflate")),
    ],
)
def test_what_is_compressed_is_known_by_its_beginning(
    is_compressed: bool, encoding: str | None
) -> None:
    body = b'{"data": [1]}'
    answer = Answer(gzip.compress(body) if is_compressed else body)
    answer.headers.update({"Content-Encoding": encoding} if encoding else {})
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        assert session.get(api.url).content == body


@pytest.mark.parametrize("missing", [0, 8, 200])  # 8: the checksum, at the end
def test_compressed_data_that_are_cut_off_are_told(waits: Waits, missing: int) -> None:
    body = gzip.compress(json.dumps([*range(5000)]).encode())
    answer = Answer(body[: len(body) - missing], headers={"Content-Encoding": "gzip"})
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        if missing <= 8:
            assert session.get(api.url).json() == [*range(5000)]
        else:
            with pytest.raises(ApiError, match="sent a response that is compressed and cut off"):
                session.get(api.url)
            assert waits.seconds == [2, 4, 8]


def test_bytes_that_are_not_utf_8_are_of_windows_1252() -> None:
    answer = Answer('{"a": "Fête à Zürich: 5 €"}'.encode("cp1252"), media_type="application/json")
    with serving(lambda _: answer) as api, ApiSession(api.url) as session:
        assert session.get(api.url).json() == {"a": "Fête à Zürich: 5 €"}


@pytest.mark.usefixtures("waits")
def test_an_incomplete_response_is_retried(api: Sandbox) -> None:
    api.faults = Faults(reset_every=2)
    with session_for(api) as session:
        pages = [session.get(api.url + PATH) for _ in range(2)]
    assert [len(page.json()["data"]) for page in pages] == [100, 100]
    assert len(api.requests) == 3


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("body", [{"data": []}, [1], None])
def test_an_invalid_response_is_retried(api: Sandbox, body: Any) -> None:
    answers = iter([body, {"data": [1]}])
    seen = []

    def check(response: Response) -> str | None:
        seen.append(response)
        return None if next(answers) == {"data": [1]} else "is too short"

    with session_for(api, check=check) as session:
        session.get(api.url + PATH)
    assert len(seen) == len(api.requests) == 2
