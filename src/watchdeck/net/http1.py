"""HTTP/1.1 answers taken apart: as strict as h11, at a tenth of its time."""

from __future__ import annotations

import re

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.connection import PIECES
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import RequestError

LARGEST_HEAD = 100 << 10
"""Bytes of one head, as httpcore has it."""

LONGEST_LINE = 8 << 10
"""Bytes of one line of a head, or of one that announces a chunk."""

_END = re.compile(rb"\n\r?\n")
_TOKEN = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
_TEXT = rb"[^\x00\s]"
_NAME = re.compile(_TOKEN)
_FORBIDDEN = re.compile(rb"[\x00\n\r\f\v]")
_STATUS = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: (?:[ \t]|%b)*)?" % _TEXT)
_LENGTH = re.compile(r"[0-9]{1,20}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,20})(?:;[^\n]*+)?[ \t]*+")
_BODILESS = frozenset((204, 304))


class ResponseHead(Struct, frozen=True):
    """The first part of an answer. `length` is None when the body ends with the connection.

    `kept` tells whether the connection may carry another question.
    """

    status: int
    headers: dict[str, str]
    length: int | None
    chunked: bool
    kept: bool


def end_of_head(data: bytes, start: int = 0) -> int | None:
    """Where the body begins; None while the head is not complete. Raises Failed: too large."""
    found = _END.search(data, max(0, start - 3))
    if (found.end() if found else len(data)) > LARGEST_HEAD:
        raise RequestError(Outcome.TOO_LARGE, "the headers are too large")
    return found.end() if found else None


def read_head(data: bytes, method: str = "GET") -> ResponseHead:
    """Take a complete head apart. Raises Failed when it is not proper HTTP."""
    first, *lines = (line.removesuffix(b"\r") for line in data.rstrip(b"\r\n").split(b"\n"))
    begin = _STATUS.fullmatch(first)
    if begin is None:
        raise not_http()
    headers = read_fields(lines)
    status = int(begin[2])
    chunked, length = _chunked(headers), read_length(headers)
    if status in _BODILESS or method == "HEAD":
        chunked, length = False, 0
    elif chunked:
        length = None
    framed = chunked or length is not None
    closing = "close" in [part.strip() for part in headers.get("connection", "").lower().split(",")]
    kept = framed and not closing and begin[1] >= b"1.1"
    return ResponseHead(status, headers, length, chunked, kept)


def not_http() -> RequestError:
    """The failure of an answer that is no HTTP."""
    return RequestError(Outcome.UNREADABLE, "the answer is not proper HTTP")


def read_fields(lines: list[bytes]) -> dict[str, str]:
    """The headers by lower-case name; one that comes twice is joined, so that it cannot hide."""
    found: dict[str, str] = {}
    for line in lines:
        name, value = _field(line)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _field(line: bytes) -> tuple[str, str]:
    """One header, split by code: a pattern that trims blanks takes quadratic time on many."""
    if len(line) > LONGEST_LINE:
        raise RequestError(Outcome.TOO_LARGE, "a header is too large")
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name) or _FORBIDDEN.search(value):
        raise not_http()
    return name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")


def _chunked(headers: dict[str, str]) -> bool:
    encoding = headers.get("transfer-encoding")
    if encoding is not None and encoding.lower() != "chunked":
        raise not_http()
    return encoding is not None


def read_length(headers: dict[str, str]) -> int | None:
    """The length that the headers give the body, one only; None for none. Raises Failed."""
    text = headers.get("content-length")
    if text is None:
        return None
    lengths = {part.strip() for part in text.split(",")}
    if len(lengths) != 1 or not _LENGTH.fullmatch(next(iter(lengths))):
        raise not_http()
    return int(lengths.pop())


class ChunkedDecoder:
    """A chunked body, put together as its bytes come; of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = b""
        self._missing = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._trailing = False
        self.rest: bytes | None = None
        """What follows the body, once it is complete."""

    @property
    def body(self) -> bytes:
        """The body so far."""
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> None:
        """Take in what came. Raises Failed when it is no chunk, or too much."""
        data = self._waiting + data
        position = 0
        while self.rest is None:
            following = self._step(data, position)
            if following is None:
                break
            position = following
        self._waiting = data[position:]
        if len(self._waiting) > max(self._missing + 2, LARGEST_HEAD):
            raise not_http()

    def _step(self, data: bytes, position: int) -> int | None:
        """Take one part at a position; where the next begins, or None when more must come."""
        if self._trailing:
            return self._trailer(data, position)
        if self._missing:
            return self._chunk(data, position)
        return self._header(data, position)

    def _header(self, data: bytes, position: int) -> int | None:
        end = data.find(b"\r\n", position)
        if (len(data) if end < 0 else end) - position > LONGEST_LINE:
            raise not_http()
        if end < 0:
            return None
        found = _CHUNK.fullmatch(data, position, end)
        if found is None:
            raise not_http()
        self._missing = int(found[1], 16)
        self._size += self._missing
        if self._size > self._limit:
            raise too_large(self._limit)
        self._trailing = not self._missing
        return end + 2

    def _chunk(self, data: bytes, position: int) -> int | None:
        end = position + self._missing
        if len(data) < end + 2:
            return None
        if data[end : end + 2] != b"\r\n":
            raise not_http()
        self._pieces.append(data[position:end])
        if len(self._pieces) > PIECES:
            raise RequestError(Outcome.TOO_LARGE, "the body comes in too many parts")
        self._missing = 0
        return end + 2

    def _trailer(self, data: bytes, position: int) -> int | None:
        """Pass over the headers that may follow the last chunk."""
        for end in (b"\r\n", b"\n"):
            if data.startswith(end, position):
                self.rest = data[position + len(end) :]
                return position
        found = _END.search(data, position)
        if found is None:
            return None
        read_fields(
            [line.removesuffix(b"\r") for line in data[position : found.start()].split(b"\n")]
        )
        self.rest = data[found.end() :]
        return position
