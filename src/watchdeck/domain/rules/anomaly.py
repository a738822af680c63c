"""How far a signal is from its baseline: the two-speed robust rule.

From the points of a week without its newest hour (a point is the mean of five minutes, or of one
scrape when scrapes are rarer):

    centre     = their median
    spread     = on each side of it, the largest of (Q84 - centre) / 0.994, (Q95 - centre) / 1.645,
                 (Q99.5 - centre) / 2.576, 5 % of the centre, and the least step of the unit
    deviations = (value - centre) / spread of its side

An anomaly is a point more than `high` deviations out, or an hour (twelve points) whose mean is more
than `low` out while the mean of its last quarter (three points) is too.

The divisors are the quantiles of the normal distribution, so that for it a spread is one standard
deviation; the side with the longer tail has the larger spread. Half of the points may be wrong
before the centre follows them. A new level becomes usual within a day: by then it fills more than a
twentieth of the week and has widened the spread. A constant signal has the least spread.

Sources: Hampel's identifier (1974), with quantiles because the median absolute deviation is zero
for a signal that mostly has one value; the zones of the Western Electric rules (1956) for the two
speeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from msgspec import Struct

from watchdeck.domain.rules.rule import SEASON_DAYS, Anomaly
from watchdeck.domain.values.units import Unit

HOUR = 3_600_000
DAY, WEEK = 24 * HOUR, 168 * HOUR

SPAN = WEEK
"""Length (ms) of the history that makes a baseline."""

LAG = 12
"""Number of newest points left out of a baseline: an hour of trouble must not become usual."""

QUARTER = 3
"""Points of the short mean; the long mean has LAG points."""

REMEMBERED = 3 * DAY
"""Milliseconds after an anomaly during which the same anomaly is not news."""

WORSE = 1.3
"""An anomaly this many times as far out as the last one is news at once."""

_SHARE = 0.05
"""The least spread, as a share of the centre."""

FINEST: dict[Unit, float] = {
    Unit.RATIO: 0.002,
    Unit.SECONDS: 0.001,
    Unit.PER_SECOND: 0.05,
    Unit.COUNT: 1.0,
    Unit.BYTES: float(1 << 20),
    Unit.DAYS: 0.1,
    Unit.CELSIUS: 1.0,
}
"""The least spread of each unit: one error after a week of zeros is not infinitely far out."""

_TAILS = ((0.84, 0.9945), (0.95, 1.6449), (0.995, 2.5758))
_FEWEST = 24

_SEASON_WEEKS = 3
"""Weeks of history with which the season of a week can be known."""

_SEASON_RESIDUAL = 0.6
"""The largest part of the spread that a season may leave unexplained."""


class Deviation(NamedTuple):
    """Deviations from the baseline: of the newest point, and the means of the newest 3 and 12."""

    point: float
    quarter: float
    hour: float


class Baseline(Struct, frozen=True):
    """The usual level of a signal: its centre, and the size of one deviation above and below it."""

    centre: float
    above: float
    below: float

    def deviations(self, value: float) -> float:
        """How many deviations a value is from the centre; negative below it."""
        distance = value - self.centre
        return distance / (self.above if distance > 0 else self.below)

    def with_offset(self, offset: float) -> Baseline:
        """The baseline with its centre moved by `offset`, such as the seasonal part of an hour."""
        centre = self.centre + offset
        least = _SHARE * abs(centre)
        return Baseline(centre, max(self.above, least), max(self.below, least))

    def value(self, deviations: float) -> float:
        """The value at that many deviations from the centre."""
        return self.centre + deviations * (self.above if deviations > 0 else self.below)


def baseline_of(points: Sequence[float], finest: float, width: int) -> Baseline | None:
    """The baseline of points of `width` ms each; None with less than a day of them.

    NaN is a missing point. A deviation is at least `finest`, in the signal's unit.
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


def anomaly_score(deviation: Deviation, test: Anomaly) -> float:
    """A deviation divided by its limit; above 1 is an anomaly.

    The point is divided by `high`, and the nearer of the two means by `low`; the larger result
    counts. Only the sides (above, below) that the test watches are compared.
    """
    high, low = test.high, test.low
    above = max(deviation.point / high, min(deviation.quarter, deviation.hour) / low)
    if test.above:
        return above
    below = max(-deviation.point / high, -max(deviation.quarter, deviation.hour) / low)
    return below if test.above is False else max(above, below)


class NoveltyGate:
    """Decides whether an anomaly is news, so that one that comes and goes does not alert each time.

    An anomaly is news once in three days, and again when it is `WORSE` times as far out as the
    last one. A signal that leaves its baseline every night alerts once.
    """

    __slots__ = ("_begun", "_farthest", "_last", "_max_gap")

    def __init__(self, max_gap: int) -> None:
        self._max_gap = max_gap
        self._begun, self._last, self._farthest = -REMEMBERED, -REMEMBERED, 0.0

    def is_news(self, score: float, at: int) -> bool:
        """Whether an anomaly at `at` (ms UTC) is news, or continues one that was.

        An anomaly within `max_gap` ms of the last one continues it. `score` is that of
        `anomaly_score`.
        """
        if 0 <= at - self._last <= self._max_gap:
            self._last, self._farthest = at, max(score, self._farthest)
            return True
        if 0 <= at - self._begun < REMEMBERED and score <= WORSE * self._farthest:
            return False
        self._begun = self._last = at
        self._farthest = score
        return True


class Seasonality(Struct, frozen=True):
    """The offset of each hour of the day (24 values) or week (168) from a signal's usual level."""

    hours: tuple[float, ...]

    def offset_at(self, at: int) -> float:
        """The offset at `at` (ms UTC), interpolated between the middles of two hours."""
        whole, rest = divmod(at - HOUR // 2, HOUR)
        before = self.hours[whole % len(self.hours)]
        after = self.hours[(whole + 1) % len(self.hours)]
        return before + (after - before) * rest / HOUR


def seasonality_of(means: Sequence[float], first: int) -> Seasonality | None:
    """The seasonality of hourly means; None without a season.

    `first` is the hour since the epoch of the first mean; NaN is a missing hour. The level of an
    hour of the day, once `SEASON_DAYS` days are known, is the median of its means; so is that of an
    hour of the week, once three weeks are known. There
    is a season when the means are much nearer to the median of the others of their hour than to the
    median of all: less than 0.6 times as far, by the median distance. A weekly season must also be
    less than 0.8 times as far as a daily one.
    """
    known = [mean for mean in means if mean == mean]  # noqa: PLR0124 - not NaN
    if not known:
        return None
    middle = median(known)
    best, residual = None, _SEASON_RESIDUAL * median(abs(mean - middle) for mean in known)
    for period, fewest, factor in ((24, SEASON_DAYS, 1.0), (168, _SEASON_WEEKS, 0.8)):
        groups = _group_by_hour(means, first, period)
        if min(map(len, groups)) < fewest:
            continue
        rest = median(_residuals(groups))
        if rest < factor * residual:
            best, residual = Seasonality(tuple(median(group) - middle for group in groups)), rest
    return best


def _group_by_hour(means: Sequence[float], first: int, period: int) -> list[list[float]]:
    groups: list[list[float]] = [[] for _ in range(period)]
    for number, mean in enumerate(means, first):
        if not math.isnan(mean):
            groups[number % period].append(mean)
    return groups


def _residuals(groups: Sequence[list[float]]) -> Iterator[float]:
    """The distance of each value from the median of the others in its group."""
    for group in groups:
        ordered = sorted(group)
        half, is_odd = divmod(len(ordered) - 1, 2)
        for place, value in enumerate(ordered):
            # without the value at `place`, those after it are one place further down
            upper = ordered[half + (place <= half)]
            lower = upper if is_odd else ordered[half - 1 + (place <= half - 1)]
            yield abs(value - (lower + upper) / 2)
