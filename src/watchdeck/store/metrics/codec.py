"""Lossless compression of float64 columns, and blobs that hold many such columns.

A column is encoded in one of three ways:

- constant: its one value;
- decimals: the differences of the scaled integers, zigzagged, byte-shuffled and deflated;
- other: the exclusive or of neighbours, byte-shuffled and deflated.

Bits are compared, never values, because 0.0 equals -0.0 and NaN does not equal itself. A blob is a
table of u32 offsets from the end of the table, then the times, then each column of the layout.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Words = NDArray[np.uint64]

_CONSTANT, _SCALED, _XOR = 0, 1, 2
_HEAD = struct.Struct("<BBBBq")
"""The head of a scaled column: tag, decimals, width, 1 if deflated, first integer."""

_POWERS = (1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
"""Powers of ten as literals: a computed one may be off by a bit."""

_EXACT = float(1 << 53)
_LEVEL = 6


def encode_column(values: Floats) -> bytes:
    """Encode the values of one column, at least one; their number is not in the bytes."""
    import numpy as np

    column = np.ascontiguousarray(values, np.float64)
    bits = column.view(np.uint64)
    if (bits == bits[0]).all():
        return bytes((_CONSTANT,)) + bits[:1].tobytes()
    for decimals in range(len(_POWERS)):
        whole = _to_integers(column, decimals)
        if whole is not None:
            return _encode_integers(whole, decimals)
    return bytes((_XOR,)) + zlib.compress(_shuffle_bytes(_xor_neighbours(bits), 8), _LEVEL)


def decode_column(blob: bytes, count: int) -> Floats:
    """Decode the bytes of `encode_column` to `count` values."""
    import numpy as np

    tag = blob[0]
    if tag == _CONSTANT:
        return np.full(count, np.frombuffer(blob, np.uint64, 1, 1)[0]).view(np.float64)
    if tag == _XOR:
        bits = _unshuffle_bytes(_inflate(blob[1:], 8 * count), 8)
        return np.bitwise_xor.accumulate(bits).view(np.float64)
    _, decimals, width, deflated, first = _HEAD.unpack_from(blob)
    body = blob[_HEAD.size :]
    coded = _unshuffle_bytes(_inflate(body, 8 * count) if deflated else body, width)
    return _decode_integers(coded, first, count) / _POWERS[decimals]


def _inflate(body: bytes, limit: int) -> bytes:
    """Decompress at most `limit` bytes: damaged ones could become a thousand times as many."""
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(body, limit + 1)
    if len(plain) > limit or not decompressor.eof:
        raise ValueError(f"a column is longer than {limit} bytes, or ends early")
    return plain


def _to_integers(column: Floats, decimals: int) -> Integers | None:
    """The column times 10 ** `decimals` as integers; None when that is inexact for any value."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.round(column * _POWERS[decimals])
        fits = np.abs(scaled) < _EXACT  # false for NaN too
        if not fits.all() or not (scaled / _POWERS[decimals] == column).all():
            return None
    if (np.signbit(column) & (column == 0)).any():
        return None
    return scaled.astype(np.int64)


def _encode_integers(whole: Integers, decimals: int) -> bytes:
    import numpy as np

    steps = np.diff(whole)
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    width = next(w for w in (1, 2, 4, 8) if int(zigzag.max()) < 1 << 8 * w)
    body = _shuffle_bytes(zigzag, width)
    deflated = zlib.compress(body, _LEVEL)
    shorter = len(deflated) < len(body)
    head = _HEAD.pack(_SCALED, decimals, width, shorter, int(whole[0]))
    return head + (deflated if shorter else body)


def _decode_integers(zigzag: Words, first: int, count: int) -> Floats:
    import numpy as np

    one = np.uint64(1)
    steps = ((zigzag >> one) ^ (np.uint64(0) - (zigzag & one))).view(np.int64)
    whole = np.empty(count, np.int64)
    whole[0], whole[1:] = first, steps
    return np.cumsum(whole).astype(np.float64)


def _xor_neighbours(bits: Words) -> Words:
    mixed = bits.copy()
    mixed[1:] ^= bits[:-1]
    return mixed


def _shuffle_bytes(words: Words, width: int) -> bytes:
    """All lowest bytes first, then the next ones: similar bytes are adjacent and deflate well."""
    import numpy as np

    return words.astype(f"<u{width}").view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffle_bytes(planes: bytes, width: int) -> Words:
    import numpy as np

    rows = np.frombuffer(planes, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(rows.T).view(f"<u{width}").ravel().astype(np.uint64)


_OFFSET = 4

_MAX_ROWS = 1 << 20
"""Rows of a blob: a day of scrapes has 86,400; a damaged count must not fill the memory."""


class Seekable(Protocol):
    """A source of bytes: in memory, or an SQLite blob that is read in place."""

    def seek(self, offset: int, /) -> object:
        """Move to an offset in bytes from the start."""

    def read(self, length: int, /) -> bytes:
        """Read `length` bytes from the current offset."""


def encode_blob(times: Integers, values: Floats) -> bytes:
    """Encode times (ms UTC), at least one, and the row of values of each as one blob."""
    import numpy as np

    columns = np.ascontiguousarray(values.T, np.float64)
    parts = [encode_column(times.astype(np.float64)), *map(encode_column, columns)]
    ends = np.cumsum([0, *map(len, parts)], dtype="<u4")
    return ends.tobytes() + b"".join(parts)


class ColumnBlob:
    """An encoded table of `count` rows and `columns` columns; a column can be decoded alone.

    It raises ValueError, struct.error or zlib.error when the bytes or the count are damaged.
    """

    def __init__(self, source: Seekable, columns: int, count: int) -> None:
        if not 0 < count <= _MAX_ROWS:
            raise ValueError(f"a blob has {count} rows; at most {_MAX_ROWS} can be")
        self._source = source
        self._columns = columns
        self._count = count

    def times(self) -> Integers:
        """The time of each row (ms UTC)."""
        import numpy as np

        return self._decode(0).astype(np.int64)

    def column(self, place: int) -> Floats:
        """The values of the column at index `place`."""
        return self._decode(place + 1)

    def matrix(self) -> Floats:
        """All values: one row for each time, one column for each series."""
        import numpy as np

        rows = np.empty((self._columns, self._count))
        for place in range(self._columns):
            rows[place] = self.column(place)
        return rows.T

    def _decode(self, part: int) -> Floats:
        start, end = struct.unpack("<II", self._read(part * _OFFSET, 2 * _OFFSET))
        base = (self._columns + 2) * _OFFSET
        values = decode_column(self._read(base + start, end - start), self._count)
        if len(values) != self._count:
            raise ValueError(f"a column has {len(values)} values instead of {self._count}")
        return values

    def _read(self, start: int, length: int) -> bytes:
        self._source.seek(start)
        return self._source.read(length)


def load_blob(blob: bytes, columns: int, count: int) -> ColumnBlob:
    """Open bytes in memory as a blob of `columns` columns with `count` values each."""
    return ColumnBlob(BytesIO(blob), columns, count)
