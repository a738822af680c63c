"""How far a signal is from how it usually is: the two-speed robust rule.

Of the points of a week but for its newest hour (a point is the mean of five minutes, or of one
scrape where those are rarer):

    centre     = their median
    spread     = on either side of it the largest of (Q84 - centre) / 0.994, (Q95 - centre) / 1.645,
                 (Q99.5 - centre) / 2.576, 5 % of the centre, and the finest step of the unit
    deviations = (value - centre) / spread of its side

Unusual is a point more than `high` deviations out, or twelve points (an hour) whose mean is more
than `low` out while that of the newest three (a quarter of an hour) is too.

The divisors are those quantiles of the normal distribution, so that a spread is its standard
deviation; the side that has the longer tail has the larger spread. Half of the points may be wrong
before the centre follows them. A level that lasts is usual within a day: by then it is more than a
twentieth of the week and has widened the spread. What never varies has the floor for a spread.

Sources: Hampel's identifier (1974), with quantiles where the median absolute deviation is zero for
a signal that mostly is one value; the zones of the Western Electric rules (1956) for two speeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from msgspec import Struct

from watchdeck.domain.rules.rule import Anomaly
from watchdeck.domain.values.units import Unit

HOUR = 3_600_000
DAY, WEEK = 24 * HOUR, 168 * HOUR

SPAN = WEEK
"""Milliseconds of points that tell what is usual."""

LAG = 12
"""The newest points, which say nothing of what is usual: an hour of trouble is not."""

QUARTER = 3
"""Points of the short mean; the long one is of LAG."""

REMEMBERED = 3 * DAY
"""Milliseconds for which what was unusual is no news again."""

WORSE = 1.3
"""So many times as far out is news all the same."""

_SHARE = 0.05
"""The least spread, as a share of the centre."""

FINEST: dict[Unit, float] = {
    Unit.RATIO: 0.002,
    Unit.SECONDS: 0.001,
    Unit.PER_SECOND: 0.05,
    Unit.COUNT: 1.0,
    Unit.BYTES: float(1 << 20),
    Unit.DAYS: 0.1,
}
"""The least spread in each unit: one error of a signal that is always 0 is not infinitely far."""

_TAILS = ((0.84, 0.9945), (0.95, 1.6449), (0.995, 2.5758))
_FEWEST = 24


class Deviation(NamedTuple):
    """How many deviations out the newest point is, and the means of three and of twelve."""

    point: float
    quarter: float
    hour: float


class Baseline(Struct, frozen=True):
    """What is usual of a signal: its centre, and one deviation above and below it."""

    centre: float
    above: float
    below: float

    def deviations(self, value: float) -> float:
        """How many deviations out a value is, less than 0 below the centre."""
        apart = value - self.centre
        return apart / (self.above if apart > 0 else self.below)

    def raised(self, by: float) -> Baseline:
        """What is usual at a time that adds so much."""
        centre = self.centre + by
        least = _SHARE * abs(centre)
        return Baseline(centre, max(self.above, least), max(self.below, least))

    def value(self, deviations: float) -> float:
        """The value that is so many deviations out."""
        return self.centre + deviations * (self.above if deviations > 0 else self.below)


def baseline_of(points: Sequence[float], finest: float, width: int) -> Baseline | None:
    """What is usual of points that each stand for `width` ms; None of less than a day of them.

    NaN is a point that there is not.
    """
    known = sorted(point for point in points if point == point)  # noqa: PLR0124 - not NaN
    if len(known) < max(_FEWEST, DAY // width):
        return None
    centre = _quantile(known, 0.5)
    least = max(finest, _SHARE * abs(centre))
    above = max((_quantile(known, share) - centre) / sigmas for share, sigmas in _TAILS)
    below = max((centre - _quantile(known, 1 - share)) / sigmas for share, sigmas in _TAILS)
    return Baseline(centre, max(above, least), max(below, least))


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    first = int(place)
    low, high = ordered[first], ordered[min(first + 1, len(ordered) - 1)]
    return low + (high - low) * (place - first)


def deviation_of(seen: Deviation, test: Anomaly) -> float:
    """How far out it is on the sides that count, by the nearer of the test's limits: 1 is at it."""
    high, low = test.high, test.low
    above = max(seen.point / high, min(seen.quarter, seen.hour) / low)
    if test.above:
        return above
    below = max(-seen.point / high, -max(seen.quarter, seen.hour) / low)
    return below if test.above is False else max(above, below)


class NoveltyGate:
    """Whether what is unusual is news: the flap gate.

    What comes and goes is news once in three days, and again when it is `WORSE` times as far out
    as the last time. A signal that leaves its usual course every night says so once.
    """

    __slots__ = ("_begun", "_farthest", "_last", "_patience")

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._begun, self._last, self._farthest = -REMEMBERED, -REMEMBERED, 0.0

    def tells(self, far: float, at: int) -> bool:
        """Whether something so far out at `at` (ms UTC) is news, or goes on to be.

        Within `patience` (ms) of the last time it goes on.
        """
        if 0 <= at - self._last <= self._patience:
            self._last, self._farthest = at, max(far, self._farthest)
            return True
        if 0 <= at - self._begun < REMEMBERED and far <= WORSE * self._farthest:
            return False
        self._begun = self._last = at
        self._farthest = far
        return True


class Seasonality(Struct, frozen=True):
    """What each hour of the day (24), or of the week (168), adds to a signal."""

    hours: tuple[float, ...]

    def at(self, moment: int) -> float:
        """What a moment (ms UTC) adds, between the middles of two hours."""
        whole, rest = divmod(moment - HOUR // 2, HOUR)
        before, after = (
            self.hours[whole % len(self.hours)],
            self.hours[(whole + 1) % len(self.hours)],
        )
        return before + (after - before) * rest / HOUR


def seasonality_of(means: Sequence[float], first: int) -> Seasonality | None:
    """The season that hourly means show, of which the first is of hour `first` since the epoch.

    An hour of the day or, once three weeks are known, of the week is the median of its like. It is
    a season when each hour is foretold by the others like it much better than by the median of
    all: what is left is at most 0.6 of their spread, and a week must leave less than 0.8 of what a
    day leaves. NaN is an hour that there is not. None when there is no season.
    """
    known = [mean for mean in means if mean == mean]  # noqa: PLR0124 - not NaN
    if not known:
        return None
    middle = median(known)
    best, left = None, _CLEARLY * median(abs(mean - middle) for mean in known)
    for period, fewest, clearly in ((24, 4, 1.0), (168, 3, 0.8)):
        groups = _groups(means, first, period)
        if min(map(len, groups)) < fewest:
            continue
        rest = median(_left(groups))
        if rest < clearly * left:
            best, left = Seasonality(tuple(median(group) - middle for group in groups)), rest
    return best


_CLEARLY = 0.6


def _groups(means: Sequence[float], first: int, period: int) -> list[list[float]]:
    groups: list[list[float]] = [[] for _ in range(period)]
    for number, mean in enumerate(means, first):
        if not math.isnan(mean):
            groups[number % period].append(mean)
    return groups


def _left(groups: Sequence[list[float]]) -> Iterator[float]:
    """How far each value is from the median of the others in its group."""
    for group in groups:
        for place, value in enumerate(group):
            yield abs(value - median(group[:place] + group[place + 1 :]))
