"""Decompression of a body up to a limit, one layer only."""

import zlib

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes
from watchdeck.net.failure import RequestError

_AUTOMATIC = 32 + zlib.MAX_WBITS
_HEADLESS = -zlib.MAX_WBITS


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its encoding, at most `limit` bytes. Raises RequestError.

    Only one gzip or deflate is accepted: a body that is compressed twice is a bomb or a mistake.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise RequestError(
            Outcome.UNREADABLE,
            f"the encoding {clean(name, 40)!r} is not taken, only one gzip or deflate",
        )
    try:
        return _decompress_limited(body, _AUTOMATIC, limit)
    except zlib.error as error:
        if name != "deflate":
            raise _damage_error() from error
    try:
        return _decompress_limited(body, _HEADLESS, limit)
    except zlib.error as error:
        raise _damage_error() from error


def _decompress_limited(body: bytes, window_bits: int, limit: int) -> bytes:
    decompressor = zlib.decompressobj(window_bits)
    plain = decompressor.decompress(body, limit + 1)
    if len(plain) > limit:
        raise too_large(limit)
    if not decompressor.eof:
        raise RequestError(Outcome.UNREADABLE, "the compressed body ends early")
    if decompressor.unused_data:
        raise RequestError(Outcome.UNREADABLE, "something follows the compressed body")
    return plain


def _damage_error() -> RequestError:
    return RequestError(Outcome.UNREADABLE, "the compressed body is damaged")


def too_large(limit: int) -> RequestError:
    """The error for a body of more than `limit` bytes."""
    return RequestError(Outcome.TOO_LARGE, f"the body is over {Bytes(limit)}")
