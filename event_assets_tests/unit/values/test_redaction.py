"""Secrets in responses, messages, errors and logs."""

import base64
import html
import json
import logging
import random
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from event_assets.values.redaction import SecretRedactor, find_secrets, redact_error

SECRET = "k/ey+of=eight ü"
ASCII = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
SECRETS = st.text(ASCII, min_size=8, max_size=64)
PRINTABLE = st.text(ASCII | st.sampled_from("äß€😀 "), min_size=8, max_size=64).map(str.strip)


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def upper(text: str) -> str:
    return re.sub(r"(?<=\\u)....", lambda digits: digits[0].upper(), text)


def all_in_json(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def specials_in_json(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else all_in_json(c) for c in text)


def lower_quote(text: str) -> str:
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


def all_quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def in_base64(text: str, around: str = "") -> str:
    return base64.b64encode(f"{around}{text}".encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "JSON": in_json,
    "JSON, all escaped": all_in_json,
    "JSON, all escaped in large letters": lambda secret: upper(all_in_json(secret)),
    "JSON, as .NET and Gson": specials_in_json,
    "JSON, as .NET in large letters": lambda secret: upper(specials_in_json(secret)),
    "JSON, as PHP": lambda secret: in_json(secret).replace("/", "\\/"),
    "JSON in JSON": lambda secret: in_json(in_json(secret)),
    "JSON in JSON, as .NET": lambda secret: in_json(specials_in_json(secret)),
    "repr": lambda secret: repr(secret)[1:-1],
    "repr of bytes": lambda secret: repr(secret.encode())[2:-1],
    "percent-encoded": quote,
    "percent-encoded, slashes too": lambda secret: quote(secret, safe=""),
    "percent-encoded in small letters": lower_quote,
    "percent-encoded, all": all_quoted,
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "HTML": html.escape,
    "base64": in_base64,
    "base64, split by MIME": lambda secret: in_json(
        base64.encodebytes(secret.encode() * 3).decode()
    ),
    "Basic": lambda secret: f"Basic {in_base64(secret, 'user:')}",
    "Basic, in JSON as .NET": lambda secret: specials_in_json(in_base64(secret, "me:")),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(b"u" + secret.encode()).decode(),
    "split over lines": lambda secret: in_json("\n".join(re.findall(r"(?s).{1,5}", secret))),
    "split over lines of Windows": lambda secret: in_json(f"{secret[:4]}\r\n{secret[4:]}"),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=10, deadline=None)
@given(secret=SECRETS | PRINTABLE)
@example(secret=SECRET)
@example(secret="c4n4ry/k3y=+w1th%odd")
def test_a_secret_is_masked_in_every_form(form: str, secret: str) -> None:
    if len(secret) < 8:
        return
    written = FORMS[form](secret)
    redactor = SecretRedactor([secret])
    masked = redactor.redact_content(f'{{"a":"<{written}>"}}'.encode()).decode()
    assert "***" in masked
    # the characters of base64 at both ends belong to what is beside the secret, too
    assert len(masked) < (24 if "ase64" not in form and "Basic" not in form else 60)
    if not form.startswith(("HTML", "repr")):
        json.loads(masked)
    assert redactor.redact_text(f"<{written}>") == masked[6:-2]


def test_a_secret_that_is_split_by_a_raw_line_break_is_masked_in_a_text() -> None:
    assert SecretRedactor(["first-secret"]).redact_text("a first-\n secret") == "a ***"


@given(secret=SECRETS, seed=st.integers())
@settings(max_examples=30, deadline=None)
def test_what_holds_no_secret_is_not_changed(secret: str, seed: int) -> None:
    letters = sorted({*secret, *"\\%nu02", " "})
    text = "".join(random.Random(seed).choices(letters, k=400)).replace(secret, "")
    assert SecretRedactor([secret]).redact_content(text.encode()) == text.encode()


def test_an_error_is_shown_without_the_secret_in_its_cause() -> None:
    SecretRedactor(["a-secret-in-a-cause"])
    try:
        try:
            raise ValueError(b"Bearer a-secret-in-a-cause\n")
        except ValueError as cause:
            raise RuntimeError("failed") from cause
    except RuntimeError as error:
        shown = redact_error(error)
    assert "RuntimeError: failed" in str(shown)
    assert "***" in str(shown)
    assert "a-secret" not in str(shown)
    assert shown.__cause__ is None
    harmless = ValueError("none")
    assert redact_error(harmless) is harmless


def test_a_secret_is_in_no_log_of_any_library(caplog: pytest.LogCaptureFixture) -> None:
    SecretRedactor(["a-secret-in-a-log"])
    log = logging.getLogger("urllib3.connectionpool")
    log.warning('"GET %s HTTP/1.1"', "/v1?key=a-secret%2Din-a-log")
    try:
        raise ValueError("a-secret-in-a-log")
    except ValueError:
        log.exception("failed")
    assert '"GET /v1?key=*** HTTP/1.1"' in caplog.text
    assert "ValueError: ***" in caplog.text
    assert "in-a-log" not in caplog.text


def test_a_short_secret_stays_in_records_and_is_masked_in_text_where_it_stands_alone() -> None:
    redactor = SecretRedactor(["2024"])
    content = b'{"year":2024,"name":"2024 in review"}'
    assert redactor.redact_content(content) == content
    assert redactor.redact_text("at /2024/events: 20240 of year2024, a=2024") == (
        "at /***/events: 20240 of year2024, a=***"
    )


def test_a_secret_that_is_added_later_is_masked_too() -> None:
    redactor = SecretRedactor(["", "first-secret"])
    redactor.add("short")
    redactor.add("second-secret")
    assert redactor.redact_text("first-secret, second-secret, short, \ud800") == (
        "***, ***, ***, \ud800"
    )


def test_secrets_are_found_by_the_names_of_settings_and_in_urls() -> None:
    settings = {
        "EVENTS__API_KEY": "a",
        "CONCERTS__CLIENT_SECRET": "b",
        "API_PASSWORD": "c",
        "CLIENT_ID": "d",
        "ALERT_WEBHOOK_URL": "e",
        "EVENTS_DUCKLAKE_CATALOG": "postgresql://me:f@host/db",
        "EVENTS_API_URL": "https://host/v1",
        "ODD": "http://[@",
        "EMPTY_KEY": "",
    }
    assert find_secrets(settings) == ["a", "b", "c", "d", "e", "f"]
    assert find_secrets(None) == []
