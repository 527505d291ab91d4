"""Find out how an API takes its key: it is believed when the answer differs from one without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import requests
from requests.auth import AuthBase

from event_assets.config.env_file import read_env_file
from event_assets.config.model import unknown_name_message
from event_assets.config.project import get_nested
from event_assets.config.settings import SECRET_NAMES
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import find_sources
from event_assets.http.auth import build_auth
from event_assets.http.credentials import env_var_name
from event_assets.http.error_text import error_text, find_words
from event_assets.probe.field_words import listed
from event_assets.probe.page import Page
from event_assets.values.errors import ConfigError
from event_assets.values.redaction import KNOWN
from event_assets.values.urls import origin

KINDS = {  # the type of an auth by a setting that only it has
    "access_token_url": "oauth2_client_credentials",
    "username": "http_basic",
    "name": "api_key",
}
REJECTED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
ASKING = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)  # if the words about an error speak of a key
HEADERS = ("X-API-Key", "Api-Key", "X-Auth-Token", "apikey", "X-Access-Token", "OSDI-API-Token")
PARAMETERS = listed("api_key key apikey token client_id access_token app_id user_key")
RARE_HEADERS = listed(
    "X-API-Token Api-Token X-Auth-Key X-Token Token Auth-Token Access-Token App-Key Client-Id "
    "s_token xc-token X-Engage-Api-Key Authorization-Token Teamup-Token VeeziAccessToken "
    "X-Shopify-Access-Token X-Luma-Api-Key Key Circle-Token X-RapidAPI-Key PRIVATE-TOKEN AccessKey "
    "trakt-api-key X-TBA-Auth-Key x-apisports-key X-Redmine-API-Key DD-API-KEY "
    "Ocp-Apim-Subscription-Key X-Cisco-Meraki-API-Key x-functions-key X-Master-Key "
    "X-Parse-REST-API-Key X-Appwrite-Key X-Xapp-Token X-App-Key X-Client-Key X-App-Token "
    "X-Application-Key X-Client-Id X-Client-Token X-Partner-Key X-Key X-User-Token Api-Keypair"
)
RARE_PARAMETERS = listed(
    "app_key api_token auth_token login_token oauth_token public_key license_key s_token client "
    "auth api-key appid wskey code ak k wstoken subscription-key apiToken accessKey access_key "
    "auth_key apiKey authToken accessToken appKey clientId client_key"
)
KEY_WORDS = re.compile(r"api.?key|token|auth|credential|sign(ed)? in|log ?in|permission", re.I)
# What comes before the key in a header: `Authorization: Api-Key KEY`, `Token token=KEY`.
BEFORE_KEY = re.compile(
    r"authorization[ :=`'\"]+((?:[a-z]+-)+[a-z]+ |token token=|[a-z]+ (?=[<{[$]|your|my|xxx))",
    re.IGNORECASE,
)
SCHEME = re.compile(r"scheme\b.*?\b((?:[a-z]+-)+[a-z]+)", re.IGNORECASE)  # `use Some-API-Key`
WORDED_KEY = re.compile(r"(?=.*\S\s)(?:([\w-]+): )?(.+)")  # `X-Api-Key: KEY`, `Token KEY`
MAX_WORDS = 200  # characters of a refusal that are read
SAYS_QUERY = re.compile(r"query|param|\?", re.IGNORECASE)
# The name of a header, by its place or its first letter, or of either: from the fourth group on.
COMPOUND = r"[`'\"]?(\w+(?:[-_]\w+)+)"
NAMED = re.compile(
    rf"{COMPOUND}[`'\"]? header|header[ :]*{COMPOUND}|\b(x-[a-z][\w-]*)"
    r"|(?<![\w-])([\w-]*[a-z_-](?:key|token)|client_id)\b"
    r"|\b(?:as|parameter|named|called) (key|token)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Attempt:
    """One way to send a key: dlt's `auth` without secrets, and the secrets by its parameters."""

    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    is_given: bool = False  # by the user

    @property
    def name(self) -> str:
        """The way, in a few words."""
        kind = self.config["type"]
        if kind == "api_key":
            where = self.config["location"].replace("query", "query parameter")
            return f"the {where} `{self.config['name']}`"
        return {"bearer": "a bearer token", "http_basic": "Basic authentication"}.get(
            kind, "OAuth2"
        )

    @property
    def place(self) -> tuple[str, str]:
        """Where the key is in a request: the location and the name there."""
        return self.config.get("location", "header"), self.config.get("name", "Authorization")

    def variables(self, source: SourceConfig) -> dict[str, str]:
        """Return the secrets by the variables from which a sync reads them."""
        names = SECRET_NAMES[self.config["type"]]
        at = -1 if len(self.secrets) == 1 else 0  # the only secret may have another name
        return {env_var_name(source, names[one][at]): key for one, key in self.secrets.items()}

    def build(self, source: SourceConfig, stack: ExitStack) -> AuthBase:
        """Return what adds the key to requests; closed with the stack."""
        auth = stack.enter_context(build_auth(source, {**self.config, **self.secrets}))
        return cast("AuthBase", auth)


NO_KEY = Attempt({}, {})


def by_name(location: str, name: str, value: str) -> Attempt:
    """Return the way to send a key as a header, or a parameter of the query, of its own."""
    return Attempt({"type": "api_key", "name": name, "location": location}, {"api_key": value})


def by_names(location: str, names: Iterable[str], key: str) -> list[Attempt]:
    """Return the ways to send a key under each of these names."""
    return [by_name(location, name, key) for name in names]


def bearer(token: str) -> Attempt:
    """Return the way to send a bearer token."""
    return Attempt({"type": "bearer"}, {"token": token})


def basic(credentials: str) -> Attempt:
    """Return Basic authentication by `user:password`, or by a user alone."""
    user, _, password = credentials.partition(":")
    if password:
        return Attempt({"type": "http_basic"}, {"username": user, "password": password})
    return Attempt({"type": "http_basic", "password": ""}, {"username": user})


def as_password(key: str) -> Attempt:
    """Return Basic authentication by a key alone, as the password of any user."""
    return Attempt({"type": "http_basic", "username": "api"}, {"password": key})


def needs_key(page: Page) -> bool:
    """Return whether a response asks for a key, or for another one."""
    is_asking = page.status in ASKING and KEY_WORDS.search(page.said)
    return page.status in REJECTED or bool(is_asking)


def named_places(refusal: requests.Response, key: str) -> Iterator[Attempt]:
    """Yield the places that a refusal names: in `WWW-Authenticate`, or in its words."""
    scheme = refusal.headers.get("WWW-Authenticate", "").partition(" ")[0]
    words = _read_words(refusal)
    if "bearer" in f"{scheme} {words}".lower():
        yield bearer(key)
    elif scheme.lower() == "basic":
        yield from (basic(key), as_password(key))
    elif re.fullmatch(r"[A-Za-z-]{3,20}", scheme):
        yield by_name("header", "Authorization", f"{scheme} {key}")
    if scheme.lower() == "token":
        yield by_name("header", "Authorization", f"Token token={key}")  # of Rails
    if re.search(r"header\W+authorization\b", words, re.IGNORECASE):
        yield by_name("header", "Authorization", key)
    for before in (*BEFORE_KEY.findall(words), *(f"{one} " for one in SCHEME.findall(words))):
        yield by_name("header", "Authorization", f"{before}{key}")
    for location, name in dict.fromkeys(_named_places(words)):
        yield by_name(location, name, key)


def _named_places(words: str) -> Iterator[tuple[str, str]]:
    """Yield the locations and the names that a refusal's words name for a key."""
    says_query = bool(SAYS_QUERY.search(words))
    for found in NAMED.finditer(words):
        group = found.lastindex or 0
        name, is_header = found[group], group < 4
        if is_header or not says_query:
            yield "header", name
        if not is_header:  # `API-Key` may be a word of a sentence, `apiKey` is a name
            yield "query", name if name[0].islower() else name.lower()


def _read_words(refusal: requests.Response) -> str:
    """Return what a refusal says, also with placeholders such as `<key>`."""
    try:
        return KNOWN.redact_text(find_words(refusal.json(), is_error=True))[:MAX_WORDS]
    except ValueError:
        return error_text(refusal).partition(":")[2]


def stored_key(name: str, url: str) -> Attempt | None:
    """Return how a source of this name sends its key to the same server, if `.env` has the key."""
    try:
        file = find_sources()[name]
        auth = get_nested(file.attributes, "rest_api", "client", "auth")
    except (KeyError, ConfigError):  # there is none, or no project, or the file has a mistake
        return None
    if not auth or origin(file.base_url) != origin(url):
        return None
    config = {"type": auth} if isinstance(auth, str) else auth
    source, secrets, variables = SourceConfig(name=name, rest_api={}), {}, read_env_file()
    for parameter, names in SECRET_NAMES.get(config.get("type", "bearer"), {}).items():
        if config.get(parameter) is None:
            stored = (variables.get(env_var_name(source, one)) for one in names)
            secrets[parameter] = next(filter(None, stored), "")
    return Attempt(config, secrets) if secrets and all(secrets.values()) else None


def complete_auth(
    known: Attempt, keys: Sequence[str], kind: Mapping[str, Any] | None
) -> Attempt | None:
    """Return the way to send the keys that was given; None if its place is to be found.

    Args:
        known: what the address, the curl command or the OpenAPI file says of it.
        keys: one key, or user and password, or client id and secret.
        kind: the `auth` that the user named, complete or only by its type.
    """
    config = {**(kind or known.config)}
    if config.get("type") == known.config.get("type"):
        config = {**known.config, **config}
    takes_fewer = not kind and len(keys) > len(SECRET_NAMES.get(config.get("type", ""), keys))
    if config and not takes_fewer and (complete := _complete(config, keys, known.secrets)):
        return complete
    if keys[1:]:
        return Attempt({"type": "http_basic"}, {"username": keys[0], "password": keys[1]})
    said = WORDED_KEY.fullmatch(keys[0]) if keys else None
    return by_name("header", said[1] or "Authorization", said[2]) if said else None


def _complete(
    config: dict[str, Any], keys: Sequence[str], known: Mapping[str, str]
) -> Attempt | None:
    """Return the attempt of a configuration that lacks only its secrets; None if it lacks more."""
    named = (kind for name, kind in KINDS.items() if name in config)
    kind = config.setdefault("type", next(named, "bearer"))
    if kind not in SECRET_NAMES:
        raise ConfigError(unknown_name_message(str(kind), sorted(SECRET_NAMES), "auth type"))
    if kind == "api_key":
        if not config.get("name"):
            return None
        config.setdefault("location", "header")
    wanted = [name for name in SECRET_NAMES[kind] if config.get(name) is None]
    if kind == "http_basic" and len(keys) == 1 and wanted == ["username", "password"]:
        config, wanted = {**config, "password": ""}, ["username"]
    found = {**known, **dict(zip(wanted, keys, strict=False))}
    secrets = {name: found[name] for name in wanted} if {*wanted} <= {*found} else {}
    return Attempt(config, secrets, is_given=True)
