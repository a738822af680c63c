"""Series and layouts: the names of the values of a frame."""

import hashlib
from enum import StrEnum
from functools import cached_property

from msgspec import Struct, field


class SeriesType(StrEnum):
    """The type of a series as its page declares it, whatever the suffix of its name."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNTYPED = "untyped"


class Series(Struct, frozen=True):
    """A name, its labels sorted by label name, and the type of its metric family.

    Rows of a histogram or summary have that type, and `_bucket`, `_sum` or `_count` in the name.
    """

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    type: SeriesType = SeriesType.UNTYPED

    def __str__(self) -> str:
        if not self.labels:
            return self.name
        return f"{self.name}{{{','.join(f'{k}={_quote(v)}' for k, v in self.labels)}}}"

    def label(self, name: str) -> str | None:
        """The value of a label; None when the series does not have it."""
        for key, value in self.labels:
            if key == name:
                return value
        return None


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class Layout(Struct, frozen=True, dict=True, weakref=True):
    """An ordered list of series; a `Frame` holds one float64 value for each of them.

    Endpoints whose pages have the same series share one Layout object.
    """

    series: tuple[Series, ...] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that identify the layout in the store, the same on every machine (blake2b)."""
        text = "\n".join(f"{s.type.value} {s}" for s in self.series)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


LabelPairs = tuple[tuple[str, str], ...]
"""Names and values of labels, in the order of the page."""
