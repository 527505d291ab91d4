"""The key: where it comes from, and how it goes into a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.sources.rest_api.config_setup import create_auth
from dlt.sources.rest_api.typing import AuthConfig
from requests import PreparedRequest
from requests.auth import AuthBase

KEY_FIELDS = {"api_key": "api_key", "bearer": "token"}  # where each auth takes the key


class ConfigError(ValueError):
    """The configuration cannot work. The message says where and what to do."""


def build_auth(source: str, client: Mapping[str, Any], key: str | None) -> AuthBase | None:
    """Make what adds a source's key to its requests.

    Args:
        source: the source's name.
        client: dlt's client configuration.
        key: the key; None: the one in dlt's secrets.

    Raises:
        ConfigError: when there is none, and one is needed.
    """
    config = client.get("auth")
    kind = config.get("type", "bearer") if isinstance(config, Mapping) else config
    if secret := KEY_FIELDS.get(kind or ""):
        config = {"type": kind, **(config if isinstance(config, Mapping) else {})}
        config[secret] = key or _key(source, client)
        if config.get("location") == "query":
            return _QueryKey(config.get("name") or "api_key", config[secret])
    return create_auth(cast("AuthConfig", config))


def _key(source: str, client: Mapping[str, Any]) -> str:
    for place in (f"{source}.api_key", "api_key"):
        try:
            key = str(dlt.secrets[place])
        except (KeyError, ConfigFieldMissingException):
            continue
        if key:
            return key
    raise ConfigError(
        f"No key for the API at {client.get('base_url')}: set API_KEY in .env or in the "
        "environment (or api_key in .dlt/secrets.toml)."
    )


class _QueryKey(AuthBase):
    """Adds the key to the query, without building the URL anew as dlt's own class does."""

    def __init__(self, name: str, key: str) -> None:
        self._added = urlencode({name: key})

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = request.url or ""
        request.url = f"{url}{'&' if '?' in url else '?'}{self._added}"
        return request
