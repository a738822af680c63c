"""A connection over plain http, on our own sockets and without a library.

A page costs 95 µs here and 300 µs with httpx's transport, and most pages come over plain http.
"""

import asyncio

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.address import Origin
from watchdeck.net.connection import MAX_HEAD, RawResponse, Request
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import Failure, RequestError, failure_of
from watchdeck.net.http1 import ChunkedDecoder, ResponseHead, end_of_head, not_http, read_head
from watchdeck.net.resolver import Resolver
from watchdeck.net.stream import ByteStream, connect

REQUESTS = 64
"""Encoded requests that are cached."""

INTERIM = 16
"""Most interim (1xx) heads before the head of the response."""

_BROKEN = Failure(Outcome.RESET, "the connection was closed in the middle")
_SWITCHING = 101


class PlainConnection:
    """A connection to one origin over plain http."""

    certificate = None

    def __init__(self, origin: Origin, resolver: Resolver) -> None:
        self._origin = origin
        self._resolver = resolver
        self._lock = asyncio.Lock()
        self._stream: ByteStream | None = None
        self._requests: dict[Request, bytes] = {}
        self.peer = ""
        self.reused = False

    async def exchange(self, request: Request) -> RawResponse:
        """Send a request and read the whole response. Raises RequestError, and nothing else."""
        async with self._lock:
            try:
                return await self._send(request)
            except (OSError, UnicodeError) as error:
                failure = failure_of(error, _BROKEN)
            raise RequestError(failure.outcome, failure.detail)

    async def close(self) -> None:
        """Close at once; the next request makes a new connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()

    async def _send(self, request: Request) -> RawResponse:
        stream, self._stream = self._stream, None  # stored again only after a whole response
        self.reused = stream is not None and not stream.readable
        if stream is None or not self.reused:
            if stream is not None:
                stream.abort()
            stream = await connect(
                await self._resolver.addresses(self._origin.host), self._origin.port
            )
            self.peer = stream.peer
        complete = False
        try:
            stream.allowance = MAX_HEAD
            stream.write(self._encoded_request(request))
            head, rest = await _read_head(stream, request.method)
            body, left = await _read_body(stream, head, rest, request.limit)
            complete = head.keep_alive and not left
        finally:
            if complete:
                self._stream = stream
            else:
                stream.abort()
        return RawResponse(head.status, head.headers, body)

    def _encoded_request(self, request: Request) -> bytes:
        encoded = self._requests.get(request)
        if encoded is None:
            if len(self._requests) >= REQUESTS:
                self._requests.clear()
            encoded = self._requests[request] = _encode(request)
        return encoded


def _encode(request: Request) -> bytes:
    lines = [f"{request.method} {request.address.target} HTTP/1.1"]
    lines.append(f"host: {request.address.origin.authority}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method != "GET":
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body


async def _read_more(stream: ByteStream, *, started: bool = True) -> bytes:
    data = await stream.read()
    if not data:
        words = "closed in the middle" if started else "closed without an answer"
        raise RequestError(Outcome.RESET, f"the connection was {words}")
    return data


async def _read_head(stream: ByteStream, method: str) -> tuple[ResponseHead, bytes]:
    """The head of the response, after interim ones, and the bytes that follow."""
    data = await _read_more(stream, started=False)
    for _ in range(INTERIM):
        end, searched = end_of_head(data), len(data)
        while end is None:
            data += await _read_more(stream)
            end, searched = end_of_head(data, searched), len(data)
        head, data = read_head(data[:end], method), data[end:]
        if head.status >= 200:
            return head, data
        if head.status == _SWITCHING:
            raise not_http()
    raise RequestError(Outcome.TOO_LARGE, "the server sends more than an answer may have")


async def _read_body(
    stream: ByteStream, head: ResponseHead, rest: bytes, limit: int
) -> tuple[bytes, bytes]:
    """The body, and the bytes after it, of which a proper response has none."""
    stream.allowance = 2 * limit
    if head.length is not None and head.length > limit:
        raise too_large(limit)
    if head.chunked:
        return await _read_chunked(stream, rest, limit)
    if head.length is None:
        return await _read_to_end(stream, rest, limit), b""
    pieces, size = [rest], len(rest)
    while size < head.length:
        piece = await _read_more(stream)
        pieces.append(piece)
        size += len(piece)
    body = b"".join(pieces)
    return body[: head.length], body[head.length :]


async def _read_chunked(stream: ByteStream, rest: bytes, limit: int) -> tuple[bytes, bytes]:
    chunks = ChunkedDecoder(limit)
    chunks.feed(rest)
    while chunks.rest is None:
        chunks.feed(await _read_more(stream))
    return chunks.body, chunks.rest


async def _read_to_end(stream: ByteStream, rest: bytes, limit: int) -> bytes:
    pieces, size = [rest], len(rest)
    while size <= limit and (piece := await stream.read()):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise too_large(limit)
    return b"".join(pieces)
