"""A connection to one origin over http or https, and its requests and responses."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.secret import Tls
from watchdeck.net import tls
from watchdeck.net.address import Origin, Url
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import Failure, RequestError, failure_of
from watchdeck.net.http1 import MessageError, ResponseParser, Violation
from watchdeck.net.resolver import Resolver
from watchdeck.net.stream import ByteStream, connect

IDLE_TIMEOUT = 120.0
"""Seconds after which an idle connection is not used again: a firewall may have forgotten it."""

READ_CERTIFICATE_TIMEOUT = 1.0
"""Seconds for the second connection, which reads a refused certificate."""

REQUESTS = 64
"""Encoded requests that are cached."""

_BROKEN = Failure(Outcome.RESET, "the connection was closed in the middle")

_FAILURES = {
    Violation.MALFORMED: Failure(Outcome.UNREADABLE, "the answer is not proper HTTP"),
    Violation.CUT_SHORT: _BROKEN,
    Violation.LARGE_HEAD: Failure(Outcome.TOO_LARGE, "the headers are too large"),
    Violation.LARGE_LINE: Failure(Outcome.TOO_LARGE, "a header is too large"),
    Violation.MANY_CHUNKS: Failure(Outcome.TOO_LARGE, "the body comes in too many parts"),
    Violation.OVERHEAD: Failure(Outcome.TOO_LARGE, "the server sends more than an answer may have"),
}


class Request(Struct, frozen=True):
    """One HTTP request; `limit` is the most bytes of the response's body, before decompression.

    A longer body is a failure, or is cut at the limit if `truncate`. Headers hold secrets, so
    `repr` leaves them out.
    """

    address: Url
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: bytes = b""
    limit: int = 1 << 20
    truncate: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {self.address}, limit={self.limit})"


class RawResponse(Struct, frozen=True):
    """One response with its body as sent, maybe compressed; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection(Protocol):
    """One persistent connection to one origin; it sends one request at a time."""

    @property
    def certificate(self) -> bytes | None:
        """The server's latest certificate (DER), even a refused one; None without TLS."""
        ...

    @property
    def peer(self) -> str:
        """The server's IP address on the latest connection; empty before the first."""
        ...

    @property
    def reused(self) -> bool:
        """Whether the latest request used a connection that had carried others."""
        ...

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        ...

    async def close(self) -> None:
        """Close the connection at once, even during a request."""
        ...


class SocketConnection:
    """A connection over a socket of our own, with TLS if the origin's scheme is https."""

    def __init__(self, origin: Origin, tls_settings: Tls, resolver: Resolver) -> None:
        self._origin = origin
        self._tls_settings = tls_settings
        self._resolver = resolver
        self._lock = asyncio.Lock()
        self._stream: ByteStream | None = None
        self._idle_since = 0.0
        self._requests: dict[Request, bytes] = {}
        self.certificate: bytes | None = None
        self.peer = ""
        self.reused = False

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        async with self._lock:
            try:
                return await self._send(request)
            except (OSError, UnicodeError) as error:
                failure = failure_of(error, _BROKEN)
            # outside the handler: the error of a library would become the context
            raise RequestError(failure.outcome, failure.detail)

    async def close(self) -> None:
        """Close at once; the next request makes a new connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()

    async def _send(self, request: Request) -> RawResponse:
        data = self._encoded_request(request)
        stream = self._take_idle_stream()
        self.reused = stream is not None
        if stream is None:
            stream = await self._connect()
        parser = ResponseParser(request.method, request.limit, truncate=request.truncate)
        try:
            stream.write(data)
            await stream.read_message(parser)
        except MessageError as error:
            raise _refusal(error, parser, request) from None
        finally:
            self._release(stream, parser)
        return RawResponse(parser.status, parser.headers, parser.body)

    def _take_idle_stream(self) -> ByteStream | None:
        """The stream of the last request, unless the server ended it or it was idle too long."""
        stream, self._stream = self._stream, None
        if stream is None:
            return None
        idle = asyncio.get_running_loop().time() - self._idle_since
        if stream.readable or idle > IDLE_TIMEOUT:
            stream.abort()
            return None
        return stream

    def _release(self, stream: ByteStream, parser: ResponseParser) -> None:
        """Keep the stream for the next request only after a whole response."""
        if parser.complete and parser.keep_alive and not (parser.has_excess or stream.readable):
            self._stream = stream
            self._idle_since = asyncio.get_running_loop().time()
        else:
            stream.abort()

    async def _connect(self) -> ByteStream:
        secured = self._origin.scheme == "https"
        context = tls.context(self._tls_settings) if secured else None
        addresses = await self._resolver.addresses(self._origin.host)
        stream = await connect(addresses, self._origin.port)
        self.peer = stream.peer
        if context is not None:
            try:
                await self._secure(stream, context)
            except BaseException:
                stream.abort()
                raise
        return stream

    async def _secure(self, stream: ByteStream, context: ssl.SSLContext) -> None:
        """Start TLS and keep the server's certificate. Raises OSError.

        A certificate that is refused is read over a second connection, for its expiry date.
        """
        host = self._origin.host
        try:
            await stream.secure(context, host)
        except ssl.SSLCertVerificationError:
            with suppress(OSError):  # TimeoutError is one
                async with asyncio.timeout(READ_CERTIFICATE_TIMEOUT):
                    self.certificate = await tls.peer_certificate(stream.peer, stream.port, host)
            raise
        self.certificate = stream.certificate

    def _encoded_request(self, request: Request) -> bytes:
        encoded = self._requests.get(request)
        if encoded is None:
            if len(self._requests) >= REQUESTS:
                self._requests.clear()
            encoded = self._requests[request] = _encode(request)
        return encoded


def _encode(request: Request) -> bytes:
    """The request as it is sent. Raises RequestError when HTTP forbids one of its headers."""
    lines = [f"{request.method} {request.address.target} HTTP/1.1"]
    lines.append(f"host: {request.address.origin.authority}")
    lines += [_encode_header(name, value) for name, value in request.headers]
    if request.body or request.method != "GET":
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body


def _encode_header(name: str, value: str) -> str:
    """A header line. Raises RequestError, without the value in its text: it may be a secret."""
    if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
        raise RequestError(
            Outcome.UNREACHABLE,
            f"not asked: the header {name.lower()} has a character that HTTP does not allow",
        )
    return f"{name}: {value}"


def _refusal(error: MessageError, parser: ResponseParser, request: Request) -> RequestError:
    """The failure that a refused response stands for."""
    if error.violation is Violation.LARGE_BODY:
        return too_large(request.limit)
    if error.violation is Violation.CUT_SHORT and not parser.started:
        return RequestError(Outcome.RESET, "the connection was closed without an answer")
    failure = _FAILURES[error.violation]
    return RequestError(failure.outcome, failure.detail)
