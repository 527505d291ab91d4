"""Networks and servers that fail in every way: a sync ends well by the retry policy, or plainly.

What fails always is asked four times, with waits of 14 s in all: these cases wait side by side.
"""

import gzip
import json
import signal
import socket
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from dlt.sources.helpers.rest_client.auth import APIKeyAuth
from starlette.requests import Request
from starlette.responses import Response

from event_assets.config.http import HttpLimits
from event_assets.extract.response_check import response_check
from event_assets.http import retry_policy
from event_assets.http.errors import user_message
from event_assets.http.response import MB
from event_assets.http.session import ApiSession
from event_assets.http.window import CAUTIOUS
from event_assets_tests.faults.raw import (
    Raw,
    Say,
    dripping,
    message,
    reset,
    saying,
    self_signed,
    stopping,
    whole,
)
from event_assets_tests.faults.tries import Tries
from event_assets_tests.support.api_server import serving
from event_assets_tests.support.http_sessions import PATH
from event_assets_tests.support.platforms import definitions, events, paged, run, source
from event_assets_tests.support.polling import until
from event_assets_tests.support.project import ROOT, Project, checks, failure
from event_assets_tests.support.sandbox import Faults, Sandbox

KEY = "a-key-that-is-secret"
SHORT = HttpLimits(connect=2, read=1, total=2, megabytes=4)
TIMEOUTS = {"connect": 2, "read": 1, "answer": 2}

PAGE = json.dumps({"data": events(100), "total": 100}).encode()
GOOD = message(PAGE)
HALF = GOOD[: len(GOOD) // 2]
ZIPPED = gzip.compress(PAGE)


def body(text: str | bytes, **headers: str) -> Say:
    return whole(message(text.encode() if isinstance(text, str) else text, headers=headers))


# What an answer is, and what is said when all four are.
ANSWERS: dict[str, tuple[Say, str]] = {
    "reset in the middle of a body": (
        reset(HALF),
        "closed the connection in the middle of a response",
    ),
    "closed in the middle of a body": (
        whole(HALF),
        "closed the connection in the middle of a response",
    ),
    "closed in the middle of a head": (whole(GOOD[:20]), "is empty"),
    "closed without a word": (whole(b""), "closed the connection in the middle of a response"),
    "no HTTP": (whole(b"220 ready\r\n"), "sent no HTTP"),
    "another version of HTTP": (whole(GOOD.replace(b"1.1", b"2.0", 1)), "sent no HTTP"),
    "a head without end": (
        whole(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000),
        "sent a header of more than 65,536 bytes",
    ),
    "a header of 1 MB": (
        whole(b"HTTP/1.1 200 OK\r\nx: " + b"x" * MB + b"\r\n\r\n"),
        "sent a header of more than 65,536 bytes",
    ),
    "200 headers": (
        whole(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n"),
        "sent more than 100 headers",
    ),
    "no word at all": (stopping(b""), "sent nothing for 1 s"),
    "a body that stops and never ends": (stopping(HALF), "sent nothing for 1 s"),
    "a body that drips": (dripping(GOOD, 0.3), "did not send a complete response in 2 s"),
    "a head that drips": (
        dripping(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50, 0.3),
        "did not send a complete response in 2 s",
    ),
    "a chunk beyond all limits": (
        whole(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 15 + b"\r\n{"),
        "closed the connection in the middle of a response",
    ),
    "a chunk of a negative length": (
        whole(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n{"),
        "closed the connection in the middle of a response",
    ),
    "gzip cut short": (body(ZIPPED[:-200], content_encoding="gzip"), "compressed and cut off"),
    "gzip cut off at once": (body(ZIPPED[:11], content_encoding="gzip"), "compressed and cut off"),
    "HTML": (body("<html>Be right back", content_type="text/html"), "is not JSON"),
    "invalid JSON": (body(PAGE[:-5]), "is not JSON"),
    "no body": (body(""), "is empty"),
    "204": (whole(message(b"", "204 No Content")), "is empty (204 No Content)"),
    "a list": (body("[1, 2]"), "has no `data`"),
    "a text": (body('"data"'), "has no `data`"),
    "data missing": (body('{"items": []}'), "has no `data`"),
    "data null": (body('{"data": null}'), "has null under `data`"),
    "data an object": (body('{"data": {"a": 1}}'), "has no list under `data`"),
    "data a text": (body('{"data": "abc"}'), "has no list under `data`"),
    "deeply nested": (body('{"data": ' + "[" * 200_000), "is not JSON"),
}
# These are final at once.
FINAL: dict[str, tuple[Say, str]] = {
    "two lengths": (
        whole(GOOD.replace(b"\r\n", b"\r\ncontent-length: 5\r\n", 1)),
        "sent a response with several lengths",
    ),
    "TLS that answers in plain text": (
        whole(message(b"You speak plain HTTP to an https port.", "400 Bad Request")),
        "begin EVENTS_API_URL with https://",
    ),
    "too large": (body(b" " * (5 * MB)), "sent a response of more than 4 MB"),
    "a length beyond all limits": (
        whole(b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 15 + b"\r\n\r\n{"),
        "sent a response of more than 4 MB",
    ),
    "too large, and no length": (
        whole(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            + (b"%x\r\n" % MB + b" " * MB + b"\r\n") * 5
        ),
        "sent a response of more than 4 MB",
    ),
    "redirects without end": (
        whole(message(b"", "302 Found", headers={"location": PATH})),
        "redirects without end",
    ),
    "a redirect to no URL": (
        whole(message(b"", "302 Found", headers={"location": "ftp://[nowhere"})),
        "redirects to a URL that cannot be reached",
    ),
    "a redirect to another scheme": (
        whole(message(b"", "302 Found", headers={"location": "file:///etc/passwd"})),
        "redirects to a URL that cannot be reached",
    ),
}


def said(url: str, limits: HttpLimits = SHORT) -> str:
    """Ask for a page; give what the user reads when there is none."""
    auth = APIKeyAuth(name="api_key", api_key=KEY, location="query")
    with ApiSession(
        url, auth, check=response_check({"data_selector": "data"}), limits=limits
    ) as session:
        try:
            session.get(url + PATH).raise_for_status()
        except Exception as error:
            return user_message(error) or f"{type(error).__name__}: {error}"
    return "it succeeded"


def judge(sentence: str, expected: str) -> None:
    assert expected in sentence
    assert sentence.startswith("The API at ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert KEY not in sentence
    assert len(sentence) < 250


def all_at_once(urls: dict[str, str]) -> dict[str, str]:
    with ThreadPoolExecutor(len(urls)) as threads:
        return dict(zip(urls, threads.map(said, urls.values()), strict=True))


def serving_all(answers: dict[str, tuple[Say, str]], stack: ExitStack) -> dict[str, Raw]:
    def always(answer: Say) -> Callable[[str, int], Say]:
        return lambda *_: answer

    return {
        fault: stack.enter_context(saying(always(answer))) for fault, (answer, _) in answers.items()
    }


def test_a_persistent_fault_is_tried_four_times_and_reported_in_one_sentence(tries: Tries) -> None:
    with ExitStack() as stack:
        servers = serving_all(ANSWERS, stack)
        sentences = all_at_once({fault: server.url for fault, server in servers.items()})
    for fault, sentence in sentences.items():
        with tries.trying(f"network, always: {fault}"):
            judge(sentence, ANSWERS[fault][1])
            assert "(tried 4 times)" in sentence
            assert len(servers[fault].heard) == 4


def test_a_permanent_fault_is_not_retried(tries: Tries) -> None:
    with ExitStack() as stack:
        servers = serving_all(FINAL, stack)
        sentences = all_at_once({fault: server.url for fault, server in servers.items()})
    for fault, sentence in sentences.items():
        with tries.trying(f"network, final: {fault}"):
            judge(sentence, FINAL[fault][1])
            if "redirect" not in fault:
                assert len(servers[fault].heard) == 1


def test_a_connection_failure_is_reported_in_one_sentence(tries: Tries, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with (
        saying(lambda *_: whole(GOOD), tls=self_signed(tmp_path)) as untrusted,
        serving({PATH: paged(events(1))}) as plain,
    ):
        expected = {
            "connection refused": (refused, "cannot be reached (connection refused)"),
            "DNS failure": ("http://no-such-host.invalid", "cannot be reached"),
            "a certificate that nobody trusts": (untrusted.url, "certificate that is not trusted"),
            "no TLS": (plain.url.replace("http:", "https:"), "does not support TLS"),
        }
        sentences = all_at_once({fault: url for fault, (url, _) in expected.items()})
    for fault, sentence in sentences.items():
        with tries.trying(f"network, always: {fault}"):
            judge(sentence, expected[fault][1])
    assert not untrusted.heard


def test_nothing_is_lost_when_every_page_fails_once(project: Project, tries: Tries) -> None:
    left = list(ANSWERS.items())
    rows = events(99 * len(left) + 50)
    failed: dict[int, str] = {}

    def answer(head: str, _: int) -> Say:
        query = parse_qs(urlsplit(head.split()[1]).query)
        offset = int(query["offset"][0])
        if offset not in failed and left:
            failed[offset], (bad, _said) = left.pop(0)
            return bad
        page = {"data": rows[offset : offset + 100], "total": len(rows)}
        return whole(message(json.dumps(page).encode()))

    with saying(answer) as api:
        loaded = definitions({"events": source(api.url, timeouts=TIMEOUTS)})
        result = run(project, loaded)
    for fault in ANSWERS:
        with tries.trying(f"network, once: {fault}") as this:
            assert result.success, failure(result)
            assert fault in failed.values()
            ids = project.ids()
            this.lost = len({event["id"] for event in rows} - {*ids})
            this.doubled = len(ids) - len({*ids})
    assert checks(result)["complete"].passed


def test_a_failed_sync_leaves_the_table_unchanged(project: Project, tries: Tries) -> None:
    with Sandbox(events(350), key=KEY) as api:
        project.sync(url=api.url, key=KEY)
        before = project.rows("from events.event_data order by id")
        api.replace(events(320, first=10))
        for name, spoiled in {
            "HTML": Faults(html_every=1),
            "invalid JSON": Faults(broken_json_every=1),
            "data null": Faults(null_data_every=1),
            "closed in the middle of a body": Faults(reset_every=1),
        }.items():
            with tries.trying(f"network, a sync of an API that always fails: {name}"):
                with pytest.MonkeyPatch.context() as hurry:
                    hurry.setattr(retry_policy, "BACKOFF_FACTOR", 0.01)
                    api.faults = spoiled
                    result = project.sync(url=api.url, key=KEY)
                judge(failure(result), "(tried 4 times)")
                assert project.rows("from events.event_data order by id") == before
        api.faults = Faults()
        assert project.sync(url=api.url, key=KEY).success
        current = project.rows("select count(*) from events.current_events")
    assert len(before) == 350
    assert current == [(320,)]


@pytest.mark.parametrize("times", [1, 2], ids=["a bomb", "a bomb in a bomb"])
def test_a_gzip_bomb_takes_no_memory(tries: Tries, times: int) -> None:
    bomb = b"".join(zeros(500 * MB))
    for _ in range(times - 1):
        bomb = gzip.compress(bomb)
    with (
        tries.trying("network, final: a gzip bomb of 500 MB"),
        saying(lambda *_: body(bomb, content_encoding=", ".join(["gzip"] * times))) as api,
    ):
        tracemalloc.start()
        sentence = said(api.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        judge(sentence, "sent a response of more than 4 MB")
        assert peak < 40 * MB


def zeros(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for _ in range(size // MB):
        yield packer.compress(b"0" * MB)
    yield packer.flush()


def test_a_record_of_10_megabytes_is_loaded(project: Project, tries: Tries) -> None:
    text = "ü" * (5 * MB)
    rows = [*events(3), {"id": "big", "name": text}]
    with tries.trying("network: a record of 10 MB") as this, serving({PATH: paged(rows)}) as api:
        result = run(project, definitions({"events": source(api.url)}), derived=True)
        assert result.success, failure(result)
        found = project.rows("select name from events.event_data where id = 'big'")
        this.lost = int(found != [(text,)])


def test_the_limits_in_the_yaml_are_enforced(project: Project) -> None:
    with saying(lambda *_: body(b" " * (2 * MB))) as api:
        document = source(api.url, timeouts=TIMEOUTS, max_answer_mb=1)
        result = run(project, definitions({"events": document}))
    judge(failure(result), "sent a response of more than 1 MB; request fewer records at a time, or")


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", "cp1252", "utf-8"])
def test_the_declared_charset_is_decoded(project: Project, tries: Tries, charset: str) -> None:
    rows = [{"id": "e1", "name": "Fête à Zürich"}]

    def answer(request: Request) -> Response:
        page = json.dumps(paged(rows)(request), ensure_ascii=False)
        kind = f"application/json; charset={charset}"
        return Response(page.encode(charset), headers={"content-type": kind})

    with (
        tries.trying("network: a charset other than UTF-8") as this,
        serving({PATH: answer}) as api,
    ):
        result = run(project, definitions({"events": source(api.url)}))
        assert result.success, failure(result)
        found = project.rows("select name from events.event_data")
        this.lost = int(found != [("Fête à Zürich",)])


def test_a_redirect_to_another_host_does_not_send_the_key(tries: Tries) -> None:
    for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
        with (
            tries.trying("network: a redirect to another host"),
            saying(lambda *_: whole(GOOD)) as other,
            saying(
                lambda *_, to=other, s=status: whole(
                    message(b"", s, headers={"location": to.url + PATH})
                )
            ) as api,
        ):
            assert said(api.url) == "it succeeded"
            assert KEY in api.heard[0][1]
            assert KEY not in other.heard[0][1]


def interrupted(
    project: Project, folder: Path, answer: Callable[[str, int], Say], requests: int
) -> tuple[int, list[str]]:
    """Interrupt a sync once it has sent so many requests; return its status and its output."""
    with saying(answer) as silent:
        project.connect_to(silent.url)
        command = [sys.executable, "-m", "event_assets"]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as sync:
            try:
                until(lambda: len(silent.heard) == requests)
                sync.send_signal(signal.SIGINT)
                said, _ = sync.communicate(timeout=45)  # an answer may take 60 seconds
            finally:
                sync.kill()
    assert len(silent.heard) == requests
    return sync.returncode, said.splitlines()


def never(*_: object) -> Say:
    return stopping(HALF)


def five_pages(head: str, _: int) -> Say:
    offset = int(parse_qs(urlsplit(head.split()[1]).query)["offset"][0])
    page = {"data": events(100, first=offset), "total": 5000}
    return stopping(HALF) if offset > 400 else whole(message(json.dumps(page).encode()))


@pytest.mark.parametrize(
    ("answer", "requests"), [(never, 1), (five_pages, 1 + CAUTIOUS)], ids=["one", "read ahead"]
)
def test_an_interrupted_sync_waits_for_no_response(
    project: Project, answer: Callable[[str, int], Say], requests: int
) -> None:
    said = ["Syncing events ...", "Interrupted."]
    assert interrupted(project, ROOT, answer, requests) == (130, said)


def test_an_interrupt_starts_no_other_account(project: Project, clone: Path) -> None:
    settings = clone / "event_assets/defs/events/defs.yaml"
    accounts = "attributes:\n  accounts: [berlin, paris]\n"
    settings.write_text(settings.read_text().replace("attributes:\n", accounts, 1))
    said = ["Syncing events ...", "Interrupted."]
    assert interrupted(project, clone, never, 1) == (130, said)
