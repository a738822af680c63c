"""Parser of HTTP/1.1 responses: as strict as h11, at a tenth of its time."""

import re

from msgspec import Struct

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.net.connection import MAX_PIECES
from watchdeck.net.decompress import too_large
from watchdeck.net.failure import RequestError

MAX_HEAD_SIZE = 100 << 10
"""Most bytes of one head (status line and headers), as in httpcore."""

MAX_LINE = 8 << 10
"""Most bytes of one header line, or of the line before a chunk."""

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
    """The status and headers of a response.

    `length` (bytes) is None when the body is chunked, or ends with the connection. `keep_alive` is
    whether the connection may carry another request.
    """

    status: int
    headers: dict[str, str]
    length: int | None
    chunked: bool
    keep_alive: bool


def end_of_head(data: bytes, start: int = 0) -> int | None:
    """The index in `data` at which the body begins; None while the head is incomplete.

    Raises RequestError when the head is too large.
    """
    found = _END.search(data, max(0, start - 3))
    if (found.end() if found else len(data)) > MAX_HEAD_SIZE:
        raise RequestError(Outcome.TOO_LARGE, "the headers are too large")
    return found.end() if found else None


def read_head(data: bytes, method: str = "GET") -> ResponseHead:
    """Parse a complete head. Raises RequestError when it is not proper HTTP."""
    first, *lines = (line.removesuffix(b"\r") for line in data.rstrip(b"\r\n").split(b"\n"))
    status_line = _STATUS.fullmatch(first)
    if status_line is None:
        raise not_http()
    headers = read_fields(lines)
    status = int(status_line[2])
    chunked, length = _is_chunked(headers), read_length(headers)
    if status in _BODILESS or method == "HEAD":
        chunked, length = False, 0
    elif chunked:
        length = None
    framed = chunked or length is not None
    closing = "close" in [part.strip() for part in headers.get("connection", "").lower().split(",")]
    keep_alive = framed and not closing and status_line[1] >= b"1.1"
    return ResponseHead(status, headers, length, chunked, keep_alive)


def not_http() -> RequestError:
    """The error for a response that is not HTTP."""
    return RequestError(Outcome.UNREADABLE, "the answer is not proper HTTP")


def read_fields(lines: list[bytes]) -> dict[str, str]:
    """Header values by lower-case name, those of a repeated header joined. Raises RequestError."""
    found: dict[str, str] = {}
    for line in lines:
        name, value = _split_header(line)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _split_header(line: bytes) -> tuple[str, str]:
    """Split a header without a regular expression, which takes quadratic time on many blanks."""
    if len(line) > MAX_LINE:
        raise RequestError(Outcome.TOO_LARGE, "a header is too large")
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name) or _FORBIDDEN.search(value):
        raise not_http()
    return name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")


def _is_chunked(headers: dict[str, str]) -> bool:
    encoding = headers.get("transfer-encoding")
    if encoding is not None and encoding.lower() != "chunked":
        raise not_http()
    return encoding is not None


def read_length(headers: dict[str, str]) -> int | None:
    """The content-length (bytes), or None. Raises RequestError when it is no single number."""
    text = headers.get("content-length")
    if text is None:
        return None
    lengths = {part.strip() for part in text.split(",")}
    if len(lengths) != 1 or not _LENGTH.fullmatch(next(iter(lengths))):
        raise not_http()
    return int(lengths.pop())


class ChunkedDecoder:
    """Decodes a chunked body of at most `limit` bytes as its bytes arrive."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._missing = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._in_trailer = False
        self.rest: bytes | None = None
        """The bytes after the body; None until the body is complete."""

    @property
    def body(self) -> bytes:
        """The body so far."""
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> None:
        """Decode more bytes. Raises RequestError for bad chunks, or a body over the limit."""
        data = self._buffer + data
        position = 0
        while self.rest is None:
            following = self._decode_part(data, position)
            if following is None:
                break
            position = following
        self._buffer = data[position:]
        if len(self._buffer) > max(self._missing + 2, MAX_HEAD_SIZE):
            raise not_http()

    def _decode_part(self, data: bytes, position: int) -> int | None:
        """Decode one part; returns where the next begins, or None when bytes are missing."""
        if self._in_trailer:
            return self._skip_trailer(data, position)
        if self._missing:
            return self._decode_chunk(data, position)
        return self._decode_header(data, position)

    def _decode_header(self, data: bytes, position: int) -> int | None:
        end = data.find(b"\r\n", position)
        if (len(data) if end < 0 else end) - position > MAX_LINE:
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
        self._in_trailer = not self._missing
        return end + 2

    def _decode_chunk(self, data: bytes, position: int) -> int | None:
        end = position + self._missing
        if len(data) < end + 2:
            return None
        if data[end : end + 2] != b"\r\n":
            raise not_http()
        self._pieces.append(data[position:end])
        if len(self._pieces) > MAX_PIECES:
            raise RequestError(Outcome.TOO_LARGE, "the body comes in too many parts")
        self._missing = 0
        return end + 2

    def _skip_trailer(self, data: bytes, position: int) -> int | None:
        """Skip the headers that may follow the last chunk."""
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
