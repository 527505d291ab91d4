"""Decode JSON exactly, also such as the standard does not allow."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from contextlib import suppress
from math import isinf
from typing import Any, TypeVar

import msgspec

from event_assets.values.redaction import MASK

T = TypeVar("T")
MAX_DIGITS = 4_000  # more than Python converts is no number
MAX_LEVELS = 200  # of objects and lists that are decoded, if there are too many
ESCAPE = re.compile(
    r"""\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<lone_surrogate>\\u[dD][89a-fA-F][\da-fA-F]{2})
    |\\(?:["\\/bfnrt]|u[\da-fA-F]{4})|(?P<no_escape>\\)""",
    re.VERBOSE | re.ASCII,
)
REPLACEMENTS = {"lone_surrogate": "?", "no_escape": r"\\"}
# Texts, and what is outside of them: guards against scripts, comments, a comma behind the last
# value, and words and numbers, which may be masked.
PARTS = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*(?:"|\Z))
    |\A\s*(?:\)\]\}'?,?|(?:while|for)\s*\([1;]*\);)|/\*.*?(?:\*/|\Z)|//[^\n]*|<!--.*?(?:-->|\Z)|[\0\ufeff]
    |(?<=["\w\]}]),(?=\s*[\]}])|(?P<word>[-+.*\w]+)""",
    re.VERBOSE | re.DOTALL,
)
WORDS = {"none": "null", "undefined": "null", "nan": "null", "true": "true", "false": "false"}
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|-Infinity", re.ASCII)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
DEEP = "0e-20001000"  # a number that stands for what is nested too deeply


class UnreadableRecord(dict[str, Any]):
    """An object of which a part is nested too deeply to be read: that part is its text."""


class _DeepText(str):
    """The text of JSON that is nested too deeply to be read."""


def as_in_json(text: str) -> list[str]:
    """Return a text as it is, and as it may stand in JSON."""
    in_json = (json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    return [*dict.fromkeys((text, *in_json))]


def decode_strictly(content: bytes) -> Any:
    """Decode JSON in UTF-8, numbers of any size exactly.

    Raises:
        ValueError: it is not what the standard allows, or is nested too deeply.
    """
    try:
        return msgspec.json.decode(content.removeprefix(BOM_UTF8))
    except RecursionError as error:
        raise ValueError from error


def decode_stored(text: str | None, kind: type[T]) -> T | None:
    """Decode JSON that a sync has stored; return None where a person made something else of it."""
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode(text or "null", type=kind)
    return None


def decode_leniently(text: str) -> Any:
    """Decode JSON as it is also written: with control characters, comments, NaN, large numbers.

    NaN and infinity become None, and a number of thousands of digits, too large or in another
    notation, its text; one that is masked becomes the mask. An object of which a part is nested too
    deeply becomes an `UnreadableRecord`.

    Raises:
        ValueError: it is no JSON.
    """
    text = ESCAPE.sub(lambda found: REPLACEMENTS.get(found.lastgroup or "", found[0]), text)
    text = text.removeprefix("\ufeff").encode(errors="replace").decode()
    try:
        return _decode_any_depth(text)
    except ValueError:
        return _decode_any_depth(PARTS.sub(_mend, text))


def _mend(found: re.Match[str]) -> str:
    """Return a part of a text that is no JSON as JSON has it; nothing of a comment."""
    word = found["word"] or ""
    if MASK in word:
        return f'"{MASK}"'
    if word[:1] in {*"+-.0123456789"} and not NUMBER.fullmatch(word):
        return json.dumps(word)
    return WORDS.get(word.lower(), word) or found["text"] or ""


def _decode_any_depth(text: str) -> Any:
    try:
        return _decode(text, [])
    except RecursionError:
        return _decode(*_cut(text))


def _decode(text: str, deep: list[_DeepText]) -> Any:
    return json.loads(
        text,
        strict=False,
        parse_int=_to_int,
        parse_float=lambda number: deep.pop(0) if deep and number == DEEP else _to_float(number),
        parse_constant=lambda _: None,
        object_hook=_mark if deep else None,
    )


def _to_int(digits: str) -> int | str:
    return int(digits) if len(digits) < MAX_DIGITS else digits


def _to_float(digits: str) -> float | str:
    number = float(digits)
    return digits if isinf(number) else number


def _cut(text: str) -> tuple[str, list[_DeepText]]:
    """Return a text without what is nested too deeply, and what that is."""
    pieces: list[str] = []
    deep: list[_DeepText] = []
    level = start = 0
    for token in TOKEN.finditer(text):
        before, level = level, level + (token[0] in "[{") - (token[0] in "]}")
        if before == MAX_LEVELS < level:
            pieces.append(text[start : token.start()])
            start = token.start()
        elif level == MAX_LEVELS < before:
            deep.append(_DeepText(text[start : token.end()]))
            pieces.append(DEEP)
            start = token.end()
    return "".join([*pieces, text[start:] if level <= MAX_LEVELS else ""]), deep


def _mark(value: dict[str, Any]) -> dict[str, Any]:
    return UnreadableRecord(value) if any(map(_is_deep, value.values())) else value


def _is_deep(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_deep, value))
    return isinstance(value, (_DeepText, UnreadableRecord))
