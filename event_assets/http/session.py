"""The HTTP session of a sync: retries, authentication and redirects."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from requests import PreparedRequest, RequestException, Response, Session, TooManyRedirects
from requests.auth import AuthBase

from event_assets.config.http import DEFAULT_CONCURRENCY, DEFAULT_LIMITS, HttpLimits
from event_assets.http.adapter import RetryAdapter
from event_assets.http.credentials import secrets_of_auth
from event_assets.http.throttle import HttpMetrics, Throttle
from event_assets.values.errors import ApiError
from event_assets.values.redaction import SecretRedactor
from event_assets.values.urls import origin, redact_url


class ApiSession(Session):
    """A session that sends the key to the API's own host only.

    Args:
        base_url: the API's URL; requests to its scheme, host and port get the key.
        check: returns what is wrong with the JSON of a good response, or None.
        pool_size: the number of connections to keep open.
        secrets: texts to remove from responses.
        uses_proxy: whether the proxies of the environment apply, and its certificates.
    """

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None = None,
        *,
        check: Callable[[Response], str | None] | None = None,
        pool_size: int = DEFAULT_CONCURRENCY,
        secrets: Collection[str] = (),
        limits: HttpLimits = DEFAULT_LIMITS,
        uses_proxy: bool = True,
    ) -> None:
        super().__init__()
        self.trust_env = uses_proxy
        self.base_url = base_url
        self.metrics = HttpMetrics()
        self.throttle = Throttle(limits.requests_per_second)
        self.redactor = SecretRedactor([*secrets, *secrets_of_auth(auth)])
        self.auth = lambda request: request  # else requests looks for a .netrc before each request
        self._limits = limits
        self._environment: Mapping[str, Any] | None = None
        for prefix, added in ("http://", None), ("https://", None), (origin(base_url) + "/", auth):
            adapter = RetryAdapter(
                added, self.throttle, self.metrics, check, pool_size, self.redactor, limits
            )
            self.mount(prefix, adapter)

    def merge_environment_settings(self, *args: Any) -> Any:
        """Look up proxies and certificates once, not for each request."""
        if self._environment is None:
            self._environment = super().merge_environment_settings(*args)
        return dict(self._environment)

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request by the retry policy; follow redirects, without the key to other hosts.

        Raises:
            ApiError: If there is no valid response after all retries.
        """
        kwargs["timeout"] = kwargs.get("timeout") or (self._limits.connect, self._limits.read)
        follow_redirects = kwargs.pop("allow_redirects", True)
        response: Response = self.get_adapter(request.url or "").send(request, **kwargs)
        if follow_redirects and response.is_redirect:
            return self._follow_redirects(response, request, **kwargs)
        for hook in request.hooks["response"]:
            response = hook(response, **kwargs) or response
        return response

    def _follow_redirects(
        self, response: Response, request: PreparedRequest, **kwargs: Any
    ) -> Response:
        try:
            *_, response = self.resolve_redirects(response, request, **kwargs)
            return response
        except TooManyRedirects:
            problem = "without end"
        except (RequestException, ValueError):
            problem = "to a URL that cannot be reached"
        # Raised outside the except block: the original holds the URL, which may hold a key.
        raise ApiError(
            f"The API at {redact_url(request.url)} redirects {problem}; check "
            f"{self._limits.address}."
        )

    def close(self) -> None:
        """End all waiting for responses, and close the connections."""
        self.throttle.shutdown()
        super().close()
