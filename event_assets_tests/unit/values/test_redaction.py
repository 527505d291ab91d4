"""Secrets in responses and messages."""

import base64
import json
from urllib.parse import quote

import pytest

from event_assets.values.redaction import SecretRedactor, find_secrets

SECRET = "k/ey+of=eight ü"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        SECRET.replace("/", "\\/"),
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    redactor = SecretRedactor([SECRET])
    assert redactor.redact_content(f'{{"a":"x{form}y"}}'.encode()) == b'{"a":"x***y"}'
    assert redactor.redact_text(f"x{form}y") == "x***y"


@pytest.mark.parametrize("user", ["", "u", "us"])
def test_a_secret_is_masked_in_base64_at_any_offset(user: str) -> None:
    coded = base64.b64encode(f"{user}{SECRET}".encode()).decode()
    shown = SecretRedactor([SECRET]).redact_text(coded)
    assert "***" in shown
    assert coded[4:-4] not in shown


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
