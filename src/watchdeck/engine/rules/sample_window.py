"""Signals over the last minutes or hours, in little memory: what rules with a window look at."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable

from watchdeck.domain.rules.rule import Aggregate

CELLS = 240
"""Cells of a window: samples that come faster share one, with their sum and their extremes."""


class SampleWindow:
    """The newest samples of one signal of one endpoint, as far back as its rules look.

    `every` is the distance (ms) that samples should have. A sample takes 16 bytes; where more than
    CELLS would come within the span, they share cells of 40 bytes each, and the far edge is as
    sharp as a cell.
    """

    __slots__ = (
        "_counts",
        "_every",
        "_highs",
        "_hot_at",
        "_joins",
        "_least",
        "_lows",
        "_most",
        "_newest",
        "_times",
        "_totals",
        "_width",
        "span",
    )  # fmt: skip

    def __init__(self, span: int, every: int) -> None:
        self._every = every
        self._least, self._most = -math.inf, math.inf
        self.reach(span)

    def heed(self, limit: float, *, above: bool) -> None:
        """Be asked whether it is past this limit; to be told before the first sample."""
        if above:
            self._most = min(self._most, limit)
        else:
            self._least = max(self._least, limit)

    def reach(self, span: int) -> None:
        """Look back so far (ms), and begin anew: to be told before the first sample."""
        self.span, self._width = span, max(1, span // CELLS)
        self._joins = self._every < self._width
        self._newest = self._hot_at = -1
        self._times, self._totals, self._counts = array("q"), array("d"), array("q")
        self._lows = self._highs = self._totals
        if self._joins:
            self._lows, self._highs = array("d"), array("d")

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none, and a clock set back empties the window."""
        if value != value or at <= self._newest:  # noqa: PLR0124 - only NaN is not itself
            if at == self._newest or math.isnan(value):
                return
            self.reach(self.span)
        self._newest = at
        if not self._least <= value <= self._most:
            self._hot_at = at
        if self._joins:
            self._join(at, value)
        else:
            self._times.append(at)
            self._totals.append(value)
        if self._times[0] <= at - 2 * self.span:
            self._forget(bisect_right(self._times, at - self.span))

    def fill(self, times: Iterable[int], values: Iterable[float]) -> None:
        """Have these samples, oldest first, in place of all that were taken."""
        self.reach(self.span)
        for at, value in zip(times, values, strict=True):
            self.add(at, value)

    def quiet(self, now: int) -> bool:
        """Whether no sample is past any limit: then no mean and no extreme of them is."""
        return self._hot_at <= now - self.span

    def knows(self, span: int, now: int, least: int = 1) -> bool:
        """Whether there are so many samples in the `span` (ms) up to `now`.

        They must reach over half of it too: a minute is no hour.
        """
        times = self._times
        first = bisect_right(times, now - span)
        count = sum(self._counts[first:]) if self._joins else len(times) - first
        return count >= least and count > 0 and 2 * (now - times[first] + self._every) >= span

    def read(self, aggregate: Aggregate, span: int, now: int, least: int = 1) -> float | None:
        """The aggregate over the `span` (ms) up to `now`; None when too little is known."""
        if not self.knows(span, now, least):
            return None
        first = bisect_right(self._times, now - span)
        if aggregate is Aggregate.LEAST:
            return min(self._lows[first:])
        if aggregate is Aggregate.MOST:
            return max(self._highs[first:])
        count = sum(self._counts[first:]) if self._joins else len(self._times) - first
        mean = sum(self._totals[first:]) / count
        return None if math.isnan(mean) else mean

    def _join(self, at: int, value: float) -> None:
        if self._times and at // self._width == self._times[-1] // self._width:
            self._counts[-1] += 1
            self._totals[-1] += value
            self._lows[-1] = min(self._lows[-1], value)
            self._highs[-1] = max(self._highs[-1], value)
            return
        self._times.append(at)
        self._counts.append(1)
        for part in (self._totals, self._lows, self._highs):
            part.append(value)

    def _forget(self, cells: int) -> None:
        parts = {id(part): part for part in (self._totals, self._lows, self._highs)}
        del self._times[:cells], self._counts[:cells]
        for part in parts.values():
            del part[:cells]
