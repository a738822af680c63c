"""Ring of recent samples of one signal, from which windowed rules compute their aggregates."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable

from watchdeck.domain.rules.rule import Aggregate

CELLS = 240
"""Maximum number of cells; more frequent samples share one (sum, count, minimum, maximum)."""


class SampleWindow:
    """The samples of one signal of one endpoint over the longest window of its rules.

    `every` is the scrape interval (ms). A sample takes 16 bytes. When more than CELLS samples would
    be held, those in the same slice of time are merged into a cell (sum, count, minimum, maximum)
    of 40 bytes, and a window can only begin where a cell does.
    """

    __slots__ = (
        "_counts",
        "_every",
        "_high_limit",
        "_highs",
        "_last_past_limit",
        "_low_limit",
        "_lows",
        "_newest",
        "_shares_cells",
        "_times",
        "_totals",
        "_width",
        "span",
    )  # fmt: skip

    def __init__(self, span: int, every: int) -> None:
        self._every = every
        self._low_limit, self._high_limit = -math.inf, math.inf
        self.set_span(span)

    def register_limit(self, limit: float, *, above: bool) -> None:
        """Register a limit on samples above (or below) it, which `is_quiet` checks.

        Call it before the first sample.
        """
        if above:
            self._high_limit = min(self._high_limit, limit)
        else:
            self._low_limit = max(self._low_limit, limit)

    def set_span(self, span: int) -> None:
        """Set the length of the window (ms), and empty it; call before the first sample."""
        self.span, self._width = span, max(1, span // CELLS)
        self._shares_cells = self._every < self._width
        self._newest = self._last_past_limit = -1
        self._times, self._totals, self._counts = array("q"), array("d"), array("q")
        self._lows = self._highs = self._totals
        if self._shares_cells:
            self._lows, self._highs = array("d"), array("d")

    def add(self, at: int, value: float) -> None:
        """Add a sample (`at` in ms UTC) unless it is NaN; a clock set back empties the window."""
        if value != value or at <= self._newest:  # noqa: PLR0124 - only NaN is not itself
            if at == self._newest or math.isnan(value):
                return
            self.set_span(self.span)
        self._newest = at
        if not self._low_limit <= value <= self._high_limit:
            self._last_past_limit = at
        if self._shares_cells:
            self._add_to_cell(at, value)
        else:
            self._times.append(at)
            self._totals.append(value)
        if self._times[0] <= at - 2 * self.span:
            self._drop_oldest(bisect_right(self._times, at - self.span))

    def fill(self, times: Iterable[int], values: Iterable[float]) -> None:
        """Replace all samples by these, oldest first."""
        self.set_span(self.span)
        for at, value in zip(times, values, strict=True):
            self.add(at, value)

    def is_quiet(self, now: int) -> bool:
        """Whether no sample in the window up to `now` (ms UTC) passes a registered limit.

        Then no mean, minimum or maximum of them does.
        """
        return self._last_past_limit <= now - self.span

    def has_enough(self, span: int, now: int, least: int = 1) -> bool:
        """Whether the `span` ms up to `now` hold `least` samples, the first in the older half."""
        times = self._times
        first = bisect_right(times, now - span)
        count = sum(self._counts[first:]) if self._shares_cells else len(times) - first
        return count >= least and count > 0 and 2 * (now - times[first] + self._every) >= span

    def aggregate(self, aggregate: Aggregate, span: int, now: int, least: int = 1) -> float | None:
        """The aggregate over the last `span` (ms) up to `now`; None without enough samples."""
        if not self.has_enough(span, now, least):
            return None
        first = bisect_right(self._times, now - span)
        if aggregate is Aggregate.LEAST:
            return min(self._lows[first:])
        if aggregate is Aggregate.MOST:
            return max(self._highs[first:])
        count = sum(self._counts[first:]) if self._shares_cells else len(self._times) - first
        mean = sum(self._totals[first:]) / count
        return None if math.isnan(mean) else mean

    def _add_to_cell(self, at: int, value: float) -> None:
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

    def _drop_oldest(self, cells: int) -> None:
        parts = {id(part): part for part in (self._totals, self._lows, self._highs)}
        del self._times[:cells], self._counts[:cells]
        for part in parts.values():
            del part[:cells]
