"""The key is nowhere: not in a file, a log, the history, the database, the UI, whatever happens."""

import base64
import gzip
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from string import ascii_letters, digits, punctuation
from typing import Any
from urllib.parse import quote, quote_plus
from urllib.request import Request as Call
from urllib.request import urlopen

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from event_assets.http.journal import CODEC
from event_assets_tests.support.api_server import ApiServer, serving
from event_assets_tests.support.platforms import events, paged, source
from event_assets_tests.support.polling import free_port, until
from event_assets_tests.support.project import BIN, ROOT, Project
from event_assets_tests.support.secret_forms import FORMS

CANARY = "c4n4ry/k3y=+w1th%odd"
TOKEN = "t0k3n/of+the=c4n4ry"  # that the API's own token address hands out
PATH = "/v1/events"
JOURNAL = "select headers, size, body from response"
AUTHS: dict[str, Any] = {
    "query": {"type": "api_key", "name": "ak", "location": "query"},
    "header": {"type": "api_key", "name": "client_id", "location": "header"},
    "bearer": {"type": "bearer"},
    "basic": {"type": "http_basic", "username": "me"},
    "oauth": {"type": "oauth2_client_credentials", "client_id": "me"},
}
RESULT = re.compile(r"src_\w+ (succeeded|failed)")


def echo(request: Request) -> Response:
    """Echo the request in the body and in headers."""
    sent = [*request.query_params.values(), *request.headers.values()]
    row = {**events(1)[0], "sent": sent, "url": str(request.url), "plain": CANARY}
    row["token"] = request.headers.get("authorization", "")
    headers = {"X-Echo": quote(CANARY)}
    return JSONResponse(paged([row])(request), headers=headers)


def refuse(request: Request) -> Response:
    return JSONResponse({"error": f"{request.url} {dict(request.headers)}"}, status_code=401)


def fail(request: Request) -> Response:
    return PlainTextResponse(f"no: {request.url}", status_code=503)


def html(request: Request) -> Response:
    return PlainTextResponse(f"<html>{request.url} {CANARY}</html>", media_type="text/html")


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


CASES = {
    "good": "succeeded",
    "echoed": "succeeded",
    "refused": "failed",
    "redirected": "succeeded",
    "unreachable": "failed",
    "failing": "failed",
    "html": "failed",
}
# Of a key in a header: the others quote only the address.
IN_HEADERS = ("echoed", "refused", "redirected", "unreachable")


def variants(url: str, auth: Any, token_url: str, cases: Iterable[str] = CASES) -> dict[str, Any]:
    """Return a source for each fault."""
    bases = {case: closed_port() if case == "unreachable" else f"{url}/{case}" for case in cases}
    return {f"src_{case}": keyed_source(base, auth, token_url) for case, base in bases.items()}


def keyed_source(url: str, auth: Any, token_url: str) -> dict[str, Any]:
    document = source(url)
    client = document["attributes"]["rest_api"]["client"]
    client["auth"] = {**auth}
    if auth["type"].startswith("oauth2"):
        client["auth"]["access_token_url"] = token_url
    return document


def forms(secret: str) -> Iterator[bytes]:
    """Return the encodings of a secret."""
    for plain in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield plain.encode()
        yield json.dumps(plain)[1:-1].encode()
        yield plain.replace("/", "\\/").encode()
    for shift in range(3):  # at any place in a longer text
        coded = base64.b64encode(b"x" * shift + secret.encode())
        yield coded[4 if shift else 0 : len(coded) // 4 * 4 - 4]


def contents(file: Path) -> Iterator[bytes]:
    """Return the content of a file, decoded where a search for bytes would miss it."""
    raw = file.read_bytes()
    yield raw
    if raw.startswith(b"\x1f\x8b"):
        yield gzip.decompress(raw)
    if raw.startswith(b"SQLite format 3"):
        with sqlite3.connect(file) as database:
            yield "\n".join(database.iterdump()).encode()
            with suppress(sqlite3.OperationalError):  # no journal
                for headers, size, body in database.execute(JOURNAL):
                    yield headers
                    yield pa.decompress(body, size, CODEC, asbytes=True)
    if raw.startswith(b"PAR1"):
        yield str(pq.read_table(file).to_pylist()).encode()
    if raw[8:12] == b"DUCK":
        with duckdb.connect(file) as database:
            for schema, table in database.execute(
                "select schema_name, table_name from duckdb_tables()"
            ).fetchall():
                yield str(database.table(f'"{schema}"."{table}"').fetchall()).encode()


def found(text: bytes) -> list[bytes]:
    return [form for form in {*forms(CANARY), *forms(TOKEN)} if form in text]


def written(secret: str) -> list[str]:
    """Write each form as a text in JSON."""
    direct = [form(secret) for name, form in FORMS.items() if name.startswith("JSON")]
    return [*direct, *(json.dumps(form(secret))[1:-1] for form in FORMS.values())]


def shown(secret: str, text: bytes) -> list[str]:
    """Return the forms of a secret in a text, also where they are split over its lines."""
    joined = re.sub(rb"\\+[nrt]|\s", b"", text)
    return [
        name
        for name, form in FORMS.items()
        if (coded := form(secret).encode()) in text or re.sub(rb"\\+[nrt]|\s", b"", coded) in joined
    ]


@pytest.mark.parametrize("seed", range(int(os.environ.get("KEY_EXAMPLES", "2"))))
def test_a_key_of_any_characters_is_in_no_byte_that_syncs_leave(
    project: Project, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    key = "".join(chance.choices(ascii_letters + digits + punctuation, k=chance.randint(8, 64)))
    kind = chance.choice(["query", "header", "bearer", "basic"])
    texts = written(key)
    rows = [f'{{"id": "f{at}", "name": "<{text}>"}}' for at, text in enumerate(texts)]

    def echoed(request: Request) -> Response:
        page = rows[int(request.query_params["offset"]) :][:20]
        content = f'{{"data": [{", ".join(page)}], "total": {len(rows)}}}'
        headers = {"X-Echo": quote(key), "X-Base64": base64.b64encode(key.encode()).decode()}
        return Response(content, media_type="application/json", headers=headers)

    def cut(request: Request) -> Response:
        if request.query_params["offset"] == "0":
            return echoed(request)
        content = f'{{"error": "{" ".join(texts)} {request.url} {dict(request.headers)}"}}'
        return Response(content, 403, media_type="application/json")

    handlers = {f"/echoed{PATH}": echoed, f"/refused{PATH}": refuse, f"/cut{PATH}": cut}
    with serving(handlers) as api:
        sources = {
            f"src_{case}": keyed_source(f"{api.url}/{case}", AUTHS[kind], "")
            for case in ("echoed", "refused", "cut")
        }
        done = run_all(tmp_path, sources, key)
    said = done.stdout + done.stderr
    told = [line for line in said.decode().splitlines() if RESULT.fullmatch(line)]
    assert told == ["src_echoed succeeded", "src_refused failed", "src_cut failed"]
    names = project.rows("select name from src_echoed.event_data")
    assert len(names) == len(texts)
    assert all("***" in name for (name,) in names)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    places = {"the terminal": [said], **{str(file): list(contents(file)) for file in files}}
    hits = {place: forms for place, all_of in places.items() for text in all_of
            if (forms := shown(key, text))}  # fmt: skip
    assert hits == {}
    assert any(b"src_cut" in str(file).encode() and text.startswith(b'{"data"') for file in files
               for text in contents(file)), "the journal was not read"  # fmt: skip


def test_a_key_in_a_request_is_nowhere_whatever_its_variable_is_called(
    project: Project, tmp_path: Path
) -> None:
    key = "AAHk3ySecretTokenQx81ZzPw"
    rows = events(4)

    def echo_by_link(request: Request) -> Any:
        at = int(request.query_params.get("at", 0))
        row = {**rows[at], "self": str(request.url), "app": request.headers.get("x-app")}
        following = f"{request.url.replace(query='')}?at={at + 1}" if at < 3 else None
        return {"data": [row], "next": following}

    handlers = {f"/echoed/bot123:{key}/events": echo_by_link, f"/refused/{key}/events": refuse}
    handlers["/sent/events"] = echo_by_link
    with serving(handlers) as api:
        sources = {
            "src_echoed": path_source("{{ env.PLATFORM }}", "/events"),
            "src_refused": path_source(f"{api.url}/refused", "{{ env.ORGANIZER }}/events"),
            "src_sent": path_source(f"{api.url}/sent", "events"),
            "src_unreachable": path_source(f"{closed_port()}/bot{{{{ env.BOT }}}}/", "events"),
        }
        sent = sources["src_sent"]["attributes"]["rest_api"]
        sent["client"]["headers"] = {"X-App": "{{ env.APP }}"}
        sent["resources"][0]["endpoint"]["params"] = {"partner": "{{ env.PARTNER }}"}
        platform = f"{api.url}/echoed/bot123:{key}"
        variables = {"PLATFORM": platform, "ORGANIZER": f"/{key}", "BOT": f"123:{key}"}
        variables |= {"APP": key, "PARTNER": key[::-1]}
        done = run_all(tmp_path, sources, **variables)
    said = done.stdout + done.stderr
    told = [line for line in said.decode().splitlines() if RESULT.fullmatch(line)]
    failed = ["src_refused failed", "src_unreachable failed"]
    assert sorted(told) == ["src_echoed succeeded", failed[0], "src_sent succeeded", failed[1]]
    assert len(project.rows("select 1 from src_echoed.event_data")) == len(rows)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    places = {"the terminal": [said], **{str(file): list(contents(file)) for file in files}}
    for one in (key.encode(), key[::-1].encode()):
        assert {place for place, texts in places.items() if one in b"".join(texts)} == set()


def path_source(base_url: str, path: str) -> dict[str, Any]:
    document = source(base_url)
    endpoint = document["attributes"]["rest_api"]["resources"][0]["endpoint"]
    endpoint |= {"path": path, "paginator": {"type": "json_link", "next_url_path": "next"}}
    return document


def graphql(url: str, query: str) -> bytes:
    call = Call(f"{url}/graphql", json.dumps({"query": query}).encode(),
                {"Content-Type": "application/json"})  # fmt: skip
    with urlopen(call, timeout=60) as answer:
        body: bytes = answer.read()
    assert b'"errors"' not in body, body[:500]
    return body


RUNS = (
    "{ runsOrError { ... on Runs { results { runId status runConfigYaml tags { key value } } } } }"
)
LOGS = """{ logsForRun(runId: "%s") { ... on EventConnection { events { __typename
  ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message stack
  causes { message stack } } } ... on MaterializationEvent { metadataEntries { label
  ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
  ... on JsonMetadataEntry { jsonString } } } } } } }"""


@pytest.mark.parametrize("kind", AUTHS)
def test_the_key_is_nowhere(project: Project, tmp_path: Path, kind: str) -> None:
    auth = AUTHS[kind]
    cases = IN_HEADERS if kind in ("header", "bearer", "basic") else CASES
    received: list[str] = []

    def elsewhere(request: Request) -> Any:
        received.append(f"{request.url} {dict(request.headers)}")
        return paged(events(2))(request)

    with serving({PATH: elsewhere}) as other:
        handlers = {
            f"/good{PATH}": paged(events(3)),
            f"/echoed{PATH}": echo,
            f"/refused{PATH}": refuse,
            f"/failing{PATH}": fail,
            f"/redirected{PATH}": lambda request: RedirectResponse(
                f"{other.url}{PATH}?{request.url.query}"
            ),
            f"/html{PATH}": html,
            "/token": lambda _: {"access_token": TOKEN, "expires_in": 60},
        }
        with serving(handlers) as api:
            done = run_all(tmp_path, variants(api.url, auth, f"{api.url}/token", cases))
            assert keyed_requests(api, kind)
    said = done.stdout + done.stderr
    told = [line for line in said.decode().splitlines() if RESULT.fullmatch(line)]
    assert told == [f"src_{case} {CASES[case]}" for case in cases]
    assert not any(found(text.encode()) for text in received), "it followed a redirect"
    places = {"the terminal": [said]}
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    places |= {str(file): list(contents(file)) for file in files}
    assert len(places) > 20
    hits = {
        place: forms for place, texts in places.items() for text in texts
        if (forms := found(text))
    }  # fmt: skip
    assert hits == {}
    assert project.rows("select plain from src_echoed.event_data") == [("***",)]
    if kind == "oauth":
        assert project.rows("select token from src_echoed.event_data") == [("Bearer ***",)]


def keyed_requests(api: ApiServer, kind: str) -> bool:
    """Did the key reach the API at all?"""
    sent = "".join(
        f"{request.url} {dict(request.headers)} {request.state.body!r}" for request in api.requests
    )
    return bool(found(sent.encode()) or (kind == "basic" and "Basic " in sent))


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def run_all(
    folder: Path, sources: dict[str, Any], key: str = CANARY, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run them in a process of its own, with all that can be logged on the terminal."""
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\npython_logs: {python_log_level: DEBUG, "
        "managed_python_loggers: [root]}\n"
    )
    names = ("API_KEY", "API_PASSWORD", "CLIENT_SECRET")
    own = [f"{source.upper()}__{name}" for source in sources for name in names]
    secrets = dict.fromkeys([*names, *own], key)
    environment = {
        **os.environ, **secrets, **variables, "DAGSTER_HOME": str(home),
        "RUNTIME__LOG_LEVEL": "DEBUG", "TMPDIR": str(folder),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "event_assets_tests.faults.canary"],
        input=json.dumps(sources).encode(), cwd=ROOT, env=environment, capture_output=True,
        timeout=240, check=True,
    )  # fmt: skip


def test_the_ui_does_not_show_the_key(project: Project, tmp_path: Path) -> None:
    assert project
    with serving({f"/echoed{PATH}": echo, f"/refused{PATH}": refuse}) as api:
        run_all(tmp_path, variants(api.url, AUTHS["query"], "", ("echoed", "refused")))
    port = free_port()
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path / "dagster"), "API_KEY": CANARY}
    with subprocess.Popen(
        [BIN / "dagster-webserver", "-h", "127.0.0.1", "-p", str(port), "-m",
         "event_assets.definitions"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            until(lambda: is_open(port))
            url = f"http://127.0.0.1:{port}"
            runs = graphql(url, RUNS)
            ids = [run["runId"] for run in json.loads(runs)["data"]["runsOrError"]["results"]]
            logs = [graphql(url, LOGS % run) for run in ids]
        finally:
            server.terminate()
    assert len(ids) == 2
    assert any(b"401 Unauthorized" in log for log in logs)
    assert not any(found(text) for text in [runs, *logs])
