"""Reads one HTTP/1.1 request, strictly and within limits."""

import asyncio
import re

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.units import Bytes
from watchdeck.errors import WatchdeckError
from watchdeck.net.decompress import decompress
from watchdeck.net.failure import RequestError
from watchdeck.net.http1 import MAX_LINE, ChunkedDecoder, read_fields, read_length

HEAD = 16 << 10
"""Most bytes of a request's head."""

FIELDS = 64
"""Most headers of a request."""

PIECE = 64 << 10
"""Most bytes of one read of a chunked body."""

_LINE = re.compile(rb"([A-Z]{1,20}) (/[!-~]{0,2047}) HTTP/1\.([01])")


class RequestRejected(WatchdeckError):
    """A request that is rejected, with the status and the text of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class RequestHead(Struct, frozen=True):
    """The request line and headers; header names are in lower case.

    `length` is the content-length, None without one; `keep_alive` is whether the sender wants to
    use the connection again.
    """

    method: str
    path: str
    headers: dict[str, str]
    length: int | None
    chunked: bool
    keep_alive: bool


async def read_request_head(reader: asyncio.StreamReader) -> RequestHead | None:
    """The head of the next request; None at the end of the connection. Raises RequestRejected.

    The buffer limit of the reader must be HEAD (bytes).
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
    request_line = _LINE.fullmatch(first)
    if request_line is None:
        raise RequestRejected(400, "the request is not proper HTTP/1.1")
    if len(lines) > FIELDS:
        raise RequestRejected(431, f"the request has more than {FIELDS} headers")
    return _parse_head(request_line, lines)


def _parse_head(request_line: re.Match[bytes], lines: list[bytes]) -> RequestHead:
    try:
        headers = read_fields(lines)
        length = read_length(headers)
    except RequestError as failed:
        if failed.failure.outcome is Outcome.TOO_LARGE:
            raise RequestRejected(431, f"a header is over {Bytes(MAX_LINE)}") from None
        raise RequestRejected(400, "the request is not proper HTTP/1.1") from None
    encoding = headers.get("transfer-encoding")
    if encoding is not None and (encoding.lower() != "chunked" or length is not None):
        raise RequestRejected(400, "the request does not state its length clearly")
    if request_line[3] == b"1" and "host" not in headers:
        raise RequestRejected(400, "the request names no host")
    closing = "close" in headers.get("connection", "").lower()
    return RequestHead(
        method=request_line[1].decode(),
        path=request_line[2].decode().partition("?")[0],
        headers=headers,
        length=length,
        chunked=encoding is not None,
        keep_alive=request_line[3] == b"1" and not closing,
    )


async def read_request_body(reader: asyncio.StreamReader, head: RequestHead, limit: int) -> bytes:
    """The body, at most `limit` bytes before and after decompression. Raises RequestRejected."""
    if (head.length or 0) > limit:
        raise RequestRejected(413, f"the body is over {Bytes(limit)}")
    try:
        body = await (_read_chunked(reader, limit) if head.chunked else _read_counted(reader, head))
        return decompress(body, head.headers.get("content-encoding", ""), limit)
    except asyncio.IncompleteReadError:
        raise RequestRejected(400, "the request ends in its body") from None
    except RequestError as failed:
        large = failed.failure.outcome is Outcome.TOO_LARGE
        raise RequestRejected(413 if large else 400, str(failed)) from None


async def _read_counted(reader: asyncio.StreamReader, head: RequestHead) -> bytes:
    return await reader.readexactly(head.length or 0)


async def _read_chunked(reader: asyncio.StreamReader, limit: int) -> bytes:
    chunks = ChunkedDecoder(limit)
    while chunks.rest is None:
        data = await reader.read(PIECE)
        if not data:
            raise RequestRejected(400, "the request ends in its body")
        chunks.feed(data)
    if chunks.rest:
        raise RequestRejected(400, "something follows the request before it was answered")
    return chunks.body
