"""Series and their layouts: the names behind the numbers of a frame."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property

from msgspec import Struct, field


class SeriesType(StrEnum):
    """What a series counts, as its page declares it; the declaration beats any suffix."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNTYPED = "untyped"


class Series(Struct, frozen=True):
    """A name with its labels, sorted by label name, and the type of its family.

    The rows of a histogram or summary keep the family's type; `_bucket`, `_sum` and `_count` stay
    in the name.
    """

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    type: SeriesType = SeriesType.UNTYPED

    def __str__(self) -> str:
        if not self.labels:
            return self.name
        return f"{self.name}{{{','.join(f'{k}={_quoted(v)}' for k, v in self.labels)}}}"

    def label(self, name: str) -> str | None:
        """The value of one label; None when it has no such label."""
        for key, value in self.labels:
            if key == name:
                return value
        return None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class Layout(Struct, frozen=True, dict=True, weakref=True):
    """An ordered list of series; a frame holds one float64 for each, in this order.

    Endpoints whose pages have the same skeleton share one Layout object. `digest` is stable over
    processes and machines: blake2b over each series' text and type.
    """

    series: tuple[Series, ...] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def digest(self) -> bytes:
        """16 bytes that name this layout in the store."""
        text = "\n".join(f"{s.type.value} {s}" for s in self.series)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


LabelPairs = tuple[tuple[str, str], ...]
"""Names and values of labels, in the order of the page."""
