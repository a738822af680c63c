"""How fast the error budget of an SLO is spent: good and bad of an endpoint over any window."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

from msgspec import Struct

from watchdeck.domain.rules.rule import BurnRateWindows

FURTHEST = 3 * 86_400_000
"""Milliseconds. No window of a burn looks back further."""

LEVELS = ((10_000, 3_600_000), (300_000, 6 * 3_600_000), (1_800_000, FURTHEST))
"""Widths of cells of time, and how far back each serves (ms): fine ones for short windows."""


class BurnRate(Struct, frozen=True):
    """How fast a budget burned over the two windows of a pair; 1 spends it all just in time."""

    pair: BurnRateWindows
    long: float
    short: float

    @property
    def least(self) -> float:
        """The slower of the two, which must be over the pair's factor too."""
        return min(self.long, self.short)


class ErrorBudget(Struct, frozen=True):
    """What may be lost: a share of all, of which `expected` come in a millisecond.

    Where fewer came, what was not seen counts as not lost. 0 expects nothing: of requests nobody
    knows how many there should be. A window with fewer than `least` is unknown.
    """

    share: float
    expected: float
    least: int = 1


class BudgetConsumption:
    """The good and the bad of one endpoint by one measure, for three days, in 9 kB.

    `complete` tells that what was before the first sample is known too: until then nothing is
    found to be slow, and what is fast already is fast.
    """

    __slots__ = ("_bad", "_heeded", "_hot_at", "_levels", "_longest", "_newest", "_total",
                 "complete")  # fmt: skip

    def __init__(self) -> None:
        self.complete = False
        self._heeded, self._longest = math.inf, 0
        self._begin()

    def _begin(self) -> None:
        self._levels = tuple(_WindowTotals(*level) for level in LEVELS)
        self._bad, self._total = 0.0, 0.0
        self._newest, self._hot_at = -1, -1

    def heed(self, pairs: tuple[BurnRateWindows, ...], share: float) -> None:
        """Be asked about these pairs, of a budget of this share; to be told before any sample."""
        self._heeded = min(self._heeded, share * min(pair.factor for pair in pairs))
        self._longest = max(self._longest, *(pair.short for pair in pairs))

    def add(self, at: int, bad: float, total: float) -> None:
        """Count what a sample of `at` (ms UTC) brought; a clock set back a little stands still."""
        at = max(at, self._newest)
        for level in self._levels:
            if at >= level.edge:
                level.go_on(at, self._bad, self._total)
        self._newest = at
        self._bad += bad
        self._total += total
        if bad > self._heeded * total:
            self._hot_at = at

    def fill(self, counts: Iterable[tuple[int, float, float]]) -> None:
        """Have these counts (time, bad, total; oldest first) in place of all that was counted."""
        self._begin()
        for at, bad, total in counts:
            self.add(at, bad, total)
        self.complete = True

    @property
    def quiet(self) -> bool:
        """Whether no sample of any short window lost enough: then no pair can be too fast.

        A window loses no greater share than the worst of its samples, so nothing is computed.
        """
        return self._hot_at <= self._newest - self._longest

    def too_fast(self, pairs: tuple[BurnRateWindows, ...], budget: ErrorBudget) -> bool | None:
        """Whether the budget burns too fast in both windows of any pair, at the newest sample.

        None when too little was seen to say that it does not. It is asked of every sample, so it
        looks no further than it must.
        """
        known = self.complete
        for pair in pairs:
            short = self._speed(pair.short, budget)
            if short is None:
                known = False
            elif short > pair.factor and (self._speed(pair.long, budget) or 0.0) > pair.factor:
                return True
        return False if known else None

    def speeds(
        self, pairs: tuple[BurnRateWindows, ...], budget: ErrorBudget
    ) -> tuple[BurnRate, ...]:
        """How fast the budget burns at the newest sample, a speed for each pair that is known."""
        found = (
            (pair, self._speed(pair.long, budget), self._speed(pair.short, budget))
            for pair in pairs
        )
        return tuple(
            BurnRate(pair, long, short)
            for pair, long, short in found
            if long is not None and short is not None
        )

    def _speed(self, span: int, budget: ErrorBudget) -> float | None:
        fine, middle, coarse = self._levels
        level = fine if span <= fine.reach else middle if span <= middle.reach else coarse
        bad_before, total_before = level.before(self._newest - span)
        total = self._total - total_before
        if total < budget.least or not total:
            return None
        bad = self._bad - bad_before
        if bad <= 0:
            return 0.0
        expected = budget.expected * span
        may_be_lost = budget.share * (max(total, expected))
        return bad / may_be_lost if may_be_lost else math.inf


class _WindowTotals:
    """Running totals at the end of each cell of time, in a ring: a window is two look-ups.

    `edge` is where the newest cell ends (ms UTC).
    """

    __slots__ = ("_bad", "_size", "_total", "_width", "edge", "reach")

    def __init__(self, width: int, reach: int) -> None:
        self.reach, self.edge = reach, 0
        self._width, self._size = width, reach // width + 2
        self._bad = array("d", bytes(8 * self._size))
        self._total = array("d", bytes(8 * self._size))

    def go_on(self, at: int, bad: float, total: float) -> None:
        """Go on to the cell of `at`; those that end before it have these running totals."""
        width, size = self._width, self._size
        cell, newest = at // width, self.edge // width - 1
        for passed in range(newest if newest > cell - size else cell - size + 1, cell):
            place = passed % size
            self._bad[place], self._total[place] = bad, total
        self.edge = (cell + 1) * width

    def before(self, moment: int) -> tuple[float, float]:
        """The running totals at the end of the cell that a moment is in, which must be over."""
        cell, oldest = moment // self._width, self.edge // self._width - self._size
        place = (max(oldest, cell)) % self._size
        return self._bad[place], self._total[place]
