"""A compressed body made plain within a bound, one layer only."""

from __future__ import annotations

import zlib

from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes
from watchdeck.net.failure import RequestError

_AUTOMATIC = 32 + zlib.MAX_WBITS
_HEADLESS = -zlib.MAX_WBITS


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its encoding, at most `limit` bytes. Raises Failed.

    Only gzip and deflate are taken, once: a body that is compressed twice is a bomb or a mistake.
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
        return _bounded(body, _AUTOMATIC, limit)
    except zlib.error as error:
        if name != "deflate":
            raise _damaged() from error
    try:
        return _bounded(body, _HEADLESS, limit)
    except zlib.error as error:
        raise _damaged() from error


def _bounded(body: bytes, form: int, limit: int) -> bytes:
    unpacker = zlib.decompressobj(form)
    plain = unpacker.decompress(body, limit + 1)
    if len(plain) > limit:
        raise too_large(limit)
    if not unpacker.eof:
        raise RequestError(Outcome.UNREADABLE, "the compressed body ends early")
    if unpacker.unused_data:
        raise RequestError(Outcome.UNREADABLE, "something follows the compressed body")
    return plain


def _damaged() -> RequestError:
    return RequestError(Outcome.UNREADABLE, "the compressed body is damaged")


def too_large(limit: int) -> RequestError:
    """The failure of a body over its bound."""
    return RequestError(Outcome.TOO_LARGE, f"the body is over {Bytes(limit)}")
