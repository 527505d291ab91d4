"""One-sentence messages, without a key, about errors of the API, and whether to retry them."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import requests
from urllib3 import exceptions

from event_assets._compat.urllib3 import client
from event_assets.config.env_file import place_of_variables
from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http import retry_policy
from event_assets.http.error_text import error_text, is_page
from event_assets.http.pace import MAX_WAIT
from event_assets.http.retry_policy import MAX_RETRIES, is_retried
from event_assets.values import errors
from event_assets.values.errors import exception_chain
from event_assets.values.urls import is_proxy_url, origin, redact_url
from event_assets.values.wording import names_rate_limit, shorten

KEY_NAME_ATTRIBUTE = "key_name"  # of auths: the names of the variables that hold the key
BAD_PARAMS = "check the endpoint's path and params in defs.yaml, and the key"
ADVICE: Mapping[int, str] = {
    400: BAD_PARAMS,
    401: "set {key_name} to a key that this API accepts",
    403: "set {key_name} to a key that may read events",
    404: "check {address} and the endpoint's path in defs.yaml",
    422: BAD_PARAMS,
    429: "the API is limiting requests: set requests_per_second in defs.yaml, sync less often, or "
    "ask for a higher limit",
}
# What may be raised by one attempt at a request.
ATTEMPT_ERRORS = (errors.ResponseError, requests.RequestException, exceptions.HTTPError)
UNKNOWN_ISSUER = (
    "its issuer is unknown here; set REQUESTS_CA_BUNDLE to a file with the issuer's certificate"
)
# By OpenSSL's codes: why a certificate is not trusted, and what to do. Others: in its words.
CERTIFICATE_PROBLEMS: Mapping[int, str] = {
    **dict.fromkeys((0, 2, 19, 20, 21), UNKNOWN_ISSUER),
    9: "it is not valid yet; check the clock of this machine",
    10: "it has expired; ask the API's operator to renew it",
    18: "it is self-signed; check {address}, or set REQUESTS_CA_BUNDLE to a file that holds it",
    62: "it is of another host; check {address}",
    64: "it is of another host; check {address}",
}
BAD_CERTIFICATE = (
    "it, or its issuer's own, is invalid ({reason}); ask who issued it for a valid one"
)
INVALID = "sent a response that {error}{tries}; check the endpoint in defs.yaml.{error.said}"
TOO_LARGE = (
    "sent a response of more than {limits.megabytes} MB; request fewer records at a time, or raise "
    "max_answer_mb in defs.yaml."
)
TOO_LATE = (
    "did not send a complete response in {limits.total:g} s{tries}; request fewer records at a "
    "time, or raise timeouts.answer in defs.yaml."
)
NOT_TRUSTED = "has a TLS certificate that is not trusted: {certificate}."
NO_TLS = "does not support TLS, which https:// requires; check {address}."
# By a server that supports it, for one of OpenSSL's reasons.
TLS_ENDED = (
    "ended the TLS connection{ended}{tries}; check {address}, or ask the API's operator "
    "what it requires, such as a certificate of the client."
)
PLAIN_TEXT = re.compile("WRONG_VERSION|RECORD_LAYER|TOO_LONG|HTTP_REQUEST")  # reasons: no TLS
NO_URL = "has no valid URL; check {address}."
NO_HTTP = "sent no HTTP{tries}; check {address}."
LONG_HEADER = "sent a header of more than 65,536 bytes{tries}."
MANY_HEADERS = "sent more than 100 headers{tries}."
SEVERAL_LENGTHS = "sent a response with several lengths, of which one at most is right."
NOT_DECODED = "sent a response that cannot be decompressed; check {address}."
NOT_ACCEPTED = "did not accept a connection in {limits.connect:g} s{tries}; check {address}."
# To a session which it had accepted before.
CLOSED_LATER = (
    "closed the connection in the middle of a response{tries}; try again later, or lower "
    "concurrency in defs.yaml if it allows few connections."
)
SILENT = "sent nothing for {limits.read:g} s{tries}; check {address}."
CLOSED = "closed the connection in the middle of a response{tries}; check {address}."
NO_PROXY = (
    "cannot be reached by the proxy {proxy}{system}{tries}; check HTTP_PROXY and HTTPS_PROXY "
    "(http://user:password@host:port)."
)
NO_USER = (
    "The proxy {proxy} answered {status}; put its user and password into HTTP_PROXY or HTTPS_PROXY "
    "(http://user:password@host:port)."
)
TUNNEL = re.compile(r"Tunnel connection failed: (.+)")  # the message of http.client
BAD_PROXY = (
    "cannot be reached by a proxy whose URL is not valid; check HTTP_PROXY and HTTPS_PROXY "
    "(http://user:password@host:port)."
)
NO_SOCKS = "cannot be reached by a SOCKS proxy: install the package PySocks."
UNREACHABLE = "cannot be reached{system}{tries}; check {address} and the network."


class Failure(NamedTuple):
    """How an error of an attempt is reported, after `The API at URL`, and whether it is retried."""

    error: type[Exception] | tuple[type[Exception], ...]
    message: str
    retryable: bool = True


URL_ERRORS = (client.InvalidURL, requests.exceptions.InvalidURL, exceptions.LocationParseError)
# The first match with an error or a cause counts: some are subclasses of others further down.
FAILURES = (
    Failure(errors.FinalResponseError, INVALID, retryable=False),
    Failure(errors.InvalidResponseError, INVALID),
    Failure(errors.ResponseTooLargeError, TOO_LARGE, retryable=False),
    Failure(errors.ResponseTimeoutError, TOO_LATE),
    Failure(ssl.SSLCertVerificationError, NOT_TRUSTED, retryable=False),
    Failure(requests.exceptions.InvalidProxyURL, BAD_PROXY, retryable=False),
    Failure(URL_ERRORS, NO_URL, retryable=False),
    Failure((client.RemoteDisconnected, client.IncompleteRead), CLOSED),
    Failure(client.LineTooLong, LONG_HEADER),
    Failure((client.BadStatusLine, client.UnknownProtocol), NO_HTTP),
    Failure(client.HTTPException, MANY_HEADERS),
    Failure(exceptions.InvalidHeader, SEVERAL_LENGTHS, retryable=False),
    Failure(ssl.SSLEOFError, TLS_ENDED),
    Failure(exceptions.SSLError, NO_TLS, retryable=False),
    Failure(exceptions.ProxyError, NO_PROXY),
    Failure(requests.exceptions.InvalidSchema, NO_SOCKS, retryable=False),
    Failure(exceptions.NewConnectionError, UNREACHABLE),
    Failure(exceptions.ConnectTimeoutError, NOT_ACCEPTED),
    Failure(exceptions.ReadTimeoutError, SILENT),
    Failure(exceptions.ProtocolError, CLOSED),
    Failure(exceptions.DecodeError, NOT_DECODED, retryable=False),
    Failure(Exception, UNREACHABLE, retryable=False),
)


def is_request_error(error: BaseException) -> bool:
    """Return whether an error comes from requests: each of these is an OSError, too."""
    return isinstance(error, requests.RequestException)


def is_retryable(error: Exception) -> bool:
    """Return whether the same request may succeed the next time."""
    return _find_failure(error)[0].retryable


def transport_error_message(
    error: Exception,
    limits: HttpLimits = DEFAULT_LIMITS,
    retries: int = MAX_RETRIES,
    url: str | None = None,
    *,
    was_accepted: bool = False,
) -> str:
    """Return why there is no response, to follow `The API at URL`, with no part of the request.

    Args:
        was_accepted: whether the API accepted an earlier request.
    """
    failure, cause = _find_failure(error)
    text = failure.message
    if was_accepted and text == CLOSED:
        text = CLOSED_LATER
    chain = list(exception_chain(error))
    reasons = (one.reason for one in chain if isinstance(one, ssl.SSLError) and one.reason)
    ended = next((one for one in reasons if not PLAIN_TEXT.search(one)), "")
    if text == NO_TLS and ended:
        text = TLS_ENDED
    refused = (found[1] for e in chain if (found := TUNNEL.fullmatch(str(e))))
    system = next((e.strerror for e in chain if isinstance(e, OSError) and e.strerror), "")
    system = next(refused, system)
    certificate = CERTIFICATE_PROBLEMS.get(getattr(cause, "verify_code", 0), BAD_CERTIFICATE)
    reason, proxy = getattr(cause, "verify_message", ""), _find_proxy(url)
    setting = limits.base_url_setting
    message = text.format(
        error=cause,
        limits=limits,
        tries=f" (tried {1 + retries} times)" if retries and failure.retryable else "",
        system=f" ({system.lower()})" if system else "",
        certificate=certificate.format(address=setting, reason=reason),
        ended=f" ({ended.replace('_', ' ').lower()})" if ended else "",
        proxy=proxy,
        address=f"{setting} and the proxy {proxy}" if proxy else setting,
    )
    may_be_tls = text in (CLOSED, NO_HTTP) and (url or "").startswith("http://")
    if may_be_tls and not any(isinstance(one, client.IncompleteRead) for one in chain):
        return f"{message[:-1]}, and whether it must begin with https://."
    return message


def _find_proxy(url: str | None) -> str:
    """Return the address of the proxy by which a URL is requested, without user and password."""
    proxies = requests.utils.get_environ_proxies(url or "")
    proxy = requests.utils.select_proxy(url or "", proxies) or ""
    return origin(proxy) if is_proxy_url(proxy) else ""


def _find_failure(error: Exception) -> tuple[Failure, BaseException]:
    """Return the row of an error, and what matches it: the error or a cause."""
    chain = list(exception_chain(error))
    return next((row, one) for row in FAILURES for one in chain if isinstance(one, row.error))


def user_message(error: BaseException, retries: int = MAX_RETRIES) -> str | None:
    """Return what went wrong with the API, in one sentence, or None if it was not the cause."""
    for cause in exception_chain(error):
        if isinstance(cause, errors.ApiError):
            return str(cause)
        if isinstance(cause, requests.HTTPError) and cause.response is not None:
            return status_error_message(cause.response, retries)
    return None


def status_error_message(response: requests.Response, retries: int = MAX_RETRIES) -> str:
    """Return in one sentence which error status the API sent, and what to do."""
    status = response.status_code
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return NO_USER.format(proxy=_find_proxy(response.url), status=status_text(status))
    said = error_text(response)
    is_limit = retry_policy.is_rate_limit(response) or names_rate_limit(said)
    tries = f" to each of {1 + retries} attempts" if retries and is_retried(response) else ""
    advice = ADVICE.get(429 if is_limit else status, "try again later, or ask the API's operator")
    if retry_policy.retry_after(response) > MAX_WAIT:
        pause = shorten(response.headers["Retry-After"])
        advice = (
            f"it asks for a longer pause than a sync makes (Retry-After: {pause}); try again then"
        )
    key_name = getattr(response, "key_name", "")
    key_name = f"{key_name} ({place_of_variables(key_name)})" if key_name else "`auth` in defs.yaml"
    address = getattr(response, "limits", DEFAULT_LIMITS).base_url_setting
    advice = advice.format(key_name=key_name, address=address)
    url = shorten(redact_url(response.url))
    if status == HTTPStatus.FORBIDDEN and is_page(response) and not is_limit:
        advice = f"{advice}, or ask the API's operator whether a firewall refuses this host"
    if status == HTTPStatus.BAD_REQUEST and url.startswith("http:") and "https" in response.text:
        advice = f"begin {address} with https://"
    return f"The API at {url} answered {status_text(status)}{tries}; {advice}.{said}"


def status_text(status: int) -> str:
    """Return a status with its name: `404 Not Found`."""
    return f"{status} {client.responses.get(status, '')}".strip()
