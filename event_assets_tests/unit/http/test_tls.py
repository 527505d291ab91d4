"""The certificates by which servers are trusted."""

from pathlib import Path

import certifi
import pytest

from event_assets.http.tls import BUNDLE_VARIABLES, find_ca_bundle
from event_assets.values.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BUNDLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_requests_choice_comes_before_ssl_cert_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_ca_bundle(True) is True
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert find_ca_bundle(True) == certifi.where()
    assert find_ca_bundle(str(Path(certifi.where()).parent)) == str(Path(certifi.where()).parent)
    assert find_ca_bundle(False) is False


@pytest.mark.parametrize("variable", BUNDLE_VARIABLES)
def test_a_bundle_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    file = tmp_path / "bundle.pem"
    monkeypatch.setenv(variable, str(file))
    chosen = True if variable == "SSL_CERT_FILE" else str(file)
    named = f"The file {file}, which {variable} names, "
    with pytest.raises(ConfigError) as missing:
        find_ca_bundle(chosen)
    assert str(missing.value) == f"{named}is not there: correct {variable}."
    file.write_text("no certificate")
    with pytest.raises(ConfigError) as empty:
        find_ca_bundle(chosen)
    assert str(empty.value) == f"{named}holds no certificates that can be read: correct {variable}."
