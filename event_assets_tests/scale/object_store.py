"""What DuckDB asks of an S3, on loopback: objects in memory, for those who have the key."""

import functools
import re
import socket
from http import HTTPStatus
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from event_assets.sandbox.http_app import BackgroundServer

KEY_ID = "AKIAEXAMPLE"
BUCKET = "lake"


@functools.cache
def object_store() -> str:
    """Start an empty store, once for all tests of a process; return its host and port."""
    objects: dict[str, bytes] = {}

    async def respond(request: Request) -> Response:
        bucket, _, key = request.path_params["path"].partition("/")
        if f"Credential={KEY_ID}/" not in request.headers.get("authorization", ""):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        if bucket != BUCKET:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        if "list-type" in request.query_params:
            return _list(objects, request.query_params.get("prefix", ""))
        if request.method == "PUT":
            objects[key] = await request.body()
            return Response(headers={"ETag": '"1"'})
        if request.method == "POST":  # deletes several
            for name in re.findall("<Key>(.+?)</Key>", (await request.body()).decode()):
                objects.pop(name, None)
            return Response("<DeleteResult></DeleteResult>", media_type="application/xml")
        if request.method == "DELETE":
            objects.pop(key, None)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return _read(objects.get(key), request.headers.get("range"))

    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    listener = socket.create_server(("127.0.0.1", 0))
    routes = [Route("/{path:path}", respond, methods=methods)]
    BackgroundServer(Starlette(routes=routes), listener).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


def _list(objects: dict[str, bytes], prefix: str) -> Response:
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, content in sorted(objects.items())
        if key.startswith(prefix)
    )
    text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    return Response(text, media_type="application/xml")


def _read(content: bytes | None, asked: str | None) -> Response:
    if content is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    headers = {"ETag": '"1"', "Accept-Ranges": "bytes"}
    if asked is None:
        return Response(content, headers=headers)
    first, last = asked.removeprefix("bytes=").split("-")
    part = content[int(first) : int(last or len(content)) + 1]
    headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
    return Response(part, HTTPStatus.PARTIAL_CONTENT, headers)
