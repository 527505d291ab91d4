"""The secrets of a source, from the environment or dlt's secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches

import dlt
from requests.auth import AuthBase

from event_assets._compat.dlt import secret_readers
from event_assets.config.accounts import env_var_segment
from event_assets.config.env_file import place_of_variables
from event_assets.config.settings import KEYS, SECRET_PARAMETERS
from event_assets.config.source import SourceConfig
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN, find_random_words, find_secrets, looks_random
from event_assets.values.urls import origin

LAST_IN_HEADER = 0xFF  # headers are sent in Latin-1
SHORT = 8  # characters; a password with fewer is none, such as `x`


def env_var_name(source: SourceConfig, name: str) -> str:
    """Return the environment variable of a secret of a source or its account."""
    if source.account is not None:
        return "__".join(map(env_var_segment, (source.name, "accounts", source.account, name)))
    return name.upper() if source.is_default_source else f"{source.name}__{name}".upper()


def configured_secrets(source: SourceConfig) -> list[str]:
    """Return all secrets of a source that are set, and their words."""
    by_name = {
        name.lower(): [
            *map(_lookup, _secret_keys(source, name.lower())),
            _account_secret(source, name.lower()),
        ]
        for name in KEYS
    }
    users, password = by_name.pop("api_username"), "".join(filter(None, by_name["api_password"]))
    found = [secret for secrets in by_name.values() for secret in secrets]
    found += [user for user in users if _is_key(user, password)]
    found += find_secrets(source.rest_api["client"].get("headers"))
    given = str(source.rest_api)
    found += [value for value in find_secrets(os.environ) if repr(value)[1:-1] in given]
    in_paths = find_random_words(given)  # those that variables filled in are known
    found += [word for word in in_paths if KNOWN.find(word)]
    values = [secret for secret in found if secret]
    return [*values, *(word for secret in values if " " in secret for word in secret.split())]


def find_bad_character(secret: str, *, in_header: bool) -> str | None:
    """Return the first character of a secret that cannot be sent, such as `U+2013`, or None."""
    bad = (c for c in secret if not c.isprintable() or (in_header and ord(c) > LAST_IN_HEADER))
    return next((f"U+{ord(char):04X}" for char in bad), None)


def _is_key(user: str | None, password: str) -> bool:
    """Return whether the key is the user of Basic authentication, as with many APIs."""
    return user is not None and (0 < len(password) < SHORT or looks_random(user))


def secrets_of_auth(auth: AuthBase | None) -> list[str]:
    """Return the secrets that an auth adds to requests, including a token fetched so far."""
    names = SECRET_PARAMETERS.keys() - {"username"} | {"access_token"}
    user = getattr(auth, "username", None)
    found = [getattr(auth, name, None) for name in names]
    found += [user] if _is_key(user, getattr(auth, "password", None) or "") else []
    return [str(value) for value in found if value]


def _secret_keys(source: SourceConfig, name: str) -> tuple[str, str]:
    return f"{source.name}.{name}", name


def _lookup(key: str) -> str | None:
    try:
        secret = dlt.secrets[key]
    except KeyError:
        return None
    return _require_text(secret, key)


def _require_text(secret: object, key: str) -> str | None:
    """Return a secret as text, or None if it is empty.

    Raises:
        ConfigError: it is a list or a table.
    """
    if isinstance(secret, (Mapping, list, tuple)):
        kind = "table" if isinstance(secret, Mapping) else "list"
        raise ConfigError(
            f"The secret {key} is a {kind}, not a text: write it in quotes in .dlt/secrets.toml."
        )
    return str(secret or "").strip() or None


def _account_secret(source: SourceConfig, name: str) -> str | None:
    """Return a secret of the source's account, under its name or spelled as in variables.

    Raises:
        ConfigError: If it could be another account's, which is spelled the same.
    """
    if source.account is None:
        return None

    def key_path(account: str, spell: Callable[[str], str]) -> list[str]:
        return [spell(part) for part in (source.name, "accounts", account, name)]

    for read_secret in secret_readers():
        for spell in (str, env_var_segment):
            own_path = key_path(source.account, spell)
            found, found_at = read_secret(own_path)
            found = _require_text(found, ".".join(own_path))
            if not found:
                continue
            for other in source.known_accounts:
                path = key_path(other, spell)
                if other != source.account and (
                    path == own_path or read_secret(path)[1] == found_at
                ):
                    raise ConfigError(
                        f"The accounts {source.account} and {other} are both spelled "
                        f"{found_at}: put their keys into .dlt/secrets.toml, under "
                        f"{_section(source)} and so on."
                    )
            return found
    return None


def _section(source: SourceConfig) -> str:
    if source.account is None:
        return f"[{source.name}]"
    return f"[{source.name}.accounts.{json.dumps(source.account, ensure_ascii=False)}]"


def find_secret(source: SourceConfig, names: tuple[str, ...]) -> str | None:
    """Return the first secret that is set under one of these names."""
    for name in names:
        if found := _account_secret(source, name):
            return found
    for name in names:
        for key in _secret_keys(source, name)[: 2 if _may_use_shared_key(source) else 1]:
            if found := _lookup(key):
                return found
    return None


def require_secret(source: SourceConfig, names: tuple[str, ...]) -> str:
    """Return the first secret that is set under one of these names.

    Raises:
        ConfigError: If none is set.
    """
    if found := find_secret(source, names):
        return found
    account = "" if source.account is None else f"the account {source.account} of "
    own = source.account is not None or not source.is_default_source
    section = f", under {_section(source)}" if own else ""
    variable = env_var_name(source, names[-1])
    others = {name for name in os.environ if name.endswith(names[-1].upper())} - {variable}
    close = get_close_matches(variable, others, n=1, cutoff=0.8)
    hint = f"; {close[0]}, which is set, is not read for it" if close else ""
    raise ConfigError(
        f"No key for {account}the API at {source.base_url}: set {variable} "
        f"{place_of_variables(variable)} (or {names[-1]} in .dlt/secrets.toml{section}){hint}."
    )


def _may_use_shared_key(source: SourceConfig) -> bool:
    """Return whether a source may use the key without a prefix: it is for EVENTS_API_URL."""
    shared_url = os.environ.get("EVENTS_API_URL") or ""
    return source.is_default_source or (
        source.base_url is not None and source.origin == origin(shared_url)
    )
