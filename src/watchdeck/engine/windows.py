"""Signals over the last minutes or hours, in little memory: what rules with a window look at."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable

from watchdeck.domain.rule import Aggregate

CELLS = 240
"""Cells of a window: samples that come faster share one, with their sum and their extremes."""


class Window:
    """The newest samples of one signal of one endpoint, as far back as its rules look.

    It takes 40 bytes a sample, and never more than 20 kB; its far edge is as sharp as a cell.
    `every` is the distance (ms) that samples should have.
    """

    __slots__ = ("_counts", "_every", "_highs", "_lows", "_newest", "_times", "_totals", "_width",
                 "span")  # fmt: skip

    def __init__(self, span: int, every: int) -> None:
        self.span, self._every = span, every
        self._width = max(1, span // CELLS)
        self._newest = -1
        self._times, self._counts = array("q"), array("q")
        self._totals, self._lows, self._highs = array("d"), array("d"), array("d")

    def reach(self, span: int) -> None:
        """Look back as far as this (ms) too; to be told before the first sample."""
        self.span = max(self.span, span)
        self._width = max(1, self.span // CELLS)

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none, and a clock set back empties the window."""
        if math.isnan(value) or at == self._newest:
            return
        if at < self._newest:
            self._forget(len(self._times))
        self._newest = at
        if self._times and at // self._width == self._times[-1] // self._width:
            self._join(value)
            return
        self._times.append(at)
        self._counts.append(1)
        for part in (self._totals, self._lows, self._highs):
            part.append(value)
        if self._times[0] <= at - 2 * self.span:
            self._forget(bisect_right(self._times, at - self.span))

    def fill(self, times: Iterable[int], values: Iterable[float]) -> None:
        """Have these samples, oldest first, in place of all that were taken."""
        self._forget(len(self._times))
        self._newest = -1
        for at, value in zip(times, values, strict=True):
            self.add(at, value)

    def read(self, aggregate: Aggregate, span: int, now: int, least: int = 1) -> float | None:
        """The aggregate over the `span` (ms) up to `now`; None when there are fewer than `least`.

        None also until the samples reach over half of the span: a minute is no hour.
        """
        first = bisect_right(self._times, now - span)
        count = sum(self._counts[first:])
        if count < max(1, least) or 2 * (now - self._times[first] + self._every) < span:
            return None
        if aggregate is Aggregate.LEAST:
            return min(self._lows[first:])
        if aggregate is Aggregate.MOST:
            return max(self._highs[first:])
        mean = sum(self._totals[first:]) / count
        return None if math.isnan(mean) else mean

    def _join(self, value: float) -> None:
        self._counts[-1] += 1
        self._totals[-1] += value
        self._lows[-1] = min(self._lows[-1], value)
        self._highs[-1] = max(self._highs[-1], value)

    def _forget(self, cells: int) -> None:
        for part in (self._times, self._counts, self._totals, self._lows, self._highs):
            del part[:cells]
