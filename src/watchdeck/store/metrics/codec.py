"""A column of float64 as few bytes, equal bit for bit when it comes back.

A constant is one value; a column of decimals is the differences of its scaled integers, zigzagged,
byte-shuffled and deflated; anything else is the exclusive or of neighbours, shuffled and deflated.
Bits are compared, never values: 0.0 equals -0.0, and NaN equals nothing.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Words = NDArray[np.uint64]

_CONSTANT, _SCALED, _MIXED = 0, 1, 2
_HEAD = struct.Struct("<BBBBq")
"""The head of a scaled column: tag, decimals, width, whether deflated, first integer."""

_POWERS = (1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
"""Literals: a computed power may be off by a bit."""

_EXACT = float(1 << 53)
_LEVEL = 6


def encode(values: Floats) -> bytes:
    """A column of at least one value as bytes; its length is not among them."""
    import numpy as np

    column = np.ascontiguousarray(values, np.float64)
    bits = column.view(np.uint64)
    if (bits == bits[0]).all():
        return bytes((_CONSTANT,)) + bits[:1].tobytes()
    for decimals in range(len(_POWERS)):
        whole = _whole(column, decimals)
        if whole is not None:
            return _scaled(whole, decimals)
    return bytes((_MIXED,)) + zlib.compress(_planes(_neighbours(bits), 8), _LEVEL)


def decode(blob: bytes, count: int) -> Floats:
    """The `count` values of a column that `encode` made."""
    import numpy as np

    tag = blob[0]
    if tag == _CONSTANT:
        return np.full(count, np.frombuffer(blob, np.uint64, 1, 1)[0]).view(np.float64)
    if tag == _MIXED:
        bits = _unplaned(zlib.decompress(blob[1:]), 8)
        return np.bitwise_xor.accumulate(bits).view(np.float64)
    _, decimals, width, deflated, first = _HEAD.unpack_from(blob)
    body = blob[_HEAD.size :]
    coded = _unplaned(zlib.decompress(body) if deflated else body, width)
    return _summed(coded, first, count) / _POWERS[decimals]


def _whole(column: Floats, decimals: int) -> Integers | None:
    """The column as integers of `decimals` places; None when some value is not exactly one."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.round(column * _POWERS[decimals])
        fits = np.abs(scaled) < _EXACT  # false for NaN too
        if not fits.all() or not (scaled / _POWERS[decimals] == column).all():
            return None
    if (np.signbit(column) & (column == 0)).any():
        return None
    return scaled.astype(np.int64)


def _scaled(whole: Integers, decimals: int) -> bytes:
    import numpy as np

    steps = np.diff(whole)
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    width = next(w for w in (1, 2, 4, 8) if int(zigzag.max()) < 1 << 8 * w)
    body = _planes(zigzag, width)
    deflated = zlib.compress(body, _LEVEL)
    shorter = len(deflated) < len(body)
    head = _HEAD.pack(_SCALED, decimals, width, shorter, int(whole[0]))
    return head + (deflated if shorter else body)


def _summed(zigzag: Words, first: int, count: int) -> Floats:
    import numpy as np

    one = np.uint64(1)
    steps = ((zigzag >> one) ^ (np.uint64(0) - (zigzag & one))).view(np.int64)
    whole = np.empty(count, np.int64)
    whole[0], whole[1:] = first, steps
    return np.cumsum(whole).astype(np.float64)


def _neighbours(bits: Words) -> Words:
    mixed = bits.copy()
    mixed[1:] ^= bits[:-1]
    return mixed


def _planes(words: Words, width: int) -> bytes:
    """All lowest bytes first, then the next: like bytes lie together, and deflate well."""
    import numpy as np

    return words.astype(f"<u{width}").view(np.uint8).reshape(-1, width).T.tobytes()


def _unplaned(planes: bytes, width: int) -> Words:
    import numpy as np

    rows = np.frombuffer(planes, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(rows.T).view(f"<u{width}").ravel().astype(np.uint64)
