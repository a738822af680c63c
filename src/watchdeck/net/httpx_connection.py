"""Questions carried by httpx, one connection an origin, every failure named."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import httpx

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Tls
from watchdeck.net import tls
from watchdeck.net.address import Origin
from watchdeck.net.connection import HEAD, PIECES, RawResponse, Request
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import Failure, RequestError, by_class, failure_of
from watchdeck.net.httpx_transport import AsyncioBackend, SingleConnectionTransport
from watchdeck.net.resolver import Resolver

BREATHE = 256
"""Parts of a body after which everyone else gets a turn (5 ms)."""

REQUESTS = 64
"""Requests kept ready to be sent again."""


class HttpxConnection:
    """One origin's questions, carried by httpx without its client.

    The client's cookie jar would let a server fill our memory, and its redirects, logins and
    decoding are 40 % of a page (388 against 226 µs); the reader does what is needed of them, within
    bounds.
    """

    def __init__(
        self,
        origin: Origin,
        checks: Tls,
        resolver: Resolver,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._origin = origin
        self._checks = checks
        self._network = AsyncioBackend(resolver)
        self._make = transport or self._pool
        self._transport: httpx.AsyncBaseTransport | None = None
        self._requests: dict[Request, httpx.Request] = {}
        self.kept = False

    @property
    def certificate(self) -> bytes | None:
        """The DER of what the server showed last, also when it was refused."""
        return self._network.certificate

    @property
    def peer(self) -> str:
        """The address last connected to, or empty."""
        return self._network.peer

    async def exchange(self, question: Request) -> RawResponse:
        """Ask and read the whole answer; raises Failed, and nothing else."""
        made, answer = self._network.made, None
        try:
            answer = await self._asked(question)
        except EXPECTED as error:
            failure = failure_of_httpx(error, cut_off=self._network.spent)
        else:
            return answer
        finally:
            self.kept = 0 < made == self._network.made
            # a pool of one that lost track of its one connection would wait for ever
            if answer is None:
                await self.close()
        # outside the handler: what a library raises may hold a header, and would be kept with it
        raise RequestError(failure.outcome, failure.detail)

    async def close(self) -> None:
        """Let go at once; the next question makes a new connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _asked(self, question: Request) -> RawResponse:
        if self._transport is None:
            self._transport = self._make()
        self._network.allow(HEAD)
        response = await self._transport.handle_async_request(self._request(question))
        try:
            body = await self._body(response, question.limit)
        finally:
            await response.aclose()
        return RawResponse(response.status_code, _headers(response), body)

    async def _body(self, response: httpx.Response, limit: int) -> bytes:
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise too_large(limit)
        self._network.allow(2 * limit)
        pieces: list[bytes] = []
        size = 0
        async for piece in response.stream:  # type: ignore[union-attr]
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            if len(pieces) > PIECES:
                raise RequestError(Outcome.TOO_LARGE, "the body comes in too many parts")
            if len(pieces) % BREATHE == 0:
                await asyncio.sleep(0)
        return b"".join(pieces)

    def _request(self, question: Request) -> httpx.Request:
        request = self._requests.get(question)
        if request is None:
            if len(self._requests) >= REQUESTS:
                self._requests.clear()
            request = self._requests[question] = httpx.Request(
                question.method,
                str(question.address),
                headers=[("host", self._origin.authority), *question.headers],
                content=question.body or None,
            )
        return request

    def _pool(self) -> httpx.AsyncBaseTransport:
        return SingleConnectionTransport(self._network, self._context())

    def _context(self) -> ssl.SSLContext | None:
        return tls.context(self._checks) if self._origin.scheme == "https" else None


def _headers(response: httpx.Response) -> dict[str, str]:
    """The headers by lower-case name; one that comes twice is joined, so that it cannot hide."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


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


def failure_of_httpx(error: BaseException, *, cut_off: bool) -> Failure:
    """What went wrong; of a connection read to its end, what looks like bad HTTP is half of it."""
    failure = by_class(HTTPX, error) or Failure(_UNREADABLE, type(error).__name__)
    return failure_of(error, _BROKEN if cut_off and failure is _NOT_HTTP else failure)
