"""Reads the HTTP/1.1 requests of one connection, strictly and within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.units import Bytes
from watchdeck.errors import WatchdeckError
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.http1 import (
    MAX_CHUNKS,
    MAX_HEAD,
    MAX_LINE,
    MessageError,
    RequestParser,
    Violation,
)

MAX_FIELDS = 64
"""Most headers of a request."""

_MAX_TARGET = 2_048
_READ = 64 << 10
"""Most bytes of one read."""


class RequestRejected(WatchdeckError):
    """A request that is rejected, with the status and the text of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class RequestHead(Struct, frozen=True):
    """The request line and headers; header names are in lower case.

    `path` is the target without its query; `keep_alive` is whether the sender wants to use the
    connection again.
    """

    method: str
    path: str
    headers: dict[str, str]
    keep_alive: bool


class RequestReader:
    """Reads one request after the other from a connection; each body is at most `limit` bytes."""

    def __init__(self, reader: asyncio.StreamReader, limit: int) -> None:
        self._reader = reader
        self._limit = limit
        self._parser = RequestParser(limit)
        self._unread = memoryview(b"")

    async def read_head(self) -> RequestHead | None:
        """The head of the next request; None at the end of the connection.

        Raises RequestRejected.
        """
        parser = self._parser = RequestParser(self._limit)
        if not await self._read_until(lambda: parser.has_head):
            if parser.started:
                raise RequestRejected(400, "the request ends in its headers")
            return None
        return _head(parser)

    async def read_body(self, head: RequestHead) -> bytes:
        """The body of the request with this head, decompressed. Raises RequestRejected."""
        parser = self._parser
        try:
            parser.check_length()
        except MessageError as error:
            raise _rejection(error, self._limit) from None
        if not await self._read_until(lambda: parser.complete):
            raise RequestRejected(400, "the request ends in its body")
        if parser.has_excess or (parser.chunked and len(self._unread)):
            raise RequestRejected(400, "something follows the request before it was answered")
        try:
            return decompress(parser.body, head.headers.get("content-encoding", ""), self._limit)
        except RequestError as failed:
            large = failed.failure.outcome is Outcome.TOO_LARGE
            raise RequestRejected(413 if large else 400, str(failed)) from None

    async def discard(self, limit: int) -> None:
        """Read and drop at most `limit` bytes, so that the sender can read the response."""
        discarded = 0
        while discarded < limit and (data := await self._reader.read(_READ)):
            discarded += len(data)

    async def _read_until(self, reached: Callable[[], bool]) -> bool:
        """Parse until a condition is reached; False if the connection ends before."""
        while not reached():
            if not len(self._unread):
                self._unread = memoryview(await self._reader.read(_READ))
            if not len(self._unread):
                return False
            try:
                self._unread = self._unread[self._parser.feed(self._unread) :]
            except MessageError as error:
                raise _rejection(error, self._limit) from None
        return True


def _head(parser: RequestParser) -> RequestHead:
    """The parsed head. Raises RequestRejected when it is not a request to this server."""
    if parser.field_count > MAX_FIELDS:
        raise RequestRejected(431, f"the request has more than {MAX_FIELDS} headers")
    target = parser.target.decode("latin-1")
    if not target.startswith("/") or len(target) > _MAX_TARGET or not _is_plain(target):
        raise RequestRejected(400, "the request is not proper HTTP/1.1")
    if parser.version != "1.0" and "host" not in parser.headers:
        raise RequestRejected(400, "the request names no host")
    return RequestHead(
        parser.method, target.partition("?")[0], parser.headers, keep_alive=parser.keep_alive
    )


def _is_plain(target: str) -> bool:
    return target.isascii() and target.isprintable() and " " not in target


def _rejection(error: MessageError, limit: int) -> RequestRejected:
    """The status and words for a request that is refused."""
    status, words = _REJECTIONS[error.violation]
    return RequestRejected(status, words.format(limit=Bytes(limit)))


_REJECTIONS = {
    Violation.MALFORMED: (400, "the request is not proper HTTP/1.1"),
    Violation.LARGE_HEAD: (431, f"the headers are over {Bytes(MAX_HEAD)}"),
    Violation.LARGE_LINE: (431, f"a header is over {Bytes(MAX_LINE)}"),
    Violation.LARGE_BODY: (413, "the body is over {limit}"),
    Violation.MANY_CHUNKS: (413, f"the body comes in more than {MAX_CHUNKS} chunks"),
    Violation.OVERHEAD: (413, "the request has more bytes around its chunks than it may"),
}
