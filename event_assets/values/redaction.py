"""Mask secrets in responses, messages, errors and logs."""

from __future__ import annotations

import html
import json
import logging
import re
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from html.entities import html5
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from event_assets.values.errors import EventAssetsError

# A shorter secret may be an ordinary word or number. In records it stays: masking it would change
# data, or make JSON invalid. In text for people it is masked where it stands alone.
MIN_SECRET_LENGTH = 8
MASK = "***"
SECRET_NAME = re.compile(
    "key|token|secret|password|authorization|signature|client_id|webhook", re.IGNORECASE
)
PROXY_NAME = re.compile("_proxy$", re.IGNORECASE)
# Of an address or a configuration. A key is one that looks random.
BETWEEN_WORDS = re.compile(r"[\s/:;,=.?!&'\"`{}]|%3A", re.IGNORECASE)
RANDOM = re.compile(
    r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w-]{16,}|(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{24,}"
)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HEXADECIMAL = re.compile(r"(?=.*\d)[\da-f-]{16,}", re.IGNORECASE)
MAX_ESCAPES = 4  # nested in one another
WHITE_SPACE = b" \t\r\n"
# Literals at their beginning: so they are found ten times as fast.
IN_JSON, LINE_BREAK = re.compile(rb"\\(?:u00|x)([2-7][0-9a-fA-F])"), re.compile(rb"\\[nrt]")
IN_HTML = re.compile(rb"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
# Bounded, and never two ways to read one text: so a search takes no longer than the text is long.
PERCENT = "%(?:25){0,4}"
BACKSLASH = rf"(?:\\|{PERCENT}5[cC])"
BACKSLASHES = f"{BACKSLASH}{{1,16}}"
HASH, SEMICOLON = f"(?:#|{PERCENT}23)", f"(?:;|{PERCENT}3[bB])"
AMPERSAND = f"(?:&|{PERCENT}26)(?:amp{SEMICOLON}){{0,4}}"
# Between two characters of a secret that is split over lines, in a text or in JSON.
BREAK = rf"(?:{BACKSLASHES}(?:[nrt]|u000[9aAdD]|(?=\s))|{PERCENT}0[aAdD]|\s)*"

# A character of base64, which may be escaped.
CODE = r"(?i:2[bdf]|3\d|[46][1-9a-f]|[57][\da]|5f)"
BASE64 = rf"(?:[A-Za-z0-9_+-]|\\{{0,16}}/|{BACKSLASHES}u00{CODE}|{PERCENT}{CODE})"


class Form(NamedTuple):
    """A text that a secret may appear as, and whether a character beside it holds a part of it."""

    text: str
    is_begun: bool = False  # in base64, by the character before
    is_open: bool = False  # in base64, by the character behind, which padding may follow


class SecretRedactor:
    """Masks secrets, in every form in which a server or a library may quote them.

    These are, in any mixture: as it is, escaped as in JSON, URLs, HTML and by `repr`, in digits of
    hexadecimal, in base64, or base64 of base64, at any offset of a text, and split over lines.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The form of a secret by what is in a text without escapes that holds it.
        self._forms: dict[bytes, Form] = {}
        # Of secrets with the escape of a line break, which another may split: without its letter.
        self._split: dict[bytes, Form] = {}
        self._short: frozenset[str] = frozenset()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask another secret from now on, also in other threads, and in all messages."""
        secret = secret.strip().encode(errors="backslashreplace").decode()  # as it is printed
        if self is not KNOWN:
            KNOWN.add(secret)
        # New ones: other threads may be reading these.
        if len(secret) >= MIN_SECRET_LENGTH:
            escaped = quote(secret), quote(secret, safe=""), _in_json(secret), html.escape(secret)
            coded = [form for one in (secret, *escaped) for form in _base64_forms(one)]
            twice = (_base64_forms(form.text) for form in _base64_forms(secret))
            digits = secret.encode().hex()
            plain = {secret, digits, digits.upper()}
            if HEXADECIMAL.fullmatch(secret):  # servers write those in letters of their own
                joined = secret.replace("-", "")
                plain |= {secret.lower(), secret.upper(), joined.lower(), joined.upper()}
            forms = (*map(Form, sorted(plain)), *coded, *chain(*twice))
            needles = {needle: form for form in forms for needle in _needles(form.text)}
            self._forms = {**self._forms, **needles}
            if LINE_BREAK.search(secret.encode()):
                bare = {_without_letters(needle): Form(secret) for needle in _needles(secret)}
                self._split = {**self._split, **bare}
        elif secret:
            self._short |= {secret}

    def redact_content(self, content: bytes, *, lines: bool = False) -> bytes:
        """Return the content of a response without secrets.

        Args:
            lines: whether a secret may be split by line breaks that are not escaped, too.
        """
        found = self._find(content)
        if lines:
            found |= self._find(content.translate(None, WHITE_SPACE))
        if not found:
            return content
        text = content.decode(errors="surrogateescape")
        for form in sorted(found, key=lambda form: (-len(form.text), form)):
            text = re.sub(_pattern(form), MASK, text)
        return text.encode(errors="surrogateescape")

    def redact_text(self, text: str) -> str:
        """Return a text for people without secrets, short ones included."""
        content = self.redact_content(text.encode(errors="surrogatepass"), lines=True)
        text = content.decode(errors="surrogatepass")
        for secret in self._short:
            text = re.sub(rf"(?<!\w){_spellings(secret)}(?!\w)", MASK, text)
        return text

    def find(self, text: str) -> str:
        """Return the longest secret that a text holds; empty if it holds none."""
        found = self._find(text.encode(errors="replace"))
        return max((form.text for form in found), key=len, default="")

    def _find(self, content: bytes) -> set[Form]:
        """Return the forms of secrets that may be in a content: quickly, since few are."""
        forms = self._forms
        plain = _unescape(content) if forms else b""
        found = {forms[needle] for needle in forms if needle in plain}
        if split := self._split:
            bare = _without_letters(plain)
            found |= {split[needle] for needle in split if needle in bare}
        return found


KNOWN = SecretRedactor()  # every secret that this process has read, for messages


def redact_error(error: Exception) -> Exception:
    """Return an error if neither it nor a cause holds a secret; else one with the masked text."""
    text = "".join(traceback.format_exception(error))
    content = text.encode(errors="surrogatepass")
    if KNOWN.redact_content(content, lines=True) == content:  # short secrets may be words of it
        return error
    (*_, last) = traceback.format_exception_only(error)
    return EventAssetsError(KNOWN.redact_text(f"{last}{text}"))


@dataclass(frozen=True)
class RecordFactory:
    """Makes log records without secrets, as another factory makes them."""

    make: Callable[..., logging.LogRecord]

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record, and mask the secrets in its message and traceback."""
        record = self.make(*args, **kwargs)
        with suppress(TypeError, ValueError, KeyError):  # a wrong format, which logging reports
            text = record.getMessage()
            redacted = KNOWN.redact_text(text)
            if redacted != text:
                record.msg, record.args = redacted, ()
        if record.exc_info and record.exc_info[0]:
            text = logging.Formatter().formatException(record.exc_info)
            redacted = KNOWN.redact_text(text)
            if redacted != text:
                record.exc_info, record.exc_text = None, redacted
        return record


def redact_logs() -> None:
    """Mask the secrets, from now on, in what any library of this process logs."""
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, RecordFactory):
        logging.setLogRecordFactory(RecordFactory(factory))


def find_random_words(text: str) -> list[str]:
    """Return the words of an address, or a path, that look random, as keys do."""
    return [*filter(looks_random, BETWEEN_WORDS.split(text))]


def looks_random(text: str) -> bool:
    """Return whether a text looks like a key."""
    return bool(RANDOM.fullmatch(text) and not UUID.fullmatch(text))


def hide_random_words(url: str) -> None:
    """Mask from now on what looks random in the path of a URL, or in a path."""
    for word in find_random_words(re.sub(r"^\w+://[^/]*", "", url)):
        KNOWN.add(word)


def find_secrets(settings: Any) -> list[str]:
    """Return the values of settings with the name of a secret, and the passwords in URLs."""
    found: list[str] = []
    for name, value in settings.items() if isinstance(settings, Mapping) else ():
        if value and SECRET_NAME.search(str(name)):
            found.append(str(value))
        elif isinstance(value, str) and "@" in value and PROXY_NAME.search(str(name)):
            login = value.rpartition("@")[0].rpartition("://")[2]  # also in what is not a URL
            _, has_password, password = login.partition(":")
            found += dict.fromkeys((login, password, unquote(password)) if has_password else ())
        elif isinstance(value, str) and "://" in value and "@" in value:
            with suppress(ValueError):  # not a URL
                password = urlsplit(value).password or ""
                found += dict.fromkeys((password, unquote(password)) if password else ())
    return found


def _base64_forms(secret: str) -> Iterator[Form]:
    """Yield a secret in base64, as Basic authentication sends it, at any offset in a text."""
    for before in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            coded = encode(b"\0" * before + secret.encode()).decode()
            whole, more = divmod((before + len(secret.encode())) * 8, 6)  # made of the secret alone
            yield Form(coded[-(-before * 8 // 6) : whole], before > 0, more > 0)


def _needles(form: str) -> Iterator[bytes]:
    """Yield what may be in a content behind `_unescape` if a form is in it."""
    in_json = _in_json(form)
    in_large = re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda digits: digits[0].upper(), in_json)
    in_bytes = repr(form.encode())[2:-1]
    blank = form.replace(" ", "+"), form.replace("+", " "), "".join(form.split())
    for text in (form, in_json, in_large, in_bytes, html.escape(form), *blank):
        yield _unescape(text.encode())
    yield form.replace("\\", "").encode()  # an escape within it may be split


def _without_letters(content: bytes) -> bytes:
    r"""Return a content without the letters of `\n`, `\r` and `\t`."""
    return content.translate(None, b"nrt")


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _unescape(content: bytes) -> bytes:
    r"""Return a content without its escapes (`%2B`, `\u002b`, `\"`, `&#43;`) and its `\n`."""
    for _ in range(MAX_ESCAPES):
        before = content
        if b"%" in content:
            content = unquote_to_bytes(content)
        if b"\\" in content:
            content = IN_JSON.sub(lambda found: bytes([int(found[1], 16)]), content)
            content = LINE_BREAK.sub(b"", content).translate(None, b"\\")
        if b"&" in content:
            content = IN_HTML.sub(lambda found: _from_html(found[1]), content)
        if content == before:
            break
    return content


def _from_html(name: bytes) -> bytes:
    return html.unescape(f"&{name.decode()};").encode(errors="surrogatepass")


@cache
def _pattern(form: Form) -> str:
    """Return a pattern of a form, with the characters of base64 beside it that hold a part."""
    before = f"(?:{BASE64}{BREAK})?" if form.is_begun else ""
    behind = f"(?:{BREAK}{BASE64}(?:{BREAK}{_spelling('=')}){{0,2}})?" if form.is_open else ""
    return f"{before}{_spellings(form.text)}{behind}"


@cache
def _spellings(text: str) -> str:
    """Return a pattern of a text in which each character may be escaped."""
    return BREAK.join(map(_spelling, re.findall(r"\\+|[^\\]", text)))


@cache
def _spelling(char: str) -> str:
    """Return a pattern of a character, or of backslashes in a row, which may be escaped."""
    if char[0] == "\\":
        in_html = f"{AMPERSAND}(?:{HASH}0{{0,4}}92|{HASH}x0{{0,4}}5c|bsol){SEMICOLON}"
        return rf"(?i:{BACKSLASH}(?:u005c|x5c)?|{in_html})+"
    units, in_bytes = char.encode("utf-16-be", "surrogatepass"), char.encode(errors="surrogatepass")
    code = ord(char)
    names = [name[:-1] for name, text in html5.items() if text == char and name.endswith(";")]
    in_html = "|".join([rf"{HASH}0{{0,4}}{code}", rf"{HASH}x0{{0,4}}{code:x}", *names])
    in_url = "" if char == "%" else "|" + "".join(f"{PERCENT}{byte:02x}" for byte in in_bytes)
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    in_json = "".join(f"{BACKSLASHES}u{pair}" for pair in pairs)
    in_repr = "".join(f"{BACKSLASHES}x{byte:02x}" for byte in in_bytes)
    plain = {"%": PERCENT, " ": "[ +]", "+": "[ +]"}.get(char, re.escape(char))
    before = f"{BACKSLASH}{{0,16}}" if char in "\"'/" else ""
    plain = f"{before}(?:{plain}|(?i:{AMPERSAND}(?:{in_html}){SEMICOLON}{in_url}))"
    return f"(?:{plain}|(?i:{in_json}|{in_repr}))"
