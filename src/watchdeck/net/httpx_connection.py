"""A connection over httpx's transport, every failure named."""

import asyncio
import ssl
from collections.abc import Callable

import httpx

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net import tls
from watchdeck.net.address import Origin
from watchdeck.net.connection import MAX_HEAD, MAX_PIECES, RawResponse, Request
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import Failure, RequestError, by_class, failure_of
from watchdeck.net.httpx_transport import AsyncioBackend, SingleConnectionTransport
from watchdeck.net.resolver import Resolver

BREATHE = 256
"""Parts of a body (5 ms) after which other tasks get a turn."""

REQUESTS = 64
"""Prepared requests that are cached."""


class HttpxConnection:
    """A connection to one origin over httpx's transport, without httpx's client.

    httpx's client stores cookies, with which a server could fill our memory, and its redirects,
    logins and decoding take 40 % of the time of a page (388 µs, 226 µs without). `HttpClient`
    does the part that is needed, within limits.
    """

    def __init__(
        self,
        origin: Origin,
        tls_settings: Tls,
        resolver: Resolver,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._origin = origin
        self._tls_settings = tls_settings
        self._network = AsyncioBackend(resolver)
        self._make_transport = transport or self._build_transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._requests: dict[Request, httpx.Request] = {}
        self.reused = False

    @property
    def certificate(self) -> bytes | None:
        """The server's latest certificate (DER), even a refused one; None before the first."""
        return self._network.certificate

    @property
    def peer(self) -> str:
        """The server's IP address on the latest connection; empty before the first."""
        return self._network.peer

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        count, response = self._network.connection_count, None
        try:
            response = await self._send(request)
        except EXPECTED as error:
            failure = failure_of_httpx(error, cut_off=self._network.eof_read)
        else:
            return response
        finally:
            self.reused = 0 < count == self._network.connection_count
            # a pool of one that lost track of its one connection would wait for ever
            if response is None:
                await self.close()
        # outside the handler: a library's error, which may hold a header, would become the context
        raise RequestError(failure.outcome, failure.detail)

    async def close(self) -> None:
        """Close at once; the next request makes a new connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _send(self, request: Request) -> RawResponse:
        if self._transport is None:
            self._transport = self._make_transport()
        self._network.allow(MAX_HEAD)
        response = await self._transport.handle_async_request(self._prepare(request))
        try:
            body = await self._body(response, request.limit)
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
            if len(pieces) > MAX_PIECES:
                raise RequestError(Outcome.TOO_LARGE, "the body comes in too many parts")
            if len(pieces) % BREATHE == 0:
                await asyncio.sleep(0)
        return b"".join(pieces)

    def _prepare(self, request: Request) -> httpx.Request:
        prepared = self._requests.get(request)
        if prepared is None:
            if len(self._requests) >= REQUESTS:
                self._requests.clear()
            prepared = self._requests[request] = httpx.Request(
                request.method,
                str(request.address),
                headers=[("host", self._origin.authority), *request.headers],
                content=request.body or None,
            )
        return prepared

    def _build_transport(self) -> httpx.AsyncBaseTransport:
        return SingleConnectionTransport(self._network, self._tls_context())

    def _tls_context(self) -> ssl.SSLContext | None:
        return tls.context(self._tls_settings) if self._origin.scheme == "https" else None


def _headers(response: httpx.Response) -> dict[str, str]:
    """Header values by lower-case name, those of a repeated header joined."""
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
"""All exceptions of httpx, TLS and sockets for a request that fails."""

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
"""The failure of each httpx exception; the most specific class decides."""


def failure_of_httpx(error: BaseException, *, cut_off: bool) -> Failure:
    """The failure for an exception; on a `cut_off` connection, bad HTTP is a partial response."""
    failure = by_class(HTTPX, error) or Failure(_UNREADABLE, type(error).__name__)
    return failure_of(error, _BROKEN if cut_off and failure is _NOT_HTTP else failure)
