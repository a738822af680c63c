"""Questions over plain http, on our own sockets and without a library.

A page costs 95 µs here and 300 µs by httpx's transport, and most pages come over plain http.
"""

from __future__ import annotations

import asyncio

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.address import Origin
from watchdeck.net.connection import HEAD, RawResponse, Request
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import Failure, RequestError, failure_of
from watchdeck.net.http1 import ChunkedDecoder, ResponseHead, end_of_head, not_http, read_head
from watchdeck.net.resolver import Resolver
from watchdeck.net.stream import ByteStream, connect

REQUESTS = 64
"""Requests kept ready to be sent again."""

INTERIM = 16
"""Heads that may come before the answer's own."""

_BROKEN = Failure(Outcome.RESET, "the connection was closed in the middle")
_SWITCHING = 101


class PlainConnection:
    """One origin's questions over plain http."""

    certificate = None

    def __init__(self, origin: Origin, resolver: Resolver) -> None:
        self._origin = origin
        self._resolver = resolver
        self._turn = asyncio.Lock()
        self._wire: ByteStream | None = None
        self._requests: dict[Request, bytes] = {}
        self.peer = ""
        self.kept = False

    async def exchange(self, question: Request) -> RawResponse:
        """Ask and read the whole answer; raises Failed, and nothing else."""
        async with self._turn:
            try:
                return await self._asked(question)
            except (OSError, UnicodeError) as error:
                failure = failure_of(error, _BROKEN)
            raise RequestError(failure.outcome, failure.detail)

    async def close(self) -> None:
        """Let go at once; the next question makes a new connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()

    async def _asked(self, question: Request) -> RawResponse:
        wire, self._wire = self._wire, None  # given back only when the answer was whole
        self.kept = wire is not None and not wire.readable
        if wire is None or not self.kept:
            if wire is not None:
                wire.abort()
            wire = await connect(
                await self._resolver.addresses(self._origin.host), self._origin.port
            )
            self.peer = wire.peer
        answered = False
        try:
            wire.allowance = HEAD
            wire.write(self._request(question))
            head, rest = await _head(wire, question.method)
            body, left = await _body(wire, head, rest, question.limit)
            answered = head.kept and not left
        finally:
            if answered:
                self._wire = wire
            else:
                wire.abort()
        return RawResponse(head.status, head.headers, body)

    def _request(self, question: Request) -> bytes:
        request = self._requests.get(question)
        if request is None:
            if len(self._requests) >= REQUESTS:
                self._requests.clear()
            request = self._requests[question] = _written(question)
        return request


def _written(question: Request) -> bytes:
    lines = [f"{question.method} {question.address.target} HTTP/1.1"]
    lines.append(f"host: {question.address.origin.authority}")
    lines += [f"{name}: {value}" for name, value in question.headers]
    if question.body or question.method != "GET":
        lines.append(f"content-length: {len(question.body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + question.body


async def _more(wire: ByteStream, *, begun: bool = True) -> bytes:
    data = await wire.read()
    if not data:
        words = "closed in the middle" if begun else "closed without an answer"
        raise RequestError(Outcome.RESET, f"the connection was {words}")
    return data


async def _head(wire: ByteStream, method: str) -> tuple[ResponseHead, bytes]:
    """The head of the answer, interim ones passed over, and what came behind it."""
    data = await _more(wire, begun=False)
    for _ in range(INTERIM):
        end, seen = end_of_head(data), len(data)
        while end is None:
            data += await _more(wire)
            end, seen = end_of_head(data, seen), len(data)
        head, data = read_head(data[:end], method), data[end:]
        if head.status >= 200:
            return head, data
        if head.status == _SWITCHING:
            raise not_http()
    raise RequestError(Outcome.TOO_LARGE, "the server sends more than an answer can be")


async def _body(
    wire: ByteStream, head: ResponseHead, rest: bytes, limit: int
) -> tuple[bytes, bytes]:
    """The body, and what came behind it and should not have."""
    wire.allowance = 2 * limit
    if head.length is not None and head.length > limit:
        raise too_large(limit)
    if head.chunked:
        return await _chunked(wire, rest, limit)
    if head.length is None:
        return await _until_the_end(wire, rest, limit), b""
    pieces, size = [rest], len(rest)
    while size < head.length:
        piece = await _more(wire)
        pieces.append(piece)
        size += len(piece)
    body = b"".join(pieces)
    return body[: head.length], body[head.length :]


async def _chunked(wire: ByteStream, rest: bytes, limit: int) -> tuple[bytes, bytes]:
    chunks = ChunkedDecoder(limit)
    chunks.feed(rest)
    while chunks.rest is None:
        chunks.feed(await _more(wire))
    return chunks.body, chunks.rest


async def _until_the_end(wire: ByteStream, rest: bytes, limit: int) -> bytes:
    pieces, size = [rest], len(rest)
    while size <= limit and (piece := await wire.read()):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise too_large(limit)
    return b"".join(pieces)
