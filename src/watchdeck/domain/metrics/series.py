"""Series and layouts: the names of the values of a frame."""

import hashlib
import re
from enum import StrEnum
from functools import cached_property, lru_cache

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


_LABEL = re.compile(r'([^=,{]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=100_000)
def parse_series(text: str, *, is_cumulative: bool) -> Series:
    """The series that `str` wrote as `text`, with a type by its name and whether it only rises.

    A summary is taken for a histogram: no reader of stored series tells them apart.
    """
    name, brace, rest = text.partition("{")
    pairs = ((key, _unquote(value)) for key, value in _LABEL.findall(rest if brace else ""))
    suffixed = name.endswith(("_bucket", "_sum", "_count"))
    rising = SeriesType.HISTOGRAM if suffixed else SeriesType.COUNTER
    return Series(name, tuple(pairs), rising if is_cumulative else SeriesType.GAUGE)


def _unquote(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], value)


SeriesKey = tuple[str, "LabelPairs"]
"""The name and the labels of a series: what makes it the same one, whatever type a page gives."""


def series_key(series: Series) -> SeriesKey:
    """The name and the labels of a series."""
    return series.name, series.labels


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
