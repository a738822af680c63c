"""The mean of each stretch of time of one signal, as far back as somebody looks."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

from msgspec import Struct

Samples = Iterable[tuple[int, float]]
"""Times (ms UTC) and values, oldest first."""


class Buckets(Struct, frozen=True):
    """So many stretches of time from `start` until before `end` (ms UTC)."""

    start: int
    end: int
    count: int


NONE = Buckets(0, 0, 0)

_LARGEST = 3e38
"""What is infinite is as large as four bytes hold."""


class BucketMeans:
    """The means of the newest `size` stretches of `width` ms, in 4 bytes each.

    Stretches begin `shift` ms before the multiples of their width. `number` is that of the newest
    that is over; it is less than 0 before there is one.
    """

    __slots__ = ("_count", "_current", "_means", "_shift", "_size", "_total", "number", "width")

    def __init__(self, width: int, size: int, shift: int = 0) -> None:
        self.width, self._size, self._shift = width, size, shift
        self._begin()

    def _begin(self) -> None:
        self._means = array("f", [math.nan]) * self._size
        self.number = self._current = -1
        self._total, self._count = 0.0, 0

    def add(self, at: int, value: float) -> bool:
        """Take a sample of `at` (ms UTC), NaN is none; whether a stretch was over before it.

        After a clock that was set back, the newest stretch goes on.
        """
        number = (at + self._shift) // self.width
        over = number > self._current
        if over:
            self._close(number)
        if value == value:  # noqa: PLR0124 - not NaN
            self._total += value
            self._count += 1
        return over

    def fill(self, samples: Samples) -> None:
        """Have these in place of all that was taken."""
        self._begin()
        for at, value in samples:
            self.add(at, value)

    def before(self, end: int) -> Buckets:
        """The stretches before `end` (ms UTC) that it knows, and the one that `end` is in."""
        past = self.begins((end + self._shift) // self.width + 1)
        return Buckets(past - (self._size + 1) * self.width, past, self._size + 1)

    def _close(self, number: int) -> None:
        if self._current >= 0:
            mean = math.nan
            if self._count:
                mean = min(max(self._total / self._count, -_LARGEST), _LARGEST)
            self._means[self._current % self._size] = mean
            for missed in range(max(self._current + 1, number - self._size), number):
                self._means[missed % self._size] = math.nan
            self.number = number - 1
        self._current = number
        self._total, self._count = 0.0, 0

    def begins(self, number: int) -> int:
        """When a stretch begins (ms UTC)."""
        return number * self.width - self._shift

    @property
    def ended(self) -> int:
        """When the newest stretch was over (ms UTC)."""
        return self.begins(self.number + 1)

    def newest(self, count: int, lag: int = 0) -> array[float]:
        """The means of so many stretches, but for the newest `lag`; NaN where there is none.

        They are fewer where it does not look back so far.
        """
        past = self.number + 1 - lag
        first = max(past - count, self.number + 1 - self._size)
        if first >= past:
            return array("f")
        start, end = first % self._size, past % self._size
        if start < end:
            return self._means[start:end]
        return self._means[start:] + self._means[:end]

    def mean(self, start: int, end: int) -> float:
        """The mean from `start` until `end` (ms UTC), a stretch by as much of it as lies between.

        NaN when less than half of that time is known.
        """
        total = weight = 0.0
        for number in range((start + self._shift) // self.width, self.number + 1):
            begins = self.begins(number)
            if begins >= end:
                break
            mean = self._means[number % self._size]
            if mean == mean and number > self.number - self._size:  # noqa: PLR0124 - not NaN
                share = min(begins + self.width, end) - max(begins, start)
                total += mean * share
                weight += share
        return total / weight if 2 * weight >= end - start else math.nan
