"""What the settings in the environment may be, in one table."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from event_assets.values.errors import ConfigError


class Setting(NamedTuple):
    """What a setting may be: a pattern, and words that complete `must be`."""

    pattern: str = r".*"  # any text, if the setting is checked where it is read
    allowed: str = ""
    is_secret: bool = False  # its value is not shown


DAYS = Setting(r"\d{1,5}(\.\d+)?", "a number of days, such as 30")
PORT = Setting(
    r"[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]",
    "the number of a port, up to 65535",
)
URL = Setting(r"https?://[^\s/]+\S*", "a URL that begins with http:// or https://", is_secret=True)
SETTINGS: Mapping[str, Setting] = {
    "ALERT_WEBHOOK_URL": URL,
    "EVENTS_API_URL": Setting(),
    "EVENTS_BROKER": Setting(
        r"[\w+.-]+://\S+", "a URL, such as redis://:PASSWORD@HOST:6379/0", is_secret=True
    ),
    "EVENTS_CODE_HOST": Setting(r"\S+", "the name of a host"),
    "EVENTS_CODE_PORT": PORT,
    "EVENTS_DAGSTER_URL": URL,
    "EVENTS_DESTINATION": Setting(
        "duckdb|ducklake", "duckdb or ducklake, as docs/destinations.md describes"
    ),
    "EVENTS_DUCKDB": Setting(  # DuckDB would take `md:` and the like for another database
        r"(?!:memory:|\w{2,}:|\w:\\|\$|(.*/)?\.+$).*[^/]",
        "the path of a file, not a folder, a URL, a drive or `$NAME`",
        is_secret=True,
    ),
    "EVENTS_DUCKLAKE_CATALOG": Setting(),
    "EVENTS_DUCKLAKE_KEEP_DAYS": Setting(r"\d{1,5}", "a whole number of days, such as 7"),
    "EVENTS_DUCKLAKE_STORAGE": Setting(),
    "EVENTS_KEEP_RUNS_DAYS": DAYS,
    "EVENTS_PROGRESS": Setting("bar|log", "`bar` or `log`"),
    "EVENTS_S3_ENDPOINT": Setting(r"\S+", "a host, such as minio:9000"),
    "EVENTS_S3_KEY_ID": Setting(),
    "EVENTS_S3_REGION": Setting(r"[\w-]+", "the name of a region"),
    "EVENTS_S3_SECRET": Setting(),
    "EVENTS_S3_SESSION_TOKEN": Setting(),
    "EVENTS_S3_URL_STYLE": Setting("path|vhost", "`path` or `vhost`"),
    "EVENTS_S3_USE_SSL": Setting("true|false", "`true` or `false`"),
    "EVENTS_WEB_HOST": Setting(r"\S+", "the name of a host"),
    "EVENTS_WEB_PORT": PORT,
    "EVENTS_WORKER": Setting(),
    "EVENTS_WORKER_PROCESSES": Setting(r"[1-9]\d{0,3}", "a whole number, such as 2"),
    "EVENT_ASSETS_PROJECT": Setting(),
}
# What no setting and no key may be, by a pattern, and what to do about it.
MISTAKES = {
    # as `docker --env-file` reads it, or as a word processor writes it
    r"(['\"]).*\1|[\u2018-\u201f].*[\u2018-\u201f]": "holds its quotes, too: take them away",
    # a shell would run it; what reads `.env` does not
    r"\$\(.*\).*|`.*`": "is a command, which nothing runs: set what it prints",
    r".*[\udc80-\udcff].*": "is not in UTF-8: write it in that encoding",
}
PLACEHOLDER = re.compile(r"<.*>|\{+\w+\}+|your[ _-].*|x{4,}|\.{3}|change[ _-]?me", re.IGNORECASE)
# Per type of auth: its parameters that are secret, and their names in dlt's secrets.
SECRET_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "api_key": {"api_key": ("api_key",)},
    "bearer": {"token": ("api_key",)},
    "http_basic": {"username": ("api_username", "api_key"), "password": ("api_password",)},
    "oauth2_client_credentials": {"client_id": ("client_id",), "client_secret": ("client_secret",)},
}
# Of all types of auth: the variable of each parameter.
SECRET_PARAMETERS: Mapping[str, str] = {
    parameter: names[0].upper()
    for parameters in SECRET_NAMES.values()
    for parameter, names in parameters.items()
}
KEYS = tuple(sorted({*SECRET_PARAMETERS.values()}))  # NAME__ goes before, for a further source


def require_valid_settings() -> None:
    """Raise a ConfigError for the first setting whose value cannot be."""
    for name, text in os.environ.items():
        is_key = name.rpartition("__")[2] in KEYS
        for pattern, problem in MISTAKES.items() if is_key or name in SETTINGS else ():
            if re.fullmatch(pattern, text, re.DOTALL):
                raise ConfigError(f"{name} {problem}.")
        if is_key and PLACEHOLDER.fullmatch(text):
            raise ConfigError(f"{name} is a placeholder: replace it with the key.")
    for name, setting in SETTINGS.items():
        value = os.environ.get(name)
        if value and not re.fullmatch(setting.pattern, value, re.DOTALL):
            found = "" if setting.is_secret else f", not `{value[:60]}`"
            raise ConfigError(f"{name} must be {setting.allowed}{found}.")


def misspelt_settings(
    sources: Collection[str], named: Collection[str], in_file: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each variable that is much like a setting, and read by nothing.

    Args:
        sources: their names, with which the variables of their keys begin.
        named: the variables that the sources name.
        in_file: those of `.env`, which are all meant for the project.
    """
    known = {*SETTINGS, *KEYS, *(f"{source}__{key}".upper() for source in sources for key in KEYS)}
    prefixes = {source.upper() for source in sources}
    for name in sorted({*os.environ} - known - {*named}):
        prefix, _, key = name.upper().rpartition("__")
        if key in KEYS and prefix and not get_close_matches(prefix, prefixes, cutoff=0.7):
            continue  # of a source that was removed, or of another program
        close = get_close_matches(name.upper(), known, n=1, cutoff=0.85)
        if close and (name in in_file or name.startswith(("EVENT", "ALERT"))):
            yield f"Nothing reads the variable {name}: did you mean {close[0]}?"
    for name in sorted({*named} - {*os.environ}):
        given = {*in_file, *(os.environ.keys() & known)}
        if close := get_close_matches(name.upper(), given, n=1, cutoff=0.85):
            yield f"A defs.yaml names the variable {name}, which is not set: is {close[0]} meant?"
