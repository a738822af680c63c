"""Caches of the parser: labels by their bytes, and series by a line's part before its value."""

import re

from watchdeck.collector.exposition.grammar import clean_label
from watchdeck.domain.metrics.series import Series
from watchdeck.redaction import redact

_MAX_LABELS = 20_000
"""Labels cached for all endpoints, 10 MB at most."""

_MAX_LABEL_SIZE = 200
"""Most bytes of a label that is cached."""

_LABEL = re.compile(rb'(?!__)([a-zA-Z_:][a-zA-Z0-9_:]*+)="([^"\\]*+)')

LabelPair = tuple[str, str]

_MAX_GENERATION_SIZE = 8 << 20
"""Most bytes of prefixes in a generation: the longest are a thousand times a usual one."""

_SeriesKey = tuple[str, tuple[LabelPair, ...], int]
"""Name, labels and `id` of the type of a series: to hash a Series or a StrEnum itself is slow."""


class LabelCache:
    """A cache of label pairs by their bytes; equal pairs are one object in all series.

    Most lines of a page differ from the line before in one label only. `name` and `value` are the
    most characters of a label's name and value.
    """

    def __init__(self, name: int, value: int) -> None:
        self._name = name
        self._value = value
        self._pairs: dict[bytes, LabelPair] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, braces: bytes) -> tuple[LabelPair, ...] | None:
        """The labels between a pair of braces, clean and sorted by name.

        None when only the grammar can parse them: escapes, unusual blanks, quoted names, errors,
        and labels over a limit.
        """
        inner = braces[1:-1].removesuffix(b",")
        if not inner.endswith(b'"'):
            return None
        terms = inner[:-1].split(b'",')
        try:
            pairs = list(map(self._pairs.__getitem__, terms))
        except KeyError:
            found = [self._pairs.get(term) or self._read(term) for term in terms]
            pairs = [pair for pair in found if pair is not None]
            if len(pairs) < len(found):
                return None
        pairs.sort()
        return tuple(pairs) if len(dict(pairs)) == len(pairs) else None

    def _read(self, term: bytes) -> LabelPair | None:
        match = _LABEL.fullmatch(term) if len(term) <= _MAX_LABEL_SIZE else None
        if match is None:
            return None
        name, value = match[1].decode(), match[2].decode(errors="replace")
        if len(name) > self._name or len(value) > self._value:
            return None
        if len(self._pairs) >= _MAX_LABELS:
            self._pairs.clear()
        pair = self._pairs[term] = (
            clean_label(name, self._name),
            clean_label(redact(value), self._value),
        )
        return pair


class LineCache:
    """A cache of series by the prefix of their line: all before the value.

    It has two generations. After `capacity` new lines the young generation becomes the old one, and
    the old one is dropped. Equal series of cached lines are one object, so `is` can replace `==`.
    """

    def __init__(self, capacity: int, labels: LabelCache) -> None:
        self.labels = labels
        self._capacity = capacity
        self._size = 0
        self._young: dict[bytes, Series] = {}
        self._old: dict[bytes, Series] = {}
        self._young_series: dict[_SeriesKey, Series] = {}
        self._old_series: dict[_SeriesKey, Series] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get_all(self, prefixes: list[bytes]) -> list[Series] | None:
        """The series of many prefixes at once; None when one is not in the young generation."""
        found = list(map(self._young.get, prefixes))
        return found if all(found) else None  # type: ignore[return-value]  # none is None

    def get(self, prefix: bytes) -> Series | None:
        """The series of one prefix; None when it is not cached.

        A series found in the old generation moves to the young one.
        """
        series = self._young.get(prefix)
        if series is None and (series := self._old.get(prefix)) is not None:
            self.put(prefix, series)
        return series

    def put(self, prefix: bytes, series: Series) -> Series:
        """Store the series of a prefix; returns the one object that stands for all equal series."""
        lines = max(len(self._young), len(self._young_series))
        if lines >= self._capacity or self._size >= _MAX_GENERATION_SIZE:
            self._old, self._young = self._young, {}
            self._old_series, self._young_series = self._young_series, {}
            self._size = 0
        self._size += len(prefix)
        key = series.name, series.labels, id(series.type)
        shared = self._young_series.get(key)
        if shared is None:
            shared = self._young_series[key] = self._old_series.get(key, series)
        self._young[prefix] = shared
        return shared
