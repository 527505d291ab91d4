"""The certificates by which servers are trusted."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

from event_assets.config.project import project_path
from event_assets.values.errors import ConfigError

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def find_ca_bundle(verify: Any) -> Any:
    """Return the bundle of certificates that requests has chosen, or else that of `SSL_CERT_FILE`.

    Raises:
        ConfigError: it is not there, or holds no certificates.
    """
    named = verify if isinstance(verify, str) else os.environ.get("SSL_CERT_FILE") or ""
    if not verify or not named:
        return verify
    path = named if Path(named).exists() else str(project_path(named))
    if Path(path).is_dir():
        return path
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        return path
    except FileNotFoundError:
        problem = "is not there"
    except (ssl.SSLError, OSError):
        problem = "holds no certificates that can be read"
    variable = next((name for name in BUNDLE_VARIABLES if os.environ.get(name) == named), "verify")
    raise ConfigError(f"The file {path}, which {variable} names, {problem}: correct {variable}.")
