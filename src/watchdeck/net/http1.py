"""HTTP/1.1 messages, parsed by llhttp (httptools) within limits.

llhttp has no limits of its own: a header value that arrives in many parts takes quadratic time, and
a chunk extension of 16 MB is skipped without a callback. So a head is fed line by line, and the
bytes of a chunked body that are not content are counted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import cast

import httptools

from watchdeck.errors import WatchdeckError

MAX_HEAD = 16 << 10
"""Most bytes of the head of a message; interim (1xx) responses count as part of it."""

MAX_LINE = 8 << 10
"""Most bytes of one header line."""

MAX_INTERIM = 16
"""Most interim (1xx) responses before a response."""

MAX_CHUNKS = 16_384
"""Most chunks of a body: a hostile server may send a megabyte in chunks of one byte."""

MAX_OVERHEAD = 16 << 10
"""Most bytes of chunk extensions or trailers in a row: llhttp has no callback for them."""

_STEP = 4 << 10
"""Bytes of a chunked body that are parsed between two checks of the limits."""

_UPGRADE = b"upgrade:"
"""A header that is dropped: llhttp would take the body of the message for another protocol."""


class Violation(StrEnum):
    """Why a message is refused."""

    MALFORMED = "malformed"
    CUT_SHORT = "cut short"
    LARGE_HEAD = "large head"
    LARGE_LINE = "large line"
    LARGE_BODY = "large body"
    MANY_CHUNKS = "many chunks"
    OVERHEAD = "overhead"


class MessageError(WatchdeckError):
    """A message that is refused; the words for it differ between client and server."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation)
        self.violation = violation


class MessageParser:
    """Parses one message; the methods that begin with `on_` are llhttp's callbacks.

    `headers`: values by lower-case name, those of a repeated header joined; set with `has_head`.
    `length`: the content-length (bytes); None without one.
    `complete`: whether the message is whole; bytes after it are not consumed.
    `has_excess`: whether bytes after a chunked body were consumed with it.
    """

    def __init__(self, limit: int, *, truncate: bool = False) -> None:
        self.headers: dict[str, str] = {}
        self.length: int | None = None
        self.chunked = False
        self.keep_alive = False
        self.has_head = False
        self.complete = False
        self.has_excess = False
        self._limit = limit
        self._truncate = truncate
        self._llhttp: httptools.HttpRequestParser | httptools.HttpResponseParser | None = None
        self._violation: Violation | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._line = bytearray()
        self._head_size = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._chunks = 0
        self._received = 0
        self._overhead = 0

    @property
    def started(self) -> bool:
        """Whether any byte of the message has arrived."""
        return self._head_size > 0

    @property
    def body(self) -> bytes:
        """The body so far, without the framing of its chunks, and never over the limit."""
        return b"".join(self._pieces)[: self._limit]

    def feed(self, data: memoryview) -> int:
        """Parse bytes up to the end of the head or of the message; returns how many were consumed.

        Raises MessageError.
        """
        return self._feed_body(data) if self.has_head else self._feed_head(data)

    def end(self) -> None:
        """Accept the end of the connection as the end of the message, or raise MessageError."""
        if self._line:
            self._parse(self._line)  # bytes that never were HTTP are malformed, not cut short
        if not self.complete:
            raise MessageError(Violation.CUT_SHORT)

    def check_length(self) -> None:
        """Raise MessageError when the announced body is over the limit."""
        if (self.length or 0) > self._limit and not self._truncate:
            raise MessageError(Violation.LARGE_BODY)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; trailers are dropped."""
        if not self.has_head:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Finish the head."""
        if self.has_head:
            return
        self.has_head = True
        self.headers = self._join_fields()
        length, encoding = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        self.chunked = encoding is not None
        self.length = None if length is None or self.chunked else int(length)
        if encoding is not None and encoding.lower() != "chunked":
            self._violation = Violation.MALFORMED

    def on_chunk_header(self) -> None:
        """Count a chunk."""
        self._chunks += 1

    def on_body(self, piece: bytes) -> None:
        """Store a part of the body, unless it belongs to a second message."""
        if not self.complete:
            self._size += len(piece)
            self._overhead = 0
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """Complete the message; an interim response has no head of its own, and is none."""
        self.complete = self.has_head

    def on_message_begin(self) -> None:
        """Note the start of a second message."""
        self.has_excess = self.complete

    def _feed_head(self, data: memoryview) -> int:
        """Feed whole lines; the body is left to the next call."""
        head = bytes(data[: MAX_HEAD + 1])
        position = 0
        while position < len(head) and not self.has_head:
            end = head.find(b"\n", position) + 1 or len(head)
            self._feed_line(head[position:end])
            position = end
        return position

    def _feed_line(self, part: bytes) -> None:
        """Feed a line to llhttp when its end has arrived."""
        self._head_size += len(part)
        if self._head_size > MAX_HEAD:
            raise MessageError(Violation.LARGE_HEAD)
        self._line += part
        if not part.endswith(b"\n"):
            return
        line, self._line = self._line, bytearray()
        if len(line) > MAX_LINE:
            raise MessageError(Violation.LARGE_LINE)
        if line[: len(_UPGRADE)].lower() != _UPGRADE:
            self._parse(line)

    def _feed_body(self, data: memoryview) -> int:
        if self.chunked:
            data = data[:_STEP]
            self._overhead += len(data)
        elif self.length is not None:
            data = data[: self.length - self._size]
        self._received += len(data)
        self._parse(data)
        self._check_body()
        return len(data)

    def _check_body(self) -> None:
        if self._size > self._limit:
            if not self._truncate:
                raise MessageError(Violation.LARGE_BODY)
            self.keep_alive = False
            self._finish()
            return
        if self._chunks > MAX_CHUNKS:
            raise MessageError(Violation.MANY_CHUNKS)
        if self._overhead > MAX_OVERHEAD or self._received > 2 * self._limit + MAX_OVERHEAD:
            raise MessageError(Violation.OVERHEAD)

    def _parse(self, data: bytearray | memoryview) -> None:
        if self._llhttp is None:
            return
        try:
            self._llhttp.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.has_excess = self.complete
            if not self.complete:
                self._violation = Violation.MALFORMED
        if self._violation is not None:
            raise MessageError(self._violation)
        if self.complete:
            self._finish()

    def _finish(self) -> None:
        """Complete the message, and drop llhttp's parser: the two refer to each other."""
        self.complete = True
        self._llhttp = None

    def _join_fields(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for name, value in self._fields:
            if b"\x00" in value:
                self._violation = Violation.MALFORMED
            text = value.decode("latin-1").strip(" \t")
            found.setdefault(name.decode("latin-1").lower(), []).append(text)
        return {name: ", ".join(values) for name, values in found.items()}


class ResponseParser(MessageParser):
    """Parses the response to one request of `method`.

    It accepts what servers are known to send: lines without a carriage return, blanks after the
    size of a chunk, a length beside chunks, control characters in the value of a header.
    """

    def __init__(self, method: str, limit: int, *, truncate: bool = False) -> None:
        super().__init__(limit, truncate=truncate)
        self.status = 0
        self._method = method
        self._interim = 0
        self._llhttp = httptools.HttpResponseParser(self)
        self._llhttp.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    def feed(self, data: memoryview) -> int:
        """As above; an announced body over the limit is refused before it arrives."""
        consumed = super().feed(data)
        if not self.complete:
            self.check_length()
        return consumed

    def end(self) -> None:
        """Complete a body without a length, which ends with the connection; else as above."""
        if self.has_head and not self.chunked and self.length is None:
            self._finish()
        super().end()

    def on_headers_complete(self) -> None:
        """Finish the head, or drop that of an interim response."""
        if self.has_head:
            return
        llhttp = cast("httptools.HttpResponseParser", self._llhttp)
        self.status = llhttp.get_status_code()
        if self.status < 200:
            self._drop_interim()
            return
        super().on_headers_complete()
        self.keep_alive = llhttp.should_keep_alive()
        if self._method == "HEAD":
            self.complete, self.keep_alive = True, False

    def _drop_interim(self) -> None:
        self._fields.clear()
        self._interim += 1
        if self._interim > MAX_INTERIM:
            self._violation = Violation.OVERHEAD


class RequestParser(MessageParser):
    """Parses one request, strictly."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.method = ""
        self.version = ""
        self.target = b""
        self._llhttp = httptools.HttpRequestParser(self)

    @property
    def field_count(self) -> int:
        """How many headers the head has, repeated ones included."""
        return len(self._fields)

    def on_url(self, url: bytes) -> None:
        """Store the target of the request."""
        if not self.has_head:
            self.target += url

    def on_headers_complete(self) -> None:
        """Finish the head."""
        if self.has_head:
            return
        super().on_headers_complete()
        llhttp = cast("httptools.HttpRequestParser", self._llhttp)
        self.method = llhttp.get_method().decode("ascii")
        self.version = llhttp.get_http_version()
        self.keep_alive = llhttp.should_keep_alive()
