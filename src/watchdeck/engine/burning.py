"""How fast the error budget of an SLO is spent: good and bad of an endpoint over any window."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watchdeck.domain.rule import Pair

FURTHEST = 3 * 86_400_000
"""Milliseconds. No window of a burn looks back further."""

LEVELS = ((10_000, 3_600_000), (300_000, 6 * 3_600_000), (1_800_000, FURTHEST))
"""Widths of cells of time, and how far back each serves (ms): fine ones for short windows."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a budget burned over the two windows of a pair; 1 spends it all just in time."""

    pair: Pair
    long: float
    short: float

    @property
    def least(self) -> float:
        """The slower of the two, which must be over the pair's factor too."""
        return min(self.long, self.short)

    @property
    def too_fast(self) -> bool:
        """Whether both windows are over the pair's factor."""
        return self.least > self.pair.factor


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be lost: a share of all, of which `expected` come in a millisecond.

    Where fewer came, what was not seen counts as not lost. 0 expects nothing: of requests nobody
    knows how many there should be. A window with fewer than `least` is unknown.
    """

    share: float
    expected: float
    least: int = 1


class Burned:
    """The good and the bad of one endpoint by one measure, for three days, in 9 kB.

    `complete` tells that what was before the first sample is known too: until then nothing is
    found to be slow, and what is fast already is fast.
    """

    __slots__ = ("_bad", "_bad_at", "_levels", "_newest", "_total", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._begin()

    def _begin(self) -> None:
        self._levels = tuple(_Level(*level) for level in LEVELS)
        self._bad, self._total = 0.0, 0.0
        self._newest, self._bad_at = -1, -1

    def add(self, at: int, bad: float, total: float) -> None:
        """Count what a sample of `at` (ms UTC) brought; a clock set back a little stands still."""
        self._newest = max(self._newest, at)
        self._bad += bad
        self._total += total
        if bad:
            self._bad_at = self._newest
        for level in self._levels:
            level.put(self._newest, self._bad, self._total)

    def fill(self, counts: Iterable[tuple[int, float, float]]) -> None:
        """Have these counts (time, bad, total; oldest first) in place of all that was counted."""
        self._begin()
        for at, bad, total in counts:
            self.add(at, bad, total)
        self.complete = True

    def speeds(self, pairs: tuple[Pair, ...], budget: Budget) -> tuple[Speed, ...] | None:
        """How fast the budget burns at the newest sample, a speed for each pair that is known.

        None when nothing was bad for three days, for which nothing is computed.
        """
        if self._bad_at <= self._newest - FURTHEST and self.complete:
            return None
        return tuple(self._known(pairs, budget))

    def _known(self, pairs: tuple[Pair, ...], budget: Budget) -> Iterator[Speed]:
        for pair in pairs:
            long, short = self._speed(pair.long, budget), self._speed(pair.short, budget)
            if long is not None and short is not None:
                yield Speed(pair, long, short)

    def _speed(self, span: int, budget: Budget) -> float | None:
        level = next(one for one in self._levels if one.reach >= span)
        bad_before, total_before = level.before(self._newest - span)
        bad, total = self._bad - bad_before, self._total - total_before
        if total < budget.least or not total:
            return None
        may_be_lost = budget.share * max(total, budget.expected * span)
        if bad <= 0:
            return 0.0
        return bad / may_be_lost if may_be_lost else math.inf


class _Level:
    """Running totals at the end of each cell of time, in a ring: a window is two look-ups."""

    __slots__ = ("_bad", "_cell", "_size", "_total", "_width", "reach")

    def __init__(self, width: int, reach: int) -> None:
        self.reach = reach
        self._width, self._size = width, reach // width + 2
        self._cell = -1
        self._bad = array("d", bytes(8 * self._size))
        self._total = array("d", bytes(8 * self._size))

    def put(self, at: int, bad: float, total: float) -> None:
        """Keep the running totals of a moment; a cell in which nothing came keeps what was."""
        cell, size = at // self._width, self._size
        if cell > self._cell + 1 and self._cell >= 0:
            was = self._cell % size
            bad_was, total_was = self._bad[was], self._total[was]
            for passed in range(max(self._cell + 1, cell - size + 1), cell):
                self._bad[passed % size], self._total[passed % size] = bad_was, total_was
        self._cell = cell
        self._bad[cell % size], self._total[cell % size] = bad, total

    def before(self, moment: int) -> tuple[float, float]:
        """The running totals at the end of the cell that a moment is in."""
        oldest = self._cell - self._size + 1
        place = max(moment // self._width, oldest) % self._size
        return self._bad[place], self._total[place]
