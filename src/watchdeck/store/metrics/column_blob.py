"""Times and columns as one blob, from which one column is read without the others.

A table of u32 offsets, counted from its own end, then the times, then each column in the order of
its layout, all as `codec` writes them.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from watchdeck.store.metrics.codec import decode, encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_OFFSET = 4


class Seekable(Protocol):
    """Bytes in memory, or a blob that is still in its file."""

    def seek(self, offset: int, /) -> object:
        """Go to an offset."""

    def read(self, length: int, /) -> bytes:
        """The bytes from there on."""


def pack(times: Integers, values: Floats) -> bytes:
    """At least one time (ms UTC), and a row of values for each, as bytes."""
    import numpy as np

    columns = np.ascontiguousarray(values.T, np.float64)
    parts = [encode(times.astype(np.float64)), *map(encode, columns)]
    ends = np.cumsum([0, *map(len, parts)], dtype="<u4")
    return ends.tobytes() + b"".join(parts)


class ColumnBlob:
    """What `pack` made of `count` times and so many `columns`. Any damage is a ValueError."""

    def __init__(self, source: Seekable, columns: int, count: int) -> None:
        self._source = source
        self._columns = columns
        self._count = count

    def times(self) -> Integers:
        """The times, in ms UTC."""
        import numpy as np

        return self._decoded(0).astype(np.int64)

    def column(self, place: int) -> Floats:
        """The values of one column."""
        return self._decoded(place + 1)

    def matrix(self) -> Floats:
        """All values: a row a time, a column a column."""
        import numpy as np

        rows = np.empty((self._columns, self._count))
        for place in range(self._columns):
            rows[place] = self.column(place)
        return rows.T

    def _decoded(self, part: int) -> Floats:
        start, end = struct.unpack("<II", self._read(part * _OFFSET, 2 * _OFFSET))
        base = (self._columns + 2) * _OFFSET
        values = decode(self._read(base + start, end - start), self._count)
        if len(values) != self._count:
            raise ValueError(f"a column has {len(values)} values instead of {self._count}")
        return values

    def _read(self, start: int, length: int) -> bytes:
        self._source.seek(start)
        return self._source.read(length)


def unpacked(blob: bytes, columns: int, count: int) -> ColumnBlob:
    """A bundle in memory."""
    return ColumnBlob(BytesIO(blob), columns, count)
