"""A failed request as a value: its outcome and a short clean reason; never an exception's text.

Exceptions of libraries carry the data that caused them, headers and secrets included, so only
their types, codes and our own texts are used.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.redaction import redact


class Failure(Struct, frozen=True):
    """How a request failed, and why in a few words."""

    outcome: Outcome
    detail: str


class RequestError(WatchdeckError):
    """A request that failed; `failure` holds its outcome and a short reason."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(redact(detail))
        self.failure = Failure(outcome, clean(redact(detail), 300))

    def with_name(self, name: str) -> RequestError:
        """The same error with the name of the request before the reason: `/metrics: ...`."""
        return RequestError(self.failure.outcome, f"{clean(name, 120)}: {self.failure.detail}")


_SYSTEM: dict[type[BaseException], Failure] = {
    TimeoutError: Failure(Outcome.TIMED_OUT, "no answer in time"),
    UnicodeError: Failure(Outcome.DNS, "the host is no valid name"),
    ConnectionRefusedError: Failure(Outcome.REFUSED, "the connection was refused"),
    ConnectionResetError: Failure(Outcome.RESET, "the connection was reset"),
    BrokenPipeError: Failure(Outcome.RESET, "the connection was reset"),
    ConnectionAbortedError: Failure(Outcome.RESET, "the connection was aborted"),
    PermissionError: Failure(Outcome.UNREACHABLE, "this machine forbids the connection"),
    OSError: Failure(Outcome.UNREACHABLE, "no connection could be made"),
}

_ERRNO = {
    errno.ENETUNREACH: Failure(Outcome.UNREACHABLE, "the network is unreachable"),
    errno.ENETDOWN: Failure(Outcome.UNREACHABLE, "the network is down"),
    errno.EHOSTUNREACH: Failure(Outcome.UNREACHABLE, "there is no route to the host"),
    errno.EHOSTDOWN: Failure(Outcome.UNREACHABLE, "the host is down"),
    errno.EADDRNOTAVAIL: Failure(Outcome.UNREACHABLE, "this machine has no address or port left"),
    errno.EMFILE: Failure(Outcome.UNREACHABLE, "the collector has too many files open"),
    errno.ENFILE: Failure(Outcome.UNREACHABLE, "this machine has too many files open"),
}

_DNS = {
    socket.EAI_NONAME: "the host name is not known",
    socket.EAI_NODATA: "the host name has no address",
    socket.EAI_AGAIN: "the name server does not answer",
}

_CERTIFICATE = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate's chain ends in an authority that is not trusted",
    20: "the certificate's issuer is not trusted",
    21: "the certificate's chain is incomplete",
    23: "the certificate was revoked",
    62: "the certificate is for another host name",
    64: "the certificate is for another address",
}
"""Reasons by OpenSSL's verification codes (x509_vfy.h), whose numbers do not change."""

_TLS = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS here",
    "HTTP_REQUEST": "the server does not speak TLS here",
    "UNSUPPORTED_PROTOCOL": "the server only speaks a TLS that is too old",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server asks for a client certificate",
}

_CHAIN = 12


def failure_of(error: BaseException, otherwise: Failure) -> Failure:
    """The failure for an exception, by its deepest known cause; `otherwise` if none is known."""
    found = otherwise
    for cause in _causes(error):
        found = _system_failure(cause) or found
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, outermost first; a group counts as its first member."""
    cause: BaseException | None = error
    for _ in range(_CHAIN):
        if cause is None:
            return
        yield cause
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__


def _system_failure(error: BaseException) -> Failure | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        return Failure(Outcome.TLS, _CERTIFICATE.get(code, f"the certificate fails check {code}"))
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "the handshake was cut off"
        return Failure(Outcome.TLS, _TLS.get(reason, f"TLS failed: {_lower_words(reason)}"))
    if isinstance(error, socket.gaierror):
        words = _DNS.get(error.errno or 0, "the host name cannot be looked up")
        return Failure(Outcome.DNS, words)
    if isinstance(error, OSError) and error.errno in _ERRNO:
        return _ERRNO[error.errno]
    return next((_SYSTEM[kind] for kind in type(error).__mro__ if kind in _SYSTEM), None)


def _lower_words(reason: str) -> str:
    return clean(reason.lower().replace("_", " "), 80)


def status_words(status: int) -> str:
    """A status code with its name: `503 Service Unavailable`."""
    return f"{status} {http.client.responses.get(status, '')}".rstrip()
