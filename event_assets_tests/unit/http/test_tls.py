"""The certificates by which servers are trusted, of APIs and of token addresses."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Request

from event_assets.config import project
from event_assets.config.source import SourceConfig
from event_assets.http import retry_policy
from event_assets.http.auth import build_auth
from event_assets.http.session import ApiSession
from event_assets.http.tls import BUNDLE_VARIABLES
from event_assets.values.errors import ApiError, ConfigError
from event_assets_tests.support.tls_server import OTHER_HOST, Authority, serving_tls

Fetch = Callable[[str], str]


@pytest.fixture(autouse=True)
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Authority:
    for name in BUNDLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return Authority(tmp_path)


def fetch_events(url: str) -> str:
    with ApiSession(url) as session:
        return session.get(f"{url}/v1/events").text


def fetch_token(url: str) -> str:
    config: dict[str, Any] = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{url}/token",
        "client_id": "of-an-app",
        "client_secret": "of-an-app-too",
    }
    rest_api = {"client": {"base_url": url}, "resources": []}
    with build_auth(SourceConfig(name="events", rest_api=rest_api), config) as auth:
        assert auth
        request: PreparedRequest = Request("GET", url).prepare()
        return str(auth(request).headers["Authorization"])


FETCHES = pytest.mark.parametrize(
    ("fetch", "setting"),
    [(fetch_events, "EVENTS_API_URL"), (fetch_token, "`access_token_url`")],
    ids=["events", "token"],
)


@FETCHES
@pytest.mark.parametrize(
    ("certificate", "problem"),
    [
        ({"days": -1}, "it has expired; ask the API's operator to renew it."),
        ({"host": OTHER_HOST}, "it is of another host; check {setting}."),
        (
            {"is_self_signed": True},
            "it is self-signed; check {setting}, or set REQUESTS_CA_BUNDLE to a file that holds "
            "it.",
        ),
        (
            {},
            "its issuer is unknown here; set REQUESTS_CA_BUNDLE to a file with the issuer's "
            "certificate.",
        ),
    ],
    ids=["expired", "another host", "self-signed", "unknown issuer"],
)
def test_a_certificate_that_is_not_trusted_is_told_for_what_it_is(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    fetch: Fetch,
    setting: str,
    certificate: dict[str, Any],
    problem: str,
) -> None:
    if "days" in certificate or "host" in certificate:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with serving_tls(authority.issue(**certificate)) as url, pytest.raises(ApiError) as failed:
        fetch(url)
    said = str(failed.value)
    assert said.startswith(f"The API at {url}/")
    reason = problem.format(setting=setting)
    assert said.endswith(f" has a TLS certificate that is not trusted: {reason}")


def test_a_certificate_that_is_invalid_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, may_sign=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with serving_tls(authority.issue()) as url, pytest.raises(ApiError) as failed:
        fetch_events(url)
    reason = "it, or its issuer's own, is invalid (invalid CA certificate); ask who issued it"
    assert str(failed.value).endswith(f" is not trusted: {reason} for a valid one.")


@FETCHES
@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
def test_a_bundle_of_each_variable_is_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, fetch: Fetch, setting: str, variable: str
) -> None:
    assert setting
    monkeypatch.setenv(variable, str(authority.file))
    with serving_tls(authority.issue()) as url:
        assert fetch(url)


@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
def test_a_bundle_of_the_project_is_trusted_in_any_folder(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setattr(project, "_loaded", authority.file.parent)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv(variable, authority.file.name)
    with serving_tls(authority.issue()) as url:
        assert fetch_events(url)


@FETCHES
@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "is not there"), ("no certificate", "holds no certificates that can be read")],
    ids=["not there", "none"],
)
def test_a_bundle_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fetch: Fetch,
    setting: str,
    variable: str,
    text: str | None,
    problem: str,
) -> None:
    assert setting
    file = tmp_path / "bundle.pem"
    if text:
        file.write_text(text)
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(ConfigError) as failed:
        fetch("https://127.0.0.1:9")
    said = f"The file {file}, which {variable} names, {problem}: correct {variable}."
    assert str(failed.value) == said


def test_an_address_of_a_tls_server_without_https_hints_at_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "BACKOFF_FACTOR", 0)
    with serving_tls(authority.issue()) as url, pytest.raises(ApiError, match="begin with https"):
        fetch_events(url.replace("https:", "http:"))


def test_a_server_that_wants_a_certificate_of_the_client_is_told_for_what_it_is(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    monkeypatch.setattr(retry_policy, "BACKOFF_FACTOR", 0)
    with (
        serving_tls(authority.issue(), clients=authority.file) as url,
        pytest.raises(ApiError, match=r"ended the TLS connection.* a certificate of the client"),
    ):
        fetch_events(url)


def refuse_name(context: ssl.SSLContext) -> None:
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


def require_tls_1_0(context: ssl.SSLContext) -> None:
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1


@pytest.mark.parametrize(
    ("configure", "reason"),
    [(refuse_name, "unrecognized name"), (require_tls_1_0, "protocol version")],
    ids=["of another name", "of an old version"],
)
def test_a_server_that_ends_tls_is_told_with_the_reason(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    configure: Callable[[ssl.SSLContext], None],
    reason: str,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with (
        serving_tls(authority.issue(), configure=configure) as url,
        pytest.raises(ApiError, match=rf"ended the TLS connection \(.*{reason}\)"),
    ):
        fetch_events(url)
