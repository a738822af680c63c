"""The lines seen before, so that a line costs one look-up and not the grammar."""

from __future__ import annotations

from watchdeck.collector.exposition.label_cache import LabelCache
from watchdeck.domain.metrics.series import Series

_MOST_BYTES = 8 << 20
"""Bytes of a generation's lines: long ones would fill a thousand times the memory of usual ones."""

_Key = tuple[str, tuple[tuple[str, str], ...], int]
"""A series, its type by identity: Series and StrEnum hash in Python, which costs more than all."""


class LineCache:
    """The series of what stands before a value, remembered in two generations.

    When `capacity` lines are young they become the old ones, and what was not seen since is
    forgotten. Equal series of remembered lines are one object, so that `is` may stand for `==`.
    """

    def __init__(self, capacity: int, pairs: LabelCache) -> None:
        self.pairs = pairs
        self._capacity = capacity
        self._bytes = 0
        self._young: dict[bytes, Series] = {}
        self._old: dict[bytes, Series] = {}
        self._young_series: dict[_Key, Series] = {}
        self._old_series: dict[_Key, Series] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def recall(self, prefixes: list[bytes]) -> list[Series] | None:
        """The series of many prefixes at once; None when one of them is not in the young."""
        found = list(map(self._young.get, prefixes))
        return found if all(found) else None  # type: ignore[return-value]  # none is None

    def get(self, prefix: bytes) -> Series | None:
        """The series that this prefix stood for."""
        series = self._young.get(prefix)
        if series is None and (series := self._old.get(prefix)) is not None:
            self.put(prefix, series)
        return series

    def put(self, prefix: bytes, series: Series) -> Series:
        """Remember a prefix; the series comes back as the one object for all its equals."""
        lines = max(len(self._young), len(self._young_series))
        if lines >= self._capacity or self._bytes >= _MOST_BYTES:
            self._old, self._young = self._young, {}
            self._old_series, self._young_series = self._young_series, {}
            self._bytes = 0
        self._bytes += len(prefix)
        key = series.name, series.labels, id(series.type)
        one = self._young_series.get(key)
        if one is None:
            one = self._young_series[key] = self._old_series.get(key, series)
        self._young[prefix] = one
        return one
