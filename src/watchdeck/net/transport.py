"""httpx's interface over the project's own connections: the limits of these hold for its clients.

Importing this module imports httpx (0.1 s, 10 MB).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net.address import Origin, parse_url
from watchdeck.net.connection import Connection, RawResponse, Request, SocketConnection
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.resolver import Resolver

_OWN_HEADERS = frozenset(("host", "content-length", "transfer-encoding", "connection"))
"""Headers of a request that the connection writes itself."""

_DROPPED_HEADERS = frozenset(("set-cookie", "content-encoding", "transfer-encoding"))
"""Headers of a response that httpx must not act on: cookies would fill its memory, and the body has
been decompressed within the limit."""

_ERRORS: dict[Outcome, type[httpx.TransportError]] = {
    Outcome.TIMED_OUT: httpx.ReadTimeout,
    Outcome.RESET: httpx.ReadError,
    Outcome.UNREADABLE: httpx.RemoteProtocolError,
    Outcome.TOO_LARGE: httpx.RemoteProtocolError,
}
"""httpx's exceptions for the outcomes of a request; for all others there was no connection."""


class Transport(httpx.AsyncBaseTransport):
    """A transport for `httpx.AsyncClient`, with one connection for each origin.

    A request has `timeout` seconds in all, whatever timeouts the client has. Of a longer body, only
    the first `limit` bytes arrive: the status and headers count all the same. The text of each
    error is our own, without addresses and secrets.
    """

    def __init__(self, resolver: Resolver, tls: Tls, *, timeout: float, limit: int) -> None:
        self._resolver = resolver
        self._tls = tls
        self._timeout = timeout
        self._limit = limit
        self._connections: dict[Origin, Connection] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises httpx.TransportError."""
        content = await request.aread()
        try:
            async with asyncio.timeout(self._timeout):
                raw = await self._exchange(request, content)
        except TimeoutError:
            failure = RequestError(Outcome.TIMED_OUT, "no answer in time").failure
        except RequestError as error:
            failure = error.failure
        else:
            return _response(raw, self._limit)
        raise _ERRORS.get(failure.outcome, httpx.ConnectError)(failure.detail)

    async def aclose(self) -> None:
        """Close every connection at once."""
        for connection in self._connections.values():
            await connection.close()

    async def _exchange(self, request: httpx.Request, content: bytes) -> RawResponse:
        address = parse_url(str(request.url))
        connection = self._connections.get(address.origin)
        if connection is None:
            connection = SocketConnection(address.origin, self._tls, self._resolver)
            self._connections[address.origin] = connection
        headers = tuple(
            (name, value)
            for name, value in request.headers.items()
            if name.lower() not in _OWN_HEADERS
        )
        return await connection.exchange(
            Request(address, headers, request.method, content, self._limit, truncate=True)
        )


def _response(raw: RawResponse, limit: int) -> httpx.Response:
    headers = [(name, text) for name, text in raw.headers.items() if name not in _DROPPED_HEADERS]
    body = _Body(raw.body, raw.headers.get("content-encoding", ""), limit)
    return httpx.Response(raw.status, headers=headers, stream=body)


class _Body(httpx.AsyncByteStream):
    """A body that is decompressed when it is read: a damaged one must not hide the status."""

    def __init__(self, body: bytes, encoding: str, limit: int) -> None:
        self._body = body
        self._encoding = encoding
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            yield decompress(self._body, self._encoding, self._limit)
        except RequestError as error:
            failure = error.failure
        else:
            return
        raise httpx.DecodingError(failure.detail)
