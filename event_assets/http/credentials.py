"""Where the secrets of a source come from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.typing import TSecretStrValue
from requests.auth import AuthBase

from event_assets.config.accounts import env_var_segment
from event_assets.config.source import SourceConfig
from event_assets.values.errors import ConfigError
from event_assets.values.urls import origin

# Where each kind of auth takes its secrets, and the names that these have in dlt's secrets.
SECRETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "api_key": {"api_key": ("api_key",)},
    "bearer": {"token": ("api_key",)},
    "http_basic": {"username": ("api_username", "api_key"), "password": ("api_password",)},
    "oauth2_client_credentials": {
        "client_id": ("client_id",),
        "client_secret": ("client_secret",),
    },
}


def env_var_name(source: SourceConfig, name: str) -> str:
    """Name the environment variable that holds a secret of a source, or of its account."""
    if source.account is not None:
        return "__".join(map(env_var_segment, (source.name, "accounts", source.account, name)))
    return name.upper() if source.is_default_source else f"{source.name}__{name}".upper()


def configured_secrets(source: SourceConfig) -> list[str]:
    """Give every secret that a source has, as far as they are set."""
    names = {name for places in SECRETS.values() for names in places.values() for name in names}
    names -= {"api_username"}
    found = [_lookup(place) for name in names for place in _places(source, name)]
    found += [_account_secret(source, name) for name in names]
    values = [secret for secret in found if secret]
    return [*values, *(word for secret in values if " " in secret for word in secret.split())]


def secrets_of_auth(auth: AuthBase | None) -> list[str]:
    """Give the secrets that are added to requests, as far as they are known by now."""
    names = {name for kind in SECRETS.values() for name in kind} - {"username"} | {"access_token"}
    return [str(value) for name in names if (value := getattr(auth, name, None))]


def _places(source: SourceConfig, name: str) -> tuple[str, str]:
    return f"{source.name}.{name}", name


def _lookup(place: str) -> str | None:
    try:
        return str(dlt.secrets[place]) or None
    except (KeyError, ConfigFieldMissingException):
        return None


def _account_secret(source: SourceConfig, name: str) -> str | None:
    """Give a secret of the account that is synced, as its name is or as variables spell it.

    Raises:
        ConfigError: when another account's name is spelled the same, so that it could be its.
    """
    if source.account is None:
        return None

    def place(account: str, spell: Callable[[str], str]) -> list[str]:
        return [spell(part) for part in (source.name, "accounts", account, name)]

    for provider in dlt.secrets.config_providers:
        for spell in (str, env_var_segment):
            *sections, key = own = place(source.account, spell)
            found, where = provider.get_value(key, TSecretStrValue, None, *sections)
            if not found:
                continue
            for other in source.known_accounts:
                *sections, key = place(other, spell)
                if other != source.account and (
                    [*sections, key] == own
                    or provider.get_value(key, TSecretStrValue, None, *sections)[1] == where
                ):
                    raise ConfigError(
                        f"The accounts {source.account} and {other} are both spelled {where}: put "
                        f"their keys into .dlt/secrets.toml, under {_section(source)} and so on."
                    )
            return str(found)
    return None


def _section(source: SourceConfig) -> str:
    return f"[{source.name}.accounts.{json.dumps(source.account, ensure_ascii=False)}]"


def require_secret(source: SourceConfig, names: tuple[str, ...]) -> str:
    """Return the first secret that is set under one of these names.

    Raises:
        ConfigError: when none is.
    """
    for name in names:
        if found := _account_secret(source, name):
            return found
    for name in names:
        for place in _places(source, name)[: 2 if _may_use_shared_key(source) else 1]:
            if found := _lookup(place):
                return found
    name = names[-1]
    if source.account is not None:
        raise ConfigError(
            f"No key for the account {source.account} of the API at {source.base_url}: set "
            f"{env_var_name(source, name)} in .env or in the environment (or {name} in "
            f".dlt/secrets.toml, under {_section(source)})."
        )
    raise ConfigError(
        f"No key for the API at {source.base_url}: set {env_var_name(source, name)} in .env or in "
        f"the environment (or {name} in .dlt/secrets.toml)."
    )


def _may_use_shared_key(source: SourceConfig) -> bool:
    """May a source take the key that has no name of its own? It is for EVENTS_API_URL's host."""
    shared = os.environ.get("EVENTS_API_URL") or ""
    return source.is_default_source or (
        source.base_url is not None and source.api == origin(shared)
    )
