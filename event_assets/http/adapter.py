"""A requests adapter that sends a request once, with the key, and hides it in the response."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import quote

import urllib3
from requests import PreparedRequest, Request
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.exceptions import InvalidProxyURL
from requests.utils import select_proxy

from event_assets._compat.urllib3 import PlainResponse, exchange, read_whole
from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http.errors import ATTEMPT_ERRORS, KEY_NAME_ATTRIBUTE
from event_assets.http.response import MB, JsonResponse, build_response, read_body
from event_assets.http.throttle import Throttle
from event_assets.http.tls import find_ca_bundle
from event_assets.values.errors import ResponseTimeoutError
from event_assets.values.redaction import MASK, SecretRedactor, redact_error
from event_assets.values.urls import is_proxy_url

NO_RETRIES = urllib3.Retry.from_int(False, redirect=False)
AnyRequest = TypeVar("AnyRequest", Request, PreparedRequest)


def replace_parts(request: AnyRequest, **parts: Any) -> AnyRequest:
    """Return a copy of a request with other parts."""
    copied = object.__new__(type(request))  # a tenth of the time of `copy`
    vars(copied).update(vars(request), **parts)
    return copied


class ApiAdapter(HTTPAdapter):
    """Adds the key on the wire only, and masks it in responses.

    Args:
        auth: adds the key, to requests to the API's own host.
        is_foreign: whether requests go to other hosts, which get no secret; one of less than 8
            characters, which may be an ordinary word, is taken out of headers only.

    Attributes:
        was_accepted: whether the API accepted a request.
    """

    def __init__(
        self,
        auth: AuthBase | None,
        redactor: SecretRedactor,
        throttle: Throttle,
        limits: HttpLimits = DEFAULT_LIMITS,
        pool_size: int = 1,
        *,
        is_foreign: bool = False,
    ) -> None:
        super().__init__(pool_maxsize=pool_size)
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._auth = auth
        self._is_foreign = is_foreign
        self.was_accepted = False
        self._token = ""  # the newest token of the auth
        self._path_key = ""  # a key in the path of the API's address
        self._redactor = redactor
        self._throttle = throttle
        self._limits = limits

    def deadline(self) -> float:
        """Return by when a response must be complete, if it is awaited from now on."""
        return time.monotonic() + self._limits.total

    def send(self, request: PreparedRequest, *_: Any, **settings: Any) -> JsonResponse:
        """Send a request once, with the key; return its response without secrets.

        Raises:
            ATTEMPT_ERRORS: There is none. Their texts are not to be shown.
        """
        started_at = time.monotonic()
        try:
            if self._is_foreign:
                sent = self._without_secrets(request)
            else:
                sent = self._sign(self._with_path_key(request))
            raw = self._exchange(sent, **settings)
            self.was_accepted |= raw.status < HTTPStatus.BAD_REQUEST
            renew = getattr(self._auth, "renew", None)
            if raw.status == HTTPStatus.UNAUTHORIZED and self.was_accepted and renew:
                renew(sent)  # a token may end sooner than it says
                raw = self._exchange(self._sign(self._with_path_key(request)), **settings)
        except ATTEMPT_ERRORS:
            raise
        except Exception as error:
            unexpected = redact_error(error)
            if unexpected is error:
                raise
        else:
            response = build_response(raw, self._redactor)
            response.elapsed = timedelta(seconds=time.monotonic() - started_at)
            response.request, response.url = request, request.url or ""
            response.key_name = getattr(self._auth, KEY_NAME_ATTRIBUTE, "")
            response.limits = self._limits
            return response
        raise unexpected  # outside the except block: the original holds the key

    def close(self) -> None:
        """Close the connections: a pool lives as long as one of them is open."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        super().close()

    def _with_path_key(self, request: PreparedRequest) -> PreparedRequest:
        """Return a request with the key in its path, which is masked in a link of a response."""
        path, mark, query = (request.url or "").partition("?")
        self._path_key = self._redactor.find(path) or self._path_key
        if self._path_key and MASK in path:
            path = path.replace(MASK, quote(self._path_key, safe=""))
            request = replace_parts(request, url=f"{path}{mark}{query}")
        return request

    def _without_secrets(self, request: PreparedRequest) -> PreparedRequest:
        """Return a request without the secrets that the configuration adds to all."""
        request, redactor = request.copy(), self._redactor
        request.url = redactor.redact_content((request.url or "").encode()).decode()
        for name, value in [*request.headers.items()]:
            if redactor.redact_text(str(value)) != value:
                del request.headers[name]
        if body := request.body:
            content = body.encode() if isinstance(body, str) else body
            request.body = redactor.redact_content(content)
            request.prepare_content_length(request.body)
        return request

    def _sign(self, request: PreparedRequest) -> PreparedRequest:
        if not self._auth:
            return request
        signed = self._auth(replace_parts(request, headers=request.headers.copy()))
        token = getattr(self._auth, "access_token", None) or ""
        if token != self._token:
            self._redactor.add(token)
            self._token = token
        return signed

    def _exchange(
        self, request: PreparedRequest, timeout: Any = None, **settings: Any
    ) -> urllib3.BaseHTTPResponse | PlainResponse:
        """Send a request, and read its response."""
        url, proxies, method = request.url or "", settings.get("proxies"), request.method or "GET"
        server = "/".join(url.split("/", 3)[:3])
        pool = self._pools.get(server) or self._build_pool(server, request, **settings)
        connect, read = timeout or (self._limits.connect, self._limits.read)
        target = url[len(server) :].partition("#")[0]
        is_plain = method == "GET" and request.body is None
        if is_plain and (response := exchange(pool, target, request.headers, read)):
            return response
        return pool.urlopen(
            method,
            self.request_url(request, proxies) if proxies else target,
            body=request.body,
            headers=request.headers,
            retries=NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=urllib3.Timeout(connect=connect, read=read),
        )

    def _build_pool(
        self, server: str, request: PreparedRequest, **settings: Any
    ) -> urllib3.HTTPConnectionPool:
        """Build a connection pool with the proxy and the certificates that requests chooses.

        Raises:
            InvalidProxyURL: a part of the proxy's password might be taken for its host, and shown.
        """
        verify, proxies = settings.get("verify"), settings.get("proxies")
        if (proxy := select_proxy(request.url or "", proxies)) and not is_proxy_url(proxy):
            raise InvalidProxyURL
        if server.startswith("https:"):
            verify = find_ca_bundle(verify)
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies)
        cast("Any", self).cert_verify(pool, request.url, verify, cert=None)
        read = partial(read_body, max_size=self._limits.megabytes * MB)
        read_whole(pool, self.deadline, ResponseTimeoutError, read, self._throttle.add_socket)
        return self._pools.setdefault(server, pool)
