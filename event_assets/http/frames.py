"""Frames of an append-only file: a line of JSON and a compressed body, with a checksum."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

CODEC = "lz4"  # a third of zstd's CPU time
HEAD = struct.Struct("<QI")  # size and checksum of what follows


class Frame(NamedTuple):
    """A frame as it was read."""

    entry: Mapping[str, Any]
    packed: bytes
    end: int  # offset of the next frame

    def unpack(self) -> bytes:
        """Return the body."""
        return bytes(pa.decompress(self.packed, self.entry["size"], CODEC))


def build_frame(entry: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return a frame to append; without the GIL for the most part."""
    line = orjson.dumps({**entry, "size": len(body)})
    content = b"\n".join([line, pa.compress(body, CODEC, asbytes=True)])
    return HEAD.pack(len(content), zlib.crc32(content)) + content


def read_frame(file: FileIO, offset: int) -> Frame | None:
    """Return the frame at an offset; None if it is torn or damaged, or there is none."""
    head = os.pread(file.fileno(), HEAD.size, offset)
    size, checksum = HEAD.unpack(head.ljust(HEAD.size, b"\0"))
    size = min(size, os.fstat(file.fileno()).st_size)  # a damaged size is no reason to allocate it
    content = os.pread(file.fileno(), size, offset + HEAD.size)
    if not content or zlib.crc32(content) != checksum:
        return None
    line, _, packed = content.partition(b"\n")
    return Frame(orjson.loads(line), packed, offset + HEAD.size + size)


def open_private(path: Path) -> FileIO:
    """Open a file to read it and to append to it; create it readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileIO(path, "a+", opener=lambda name, flags: os.open(name, flags, 0o600))
