"""One-sentence messages, without a key, about errors of the API, and whether to retry them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import requests
from urllib3 import exceptions

from event_assets._compat.urllib3 import client
from event_assets.config.http import DEFAULT_LIMITS, HttpLimits
from event_assets.http import retry_policy
from event_assets.http.error_text import error_text
from event_assets.http.retry_policy import MAX_RETRIES, is_retried
from event_assets.values import errors
from event_assets.values.errors import exception_chain
from event_assets.values.urls import redact_url

KEY_NAME_ATTRIBUTE = "key_name"  # of auths: the names of the variables that hold the key
ADVICE: Mapping[int, str] = {
    400: "check the endpoint's path and params in defs.yaml, and the key",
    401: "set {key_name} to a key that this API accepts",
    403: "set {key_name} to a key that may read events",
    404: "check {address} and the endpoint's path in defs.yaml",
    429: "the API is limiting requests: sync less often, or ask for a higher limit",
}
# What may be raised by one attempt at a request.
ATTEMPT_ERRORS = (errors.ResponseError, requests.RequestException, exceptions.HTTPError)
# By OpenSSL's codes: why a certificate is not trusted, and what to do. Others: its issuer.
CERTIFICATE_PROBLEMS: Mapping[int, str] = {
    9: "it is not valid yet; check the clock of this machine",
    10: "it has expired; ask the API's operator to renew it",
    18: "it is self-signed; check {address}, or set REQUESTS_CA_BUNDLE to a file that holds it",
    62: "it is of another host; check {address}",
    64: "it is of another host; check {address}",
}
UNKNOWN_ISSUER = (
    "its issuer is unknown here; set REQUESTS_CA_BUNDLE to a file with the issuer's certificate"
)
CLOSED = "closed the connection in the middle of a response{tries}; check {limits.address}."
NO_HTTP = "sent no HTTP{tries}; check {limits.address}."
NO_URL = "has no valid URL{tries}; check {limits.address}."
SEVERAL_LENGTHS = "sent a response with several lengths, of which one at most is right."
NO_TLS = "does not support TLS, which https:// requires{tries}; check {limits.address}."
NOT_ACCEPTED = "did not accept a connection in {limits.connect:g} s{tries}; check {limits.address}."
SILENT = "sent nothing for {limits.read:g} s{tries}; check {limits.address}."
NOT_DECOMPRESSED = "sent a response that cannot be decompressed{tries}; check {limits.address}."
UNREACHABLE = "cannot be reached{system}{tries}; check {limits.address} and the network."


class TransportFailure(NamedTuple):
    """How an error of requests or urllib3 is reported, and whether it is retried."""

    errors: tuple[type[Exception], ...]
    message: str = UNREACHABLE
    retryable: bool = True


# The first match with an error or a cause counts: some are subclasses of others further down.
TRANSPORT_FAILURES = (
    TransportFailure(
        (client.InvalidURL, requests.exceptions.InvalidURL, exceptions.LocationParseError),
        NO_URL,
        retryable=False,
    ),
    TransportFailure((client.RemoteDisconnected, client.IncompleteRead), CLOSED),
    TransportFailure((client.LineTooLong,), "sent a header of more than 65,536 bytes{tries}."),
    TransportFailure((client.BadStatusLine,), NO_HTTP),
    TransportFailure((client.HTTPException,), "sent more than 100 headers{tries}."),
    TransportFailure((exceptions.InvalidHeader,), SEVERAL_LENGTHS, retryable=False),
    TransportFailure((exceptions.SSLError,), NO_TLS, retryable=False),
    TransportFailure((exceptions.NewConnectionError, exceptions.ProxyError)),
    TransportFailure((exceptions.ConnectTimeoutError,), NOT_ACCEPTED),
    TransportFailure((exceptions.ReadTimeoutError,), SILENT),
    TransportFailure((exceptions.ProtocolError,), CLOSED),
    TransportFailure((exceptions.DecodeError,), NOT_DECOMPRESSED, retryable=False),
    TransportFailure((Exception,), retryable=False),
)


def is_request_error(error: BaseException) -> bool:
    """Return whether an error comes from requests: each of these is an OSError, too."""
    return isinstance(error, requests.RequestException)


def is_retryable(error: Exception) -> bool:
    """Return whether the same request may succeed the next time."""
    if isinstance(error, errors.EventAssetsError):
        return error.retryable
    return _transport_failure(error).retryable


def transport_error_message(
    error: Exception,
    limits: HttpLimits = DEFAULT_LIMITS,
    retries: int = MAX_RETRIES,
    url: str | None = None,
) -> str:
    """Return why there is no response, to follow `The API at URL`, with no part of the request."""
    if isinstance(error, errors.ResponseTooLargeError):
        return (
            f"sent a response of more than {limits.megabytes} MB; request fewer records at a "
            "time, or raise max_answer_mb in defs.yaml."
        )
    tries = f" (tried {1 + retries} times)" if retries and is_retryable(error) else ""
    if isinstance(error, errors.InvalidResponseError):
        return f"sent a response that {error}{tries}; check the endpoint in defs.yaml.{error.said}"
    causes = list(exception_chain(error))
    if any(isinstance(cause, errors.ResponseTimeoutError) for cause in causes):
        return (
            f"did not send a complete response in {limits.total:g} s{tries}; request fewer "
            "records at a time, or raise timeouts.answer in defs.yaml."
        )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = CERTIFICATE_PROBLEMS.get(cause.verify_code, UNKNOWN_ISSUER)
            problem = problem.format(address=limits.address)
            return f"has a TLS certificate that is not trusted: {problem}."
    system = next((e.strerror for e in causes if isinstance(e, OSError) and e.strerror), "")
    system = f" ({system.lower()})" if system else ""
    failure = _transport_failure(error)
    message = failure.message.format(limits=limits, tries=tries, system=system)
    may_be_tls = failure.message in (CLOSED, NO_HTTP) and (url or "").startswith("http://")
    if may_be_tls and not any(isinstance(cause, client.IncompleteRead) for cause in causes):
        return f"{message[:-1]}, and whether it must begin with https://."
    return message


def _transport_failure(error: Exception) -> TransportFailure:
    chain = list(exception_chain(error))
    return next(
        row for row in TRANSPORT_FAILURES if any(isinstance(one, row.errors) for one in chain)
    )


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
    is_limit = retry_policy.is_rate_limit(response)
    tries = f" to each of {1 + retries} attempts" if retries and is_retried(response) else ""
    advice = ADVICE.get(429 if is_limit else status, "try again later, or ask the API's operator")
    key_name = getattr(response, "key_name", "")
    advice = advice.format(
        key_name=f"{key_name} (in .env or the environment)" if key_name else "`auth` in defs.yaml",
        address=getattr(response, "address", DEFAULT_LIMITS.address),
    )
    url, said = redact_url(response.url), error_text(response)
    if status == HTTPStatus.BAD_REQUEST and url.startswith("http:") and "https" in response.text:
        advice = f"begin {getattr(response, 'address', DEFAULT_LIMITS.address)} with https://"
    return f"The API at {url} answered {status_text(status)}{tries}; {advice}.{said}"


def status_text(status: int) -> str:
    """Return a status with its name: `404 Not Found`."""
    phrases = {known.value: known.phrase for known in HTTPStatus}
    return f"{status} {phrases.get(status, '')}".strip()
