"""The auth of a source: adds its key to each request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import pendulum
from dlt.sources.helpers.rest_client.auth import (
    APIKeyAuth,
    BearerTokenAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
)
from requests import PreparedRequest
from requests.auth import AuthBase

from event_assets.config.env_file import place_of_variables
from event_assets.config.http import HttpLimits
from event_assets.config.settings import SECRET_NAMES
from event_assets.config.source import SourceConfig
from event_assets.config.source_files import SANDBOX
from event_assets.http.credentials import (
    env_var_name,
    find_bad_character,
    find_secret,
    require_secret,
)
from event_assets.http.error_text import error_text
from event_assets.http.errors import KEY_NAME_ATTRIBUTE, status_text
from event_assets.http.session import ApiSession
from event_assets.values.conversion import to_float, to_wire
from event_assets.values.errors import ApiError, ConfigError
from event_assets.values.redaction import hide_random_words
from event_assets.values.urls import find_address_problem, redact_url

REFUSED = (400, 401, 403)  # the client or its secret, or the place that they are sent in
UNREAD = (400, 415)  # perhaps the form itself
MAX_TOKEN_SECONDS = 30 * 24 * 3600


@contextmanager
def build_auth(source: SourceConfig, config: Any) -> Iterator[AuthBase | None]:
    """Build the auth of dlt's `auth` configuration and secrets; close its session on exit.

    Raises:
        ConfigError: If a key is needed and not set.
    """
    if config is None:
        yield None
        return
    settings = {"type": config} if isinstance(config, str) else dict(config)
    missing = _missing_secrets(settings)
    kind = settings.pop("type", "bearer")
    for parameter, names in missing.items():
        settings[parameter] = require_secret(source, names)
    # The names of the variables that hold the key, for messages when it is refused.
    secret_names = [names[0] if len(missing) > 1 else names[-1] for names in missing.values()]
    variables = " and ".join(env_var_name(source, name) for name in secret_names)
    where = variables or "`auth` in defs.yaml"
    location = settings.get("location") or "header"
    if kind == "api_key" and not settings.get("name"):
        settings["name"] = "Authorization" if location == "header" else "api_key"
    in_header = kind == "bearer" or (kind == "api_key" and location == "header")
    for parameter in SECRET_NAMES[kind]:
        settings[parameter] = str(settings[parameter]).strip()
        if parameter == "token" and settings[parameter].lower().startswith("bearer "):
            raise ConfigError(
                f"The key in {where} begins with `Bearer`, which is added to it: remove that word."
            )
        if char := find_bad_character(settings[parameter], in_header=in_header):
            raise ConfigError(
                f"The key in {where} holds the character {char}, which cannot be sent: copy it "
                "again, without line breaks, as plain text."
            )
    with ExitStack() as stack:
        if kind == "oauth2_client_credentials":
            url = str(settings.get("access_token_url") or "").strip()
            if problem := find_address_problem(url):
                raise ConfigError(f"`access_token_url` {problem}; correct it in defs.yaml.")
            settings["access_token_url"] = url
            limits = HttpLimits(find_base_url_setting=lambda: "`access_token_url`")
            secrets = [settings[name] for name in SECRET_NAMES[kind]]
            session = ApiSession(url, pool_size=1, limits=limits, secrets=secrets)
            settings["session"] = stack.enter_context(session)
        auth = AUTH_CLASSES[kind](**settings)
        vars(auth)[KEY_NAME_ATTRIBUTE] = variables
        yield auth


def require_address(source: SourceConfig, config: Any, key: str) -> None:
    """Raise if another key than that of the sandbox is set, though the source has no address.

    Raises:
        ConfigError: what to set.
    """
    for names in _missing_secrets(config).values() if config else ():
        if find_secret(source, names) not in (None, key):
            raise ConfigError(
                f"A key is set for the source {source.name} ({env_var_name(source, names[-1])}), "
                f"but no URL: set {source.url_setting}. Without a key, {SANDBOX} is synced."
            )


def _missing_secrets(config: Any) -> dict[str, tuple[str, ...]]:
    """Return the parameters that an `auth` configuration leaves out, by their names as secrets."""
    settings = {"type": config} if isinstance(config, str) else config
    secrets = SECRET_NAMES[settings.get("type", "bearer")]
    return {name: names for name, names in secrets.items() if settings.get(name) is None}


class _ApiKeyAuth(APIKeyAuth):
    """Adds the key to a header, to the cookies, or to the query without parsing the URL."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.location == "cookie":
            cookies = request.headers.get("Cookie")
            added = f"{self.name}={quote(self.api_key)}"
            request.headers["Cookie"] = f"{cookies}; {added}" if cookies else added
        elif self.location in ("query", "param"):
            url = request.url or ""
            added = urlencode({self.name: self.api_key})
            if added not in url.partition("?")[2].split("&"):  # a link to the next page may hold it
                request.url = f"{url}{'&' if '?' in url else '?'}{added}"
        else:
            request.headers[self.name] = self.api_key
        return request


class _ThreadSafeOAuth2(OAuth2ClientCredentials):
    """Fetches a token when needed, once for all threads, by the retry policy."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        with self._lock:
            return super().__call__(request)

    def renew(self, refused: PreparedRequest) -> None:
        """Discard a refused token, so that the next request fetches another."""
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self.access_token}":
                self.access_token = None

    def obtain_token(self) -> None:
        """Fetch a token, with the secret in the body, by Basic authentication, or in JSON.

        Raises:
            ApiError: If the API sends no token.
        """
        url = redact_url(self.access_token_url)
        request = self.build_access_token_request()
        document = dict(request["data"])
        request["data"] = to_wire(document)
        response = self.session.post(self.access_token_url, **request)
        if response.status_code in REFUSED:
            form = request["data"]  # the id stays: some servers require it in both places
            user = quote(form["client_id"], safe=""), quote(form.pop("client_secret"), safe="")
            response = self.session.post(self.access_token_url, **request, auth=user)
        if response.status_code in UNREAD:
            response = self.session.post(self.access_token_url, json=document)
        if not response.ok:
            names = vars(self).get(KEY_NAME_ATTRIBUTE) or "CLIENT_ID and CLIENT_SECRET"
            advice = "check `access_token_url` in defs.yaml, or try again later"
            if response.status_code in REFUSED:
                advice = f"set {names} ({place_of_variables(names)}) to values that it accepts"
            status = status_text(response.status_code)
            raise ApiError(
                f"The API's token URL {url} answered {status}; {advice}.{error_text(response)}"
            )
        try:
            granted = response.json()
        except ValueError:
            granted = None
        token = granted.get("access_token") if isinstance(granted, dict) else None
        if not token or not isinstance(token, (str, int)):
            hide_random_words(response.text)  # the token may be elsewhere in it
            raise ApiError(
                f"The API's token URL {url} sent no `access_token`; check `access_token_url` in "
                f"defs.yaml.{error_text(response, is_error=True)}"
            )
        self.access_token = str(token).strip()
        if char := find_bad_character(self.access_token, in_header=True):
            raise ApiError(
                f"The API's token URL {url} sent an `access_token` with the character {char}, "
                "which no header can carry."
            )
        lasts = to_float(granted.get("expires_in"))  # some APIs send text or null
        seconds = self.default_token_expiration if lasts is None else max(0, int(lasts))
        margin = min(30, seconds // 10)  # a token must not expire while a request is sent
        seconds = min(seconds - margin, MAX_TOKEN_SECONDS)
        self.token_expiry = pendulum.now().add(seconds=seconds)


AUTH_CLASSES: Mapping[str, Callable[..., AuthBase]] = {
    "api_key": _ApiKeyAuth,
    "bearer": BearerTokenAuth,
    "http_basic": HttpBasicAuth,
    "oauth2_client_credentials": _ThreadSafeOAuth2,
}
