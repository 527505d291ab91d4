"""Secrets in responses, messages, errors and logs."""

import json
import logging
import random
import subprocess
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from event_assets.values.redaction import SecretRedactor, find_secrets, redact_error, redact_logs
from event_assets_tests.support.secret_forms import ASCII_SECRETS, FORMS

SECRET = "k/ey+of=eight ü"
ASCII = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
PRINTABLE = st.text(ASCII | st.sampled_from("äß€😀 "), min_size=8, max_size=64).map(str.strip)


@settings(max_examples=20)
@given(secret=ASCII_SECRETS | PRINTABLE)
@example(secret=SECRET)
@example(secret="c4n4ry/k3y=+w1th%odd")
@example(secret="before-\\u\u00df")
@example(secret="first\\r\\nsecret\\n")
@example(secret="a1b\\ta\\nn1bb")
@example(secret="a+b&c<'d\"e/\\f")
def test_a_secret_is_masked_in_every_form(secret: str) -> None:
    if len(secret) < 8:
        return
    redactor = SecretRedactor([secret])
    for form, write in FORMS.items():
        masked = redactor.redact_content(f'{{"a":"<{write(secret)}>"}}'.encode()).decode()
        assert "***" in masked, form
        # the characters of base64 at both ends belong to what is beside the secret, too
        longest = 24 if "ase64" not in form and "Basic" not in form else 60
        assert len(masked) < longest, form
        if not form.startswith(("HTML", "JavaScript", "repr")):
            json.loads(masked)
        assert redactor.redact_text(f"<{write(secret)}>") == masked[6:-2], form


def test_a_secret_that_is_split_by_a_raw_line_break_is_masked_in_a_text() -> None:
    assert SecretRedactor(["first-secret"]).redact_text("a first-\n secret") == "a ***"


@settings(max_examples=60)
@given(
    secret=ASCII_SECRETS | PRINTABLE,
    before=st.binary(max_size=5),
    behind=st.binary(max_size=5),
    encode=st.sampled_from((b64encode, urlsafe_b64encode)),
    form=st.sampled_from(("as it is", "JSON, all escaped", "percent-encoded, slashes too")),
)
@example("first-secret", b"", b"", b64encode, "percent-encoded, slashes too")
@example("k-12345678", b"", b"", b64encode, "as it is")
@example("\\0000000", b"\x00\x0c", b"", b64encode, "as it is")
@example('"0000000', b"\x00\x0c", b"", b64encode, "as it is")
@example("0000000\\", b"\x00", b"\\", b64encode, "as it is")
def test_nothing_of_a_secret_stays_in_base64(
    secret: str, before: bytes, behind: bytes, encode: Callable[[bytes], bytes], form: str
) -> None:
    # of `3333...`, which is the same at any offset, a part of the first character may stay
    if len(secret) < 8 or len({*secret}) == 1:
        return
    coded = encode(before + secret.encode() + behind).decode()
    masked = SecretRedactor([secret]).redact_text(FORMS[form](coded))
    # characters of what is beside it alone, of 6 bits each
    left, right = len(before) * 8 // 6, -(-len(before + secret.encode()) * 8 // 6)
    behind_it = coded[right:] if behind else ""
    before_mask, behind_mask = map(FORMS[form], (coded[:left], behind_it))
    if {secret[0], secret[-1]} & {'"', "\\"}:
        # what is beside a character that JSON escapes may look like its backslash, and go with it
        shown = masked.split("***")
        assert before_mask.startswith(shown[0])
        assert behind_mask.endswith(shown[1])
        assert len(shown) == 2
    else:
        assert masked == f"{before_mask}***{behind_mask}"


@given(secret=ASCII_SECRETS, seed=st.integers())
@settings(max_examples=30)
def test_what_holds_no_secret_is_not_changed(secret: str, seed: int) -> None:
    letters = sorted({*secret, *"\\%nu02", " "})
    text = "".join(random.Random(seed).choices(letters, k=400)).replace(secret, "")
    assert SecretRedactor([secret]).redact_content(text.encode()) == text.encode()


@pytest.mark.parametrize(
    "junk", ["\\", "%25", "%5C", "\\n", " ", '"', "a-secret-that-is-lon", "\\u005c"]
)
def test_a_text_that_is_made_to_take_long_does_not(junk: str) -> None:
    secret = "a-secret-that-is-long\\\\%%"
    text = SecretRedactor([secret]).redact_text(f"{secret}{junk * 20_000}{secret[:12]}")
    assert text.startswith("***")
    assert secret not in text


@pytest.mark.parametrize(
    ("secret", "echoed", "shown"),
    [
        ("3F2504E0-4F89-41D3-9A0C-0305E82C3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "***"),
        ("3F2504E0-4F89-41D3-9A0C-0305E82C3301", "3f2504e04f8941d39a0c0305e82c3301", "***"),
        ("d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E", "***"),
        ("Big-City", "big-city", "big-city"),
        ("facade-decade", "FACADE-DECADE", "FACADE-DECADE"),
    ],
)
def test_a_key_of_hexadecimal_digits_is_masked_in_small_and_in_large_letters(
    secret: str, echoed: str, shown: str
) -> None:
    redactor = SecretRedactor([secret])
    assert (
        redactor.redact_content(f'{{"a": "{echoed}"}}'.encode()) == f'{{"a": "{shown}"}}'.encode()
    )


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


@pytest.fixture
def _redacted_logs() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    redact_logs()
    yield
    logging.setLogRecordFactory(factory)


@pytest.mark.usefixtures("_redacted_logs")
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
        "HTTP_PROXY": "http://me:g%2F@host",
        "EVENTS_API_URL": "https://host/v1",
        "ODD": "http://[@",
        "EMPTY_KEY": "",
    }
    assert find_secrets(settings) == ["a", "b", "c", "d", "e", "f", "me:g%2F", "g%2F", "g/"]
    assert find_secrets(None) == []


@pytest.mark.parametrize(
    "proxy", ["http://m/e:p#ss?@host", "m/e:p#ss?@host:80", "http://[m/e:p#ss?@host"]
)
def test_the_password_of_a_proxy_is_found_in_what_is_not_a_url(proxy: str) -> None:
    assert "p#ss?" in find_secrets({"all_proxy": proxy})
    assert find_secrets({"all_proxy": proxy.replace(":p#ss?", "")}) == []


@pytest.mark.usefixtures("_redacted_logs")
def test_logs_are_redacted_once_however_often_it_is_asked_for() -> None:
    factory = logging.getLogRecordFactory()
    redact_logs()
    assert logging.getLogRecordFactory() is factory


def test_the_import_changes_no_logging() -> None:
    code = (
        "import logging; made = logging.getLogRecordFactory(); "
        "import event_assets.values.redaction; assert logging.getLogRecordFactory() is made"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
