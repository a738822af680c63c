"""One HTTP/1.1 request taken in, strictly and within bounds."""

from __future__ import annotations

import asyncio
import re

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.units import Bytes
from watchdeck.errors import WatchdeckError
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.http1 import LONGEST_LINE, ChunkedDecoder, read_fields, read_length

HEAD = 16 << 10
"""Bytes of a request's head."""

FIELDS = 64
"""Headers of a request."""

PIECE = 64 << 10
"""Bytes that are read at once of a body whose length is not known."""

_LINE = re.compile(rb"([A-Z]{1,20}) (/[!-~]{0,2047}) HTTP/1\.([01])")


class RequestRejected(WatchdeckError):
    """A request that is not taken: the status to answer with, and the words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class RequestHead(Struct, frozen=True):
    """The first part of a request; header names are in lower case.

    `kept` tells that the sender wants to go on with the same connection.
    """

    method: str
    path: str
    headers: dict[str, str]
    length: int | None
    chunked: bool
    kept: bool


async def read_request_head(reader: asyncio.StreamReader) -> RequestHead | None:
    """The head of the next request; None when the sender is done. Raises Refused.

    The reader must have been made with HEAD as its limit.
    """
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise RequestRejected(431, f"the headers are over {Bytes(HEAD)}") from None
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise RequestRejected(400, "the request ends in its headers") from None
        return None
    first, *lines = data[:-4].split(b"\r\n")
    begin = _LINE.fullmatch(first)
    if begin is None:
        raise RequestRejected(400, "the request is not proper HTTP/1.1")
    if len(lines) > FIELDS:
        raise RequestRejected(431, f"the request has more than {FIELDS} headers")
    return _head(begin, lines)


def _head(begin: re.Match[bytes], lines: list[bytes]) -> RequestHead:
    try:
        headers = read_fields(lines)
        length = read_length(headers)
    except RequestError as failed:
        if failed.failure.outcome is Outcome.TOO_LARGE:
            raise RequestRejected(431, f"a header is over {Bytes(LONGEST_LINE)}") from None
        raise RequestRejected(400, "the request is not proper HTTP/1.1") from None
    encoding = headers.get("transfer-encoding")
    if encoding is not None and (encoding.lower() != "chunked" or length is not None):
        raise RequestRejected(400, "the request does not say clearly how long it is")
    if begin[3] == b"1" and "host" not in headers:
        raise RequestRejected(400, "the request names no host")
    closing = "close" in headers.get("connection", "").lower()
    return RequestHead(
        method=begin[1].decode(),
        path=begin[2].decode().partition("?")[0],
        headers=headers,
        length=length,
        chunked=encoding is not None,
        kept=begin[3] == b"1" and not closing,
    )


async def read_request_body(reader: asyncio.StreamReader, head: RequestHead, limit: int) -> bytes:
    """The body of a request, of at most `limit` bytes as sent and as unpacked. Raises Refused."""
    if (head.length or 0) > limit:
        raise RequestRejected(413, f"the body is over {Bytes(limit)}")
    try:
        body = await (_chunked(reader, limit) if head.chunked else _counted(reader, head))
        return decompress(body, head.headers.get("content-encoding", ""), limit)
    except asyncio.IncompleteReadError:
        raise RequestRejected(400, "the request ends in its body") from None
    except RequestError as failed:
        large = failed.failure.outcome is Outcome.TOO_LARGE
        raise RequestRejected(413 if large else 400, str(failed)) from None


async def _counted(reader: asyncio.StreamReader, head: RequestHead) -> bytes:
    return await reader.readexactly(head.length or 0)


async def _chunked(reader: asyncio.StreamReader, limit: int) -> bytes:
    chunks = ChunkedDecoder(limit)
    while chunks.rest is None:
        data = await reader.read(PIECE)
        if not data:
            raise RequestRejected(400, "the request ends in its body")
        chunks.feed(data)
    if chunks.rest:
        raise RequestRejected(400, "something follows the request before it was answered")
    return chunks.body
