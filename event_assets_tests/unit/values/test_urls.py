"""Addresses of APIs, and how they are shown."""

import pytest

from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import find_address_problem, redact_url

WRONG = "must be a URL such as https://api.example.com"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("127.0.0.1:8000", WRONG),
        ("example.org/v1", WRONG),
        ("htp://me:pw@example.org/v1?key=k", f"{WRONG}, not `htp://example.org`"),
        ("http:/example.org", WRONG),
        ("http:///v1", f"{WRONG}, not `http://`"),
        ("http://%zz/v1", f"{WRONG}, not `http://%zz`"),
        ("http://*.example.org", f"{WRONG}, not `http://*.example.org`"),
        ("http://example..org", f"{WRONG}, not `http://example..org`"),
        ("http://127.0.0.1:99999", "must have a port from 1 to 65535 behind the host, or none"),
        ("http://127.0.0.1:0", "must have a port from 1 to 65535 behind the host, or none"),
        ("http://example.org:port", "must have a port from 1 to 65535 behind the host, or none"),
        ("http://::1:8000", "must have an IPv6 address in brackets, as in http://[::1]:8000"),
        ("http://[::1:8000", "must have an IPv6 address in brackets, as in http://[::1]:8000"),
        ("http://::1]:8000", "must have an IPv6 address in brackets, as in http://[::1]:8000"),
        ("http://[abc]:8000", "must have an IPv6 address in brackets, as in http://[::1]:8000"),
        ("http://exam ple.org", "must not hold blanks or line breaks"),
        ("http://example.org\n/v1", "must not hold blanks or line breaks"),
        ("https://me:pw@example.org", "must not hold a user or password: use `auth`"),
        ("http://[::1]:8000/v1", None),
        ("http://exämple.org.:80?a=1.5:2%20*", None),
        ("https://{account}.example.org/v1", None),
        ("http://[fe80::1%25eth0]", None),
        ("HTTPS://example.org:443/v1?a=b:c:d", None),
    ],
)
def test_what_is_wrong_with_an_address_is_named(url: str, problem: str | None) -> None:
    assert find_address_problem(url) == problem


def test_a_url_is_shown_without_its_query_and_without_a_key_in_its_path() -> None:
    SecretRedactor(["a-key+in-a-path"])
    assert redact_url("https://example.org/a-key%2Bin-a-path/v1?page=2") == (
        "https://example.org/***/v1"
    )
