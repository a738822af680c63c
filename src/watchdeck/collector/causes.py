"""What each exception of httpx means, as a table."""

from __future__ import annotations

import httpx

from watchdeck.collector.failure import Failure, by_class, explain
from watchdeck.domain.scrape import Outcome

EXPECTED = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    OSError,
    UnicodeError,
)
"""All that httpx, TLS and the sockets raise when a request fails."""


_UNREADABLE = Outcome.UNREADABLE
_NOT_HTTP = Failure(_UNREADABLE, "the answer is not proper HTTP")
_BROKEN = Failure(Outcome.RESET, "the connection was closed in the middle")

HTTPX: dict[type[Exception], Failure] = {
    httpx.ConnectTimeout: Failure(Outcome.TIMED_OUT, "no connection in time"),
    httpx.ReadTimeout: Failure(Outcome.TIMED_OUT, "no complete answer in time"),
    httpx.WriteTimeout: Failure(Outcome.TIMED_OUT, "the request was not taken in time"),
    httpx.PoolTimeout: Failure(Outcome.TIMED_OUT, "the connection was busy"),
    httpx.TimeoutException: Failure(Outcome.TIMED_OUT, "no answer in time"),
    httpx.ConnectError: Failure(Outcome.UNREACHABLE, "no connection could be made"),
    httpx.ReadError: _BROKEN,
    httpx.WriteError: _BROKEN,
    httpx.CloseError: _BROKEN,
    httpx.NetworkError: _BROKEN,
    httpx.ProxyError: Failure(Outcome.UNREACHABLE, "the proxy refused"),
    httpx.UnsupportedProtocol: Failure(Outcome.UNREACHABLE, "only http and https can be asked"),
    httpx.LocalProtocolError: Failure(
        _UNREADABLE, "the request cannot be written: a header has a character that HTTP forbids"
    ),
    httpx.RemoteProtocolError: _NOT_HTTP,
    httpx.ProtocolError: _NOT_HTTP,
    httpx.TransportError: Failure(Outcome.UNREACHABLE, "no connection could be made"),
    httpx.DecodingError: Failure(_UNREADABLE, "the body cannot be decompressed"),
    httpx.TooManyRedirects: Failure(Outcome.REDIRECTED, "too many redirects"),
    httpx.RequestError: Failure(_UNREADABLE, "the request failed"),
    httpx.HTTPStatusError: Failure(Outcome.HTTP_STATUS, "an error status"),
    httpx.HTTPError: Failure(_UNREADABLE, "the request failed"),
    httpx.InvalidURL: Failure(Outcome.UNREACHABLE, "the url cannot be read"),
    httpx.CookieConflict: Failure(_UNREADABLE, "the answer's cookies conflict"),
    httpx.StreamConsumed: _BROKEN,
    httpx.StreamClosed: _BROKEN,
    httpx.ResponseNotRead: _BROKEN,
    httpx.RequestNotRead: _BROKEN,
    httpx.StreamError: _BROKEN,
}
"""What each of httpx's exceptions means, the most specific class of an exception deciding."""


def explained(error: BaseException, *, cut_off: bool) -> Failure:
    """What went wrong; of a connection read to its end, what looks like bad HTTP is half of it."""
    failure = by_class(HTTPX, error) or Failure(_UNREADABLE, type(error).__name__)
    return explain(error, _BROKEN if cut_off and failure is _NOT_HTTP else failure)
