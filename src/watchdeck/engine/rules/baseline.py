"""How a signal usually is, and how it was a week before: what two kinds of rules look back on.

What is usual is found anew once an hour, and a value is held against it whenever a stretch of
time is over: a sample costs no more than an addition.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from watchdeck.domain.rules.anomaly import (
    DAY,
    HOUR,
    LAG,
    QUARTER,
    REMEMBERED,
    SPAN,
    WEEK,
    Baseline,
    Deviation,
    Seasonality,
    baseline_of,
    seasonality_of,
)
from watchdeck.engine.rules.bucket_means import NONE, BucketMeans, Buckets, Samples

STRETCH = 300_000
"""Milliseconds of a point; of endpoints that are scraped less often, their interval."""

SEASONS = 4 * WEEK
"""Milliseconds of hours in which a season is looked for."""

_CELLS = 48
"""A window against the week before is made of about so many means."""

_COARSE = 900_000
"""Milliseconds of a mean of the week before."""

_FEWEST = 4
"""Of the points of the long mean so many must be there; else the newest point alone counts."""


class SampleHistory(Protocol):
    """What is remembered of one signal of one endpoint."""

    signal: str

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none."""

    def reach(self, end: int) -> tuple[Buckets, Buckets]:
        """The points before `end` (ms UTC) that it knows, the fine and the coarse."""

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Have these in place of all that was taken."""


class BaselineDeviation(NamedTuple):
    """The newest stretch, and the hour that it ends, against what is usual then.

    `ended` is when it was over (ms UTC).
    """

    seen: Deviation
    point: float
    hour: float
    usual: Baseline
    ended: int


class SignalBaseline:
    """How one signal of one endpoint usually is, in 8 kB; its season takes 3 kB more.

    `now` is None until a day is known, and while the newest stretch has no value.
    """

    __slots__ = ("_due", "_finest", "_hours", "_points", "_season", "_season_due", "_usual", "now",
                 "signal")  # fmt: skip

    def __init__(
        self, signal: str, finest: float, width: int, shift: int = 0, *, seasonal: bool = False
    ) -> None:
        self.signal, self._finest = signal, finest
        self._points = BucketMeans(width, SPAN // width + LAG, shift)
        self._hours = BucketMeans(HOUR, SEASONS // HOUR) if seasonal else None
        self._due = self._season_due = -1
        self._season: Seasonality | None = None
        self._usual: Baseline | None = None
        self.now: BaselineDeviation | None = None

    @property
    def patience(self) -> int:
        """For how long (ms) what is unusual may be away and is still the same."""
        return LAG * self._points.width

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none."""
        if self._hours is not None:
            self._hours.add(at, value)
        if self._points.add(at, value) and self._points.number >= 0:
            self._look()

    def reach(self, end: int) -> tuple[Buckets, Buckets]:
        """The points before `end` (ms UTC) that it knows, the fine and the coarse."""
        return self._points.before(end), self._hours.before(end) if self._hours else NONE

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Have these in place of all that was taken."""
        self._points.fill(points)
        if self._hours is not None:
            self._hours.fill(coarse)
        self._due = self._season_due = -1
        self._look()

    def past(self, least: float) -> Iterator[BaselineDeviation]:
        """The stretches of the last days that may be unusual, by what is usual now.

        Left out are those after three points that are all less than `least` deviations out.
        """
        if self._usual is None:
            return
        points, out = self._points, self._usual.deviations
        course = self._course(REMEMBERED // points.width + LAG)
        loud = -QUARTER
        for place, point in enumerate(course):
            if abs(out(point)) >= least:
                loud = place
            if place >= LAG - 1 and place - loud < QUARTER:
                number = points.number + 1 + place - len(course)
                found = self._against(course[place + 1 - LAG : place + 1], number)
                if found is not None:
                    yield found

    def _look(self) -> None:
        if self._points.number >= self._due:
            self._learn()
        self.now = self._against(self._course(LAG), self._points.number)

    def _learn(self) -> None:
        """Find out what is usual, and once a day the season."""
        points, hours = self._points, self._hours
        self._due = points.number + max(1, HOUR // points.width)
        if hours is not None and points.number >= self._season_due:
            self._season_due = points.number + max(1, DAY // points.width)
            known = hours.newest(SEASONS // HOUR)
            self._season = seasonality_of(known, hours.number + 1 - len(known))
        course = self._course(SPAN // points.width, LAG)
        self._usual = baseline_of(course, self._finest, points.width)

    def _course(self, count: int, lag: int = 0) -> Sequence[float]:
        """The newest points, without what their hours add."""
        points = self._points
        found, added = points.newest(count, lag), self._season
        if added is None:
            return found
        middle = points.begins(points.number + 1 - lag - len(found)) + points.width // 2
        return [
            point - added.at(middle + place * points.width) for place, point in enumerate(found)
        ]

    def _against(self, course: Sequence[float], number: int) -> BaselineDeviation | None:
        """The last of some points against what is usual; None when it is not known."""
        if self._usual is None or not course or math.isnan(course[-1]):
            return None
        added, begins = 0.0, self._points.begins(number)
        if self._season is not None:
            added = self._season.at(begins + self._points.width // 2)
        usual = self._usual.raised(added)
        point, out = course[-1] + added, usual.deviations
        hour = [one + added for one in course if one == one]  # noqa: PLR0124 - not NaN
        quarter = [one + added for one in course[-QUARTER:] if one == one]  # noqa: PLR0124
        mean = sum(hour) / len(hour)
        means = (0.0, 0.0)
        if len(hour) >= _FEWEST:
            means = out(sum(quarter) / len(quarter)), out(mean)
        ended = begins + self._points.width
        return BaselineDeviation(Deviation(out(point), *means), point, mean, usual, ended)


class WeekOverWeek:
    """The mean of a window of one signal, and the means of that window a week before.

    The week before is looked at as it was, and a quarter of the window sooner and later: what is
    done at some hour is not always done on the minute. Less than half of a window is nothing. The
    window moves on in steps of five minutes or, when it is long, of a forty-eighth of it.
    """

    __slots__ = ("_points", "_week", "_window", "before", "now", "signal")

    def __init__(self, signal: str, window: int, width: int, shift: int = 0) -> None:
        self.signal, self._window = signal, window
        width = max(width, window // _CELLS)
        self._points = BucketMeans(width, -(-window // width) + 1, shift)
        coarse = max(width, _COARSE)
        self._week = BucketMeans(coarse, (WEEK + 2 * window) // coarse + 2)
        self.now: float | None = None
        self.before: tuple[float, ...] = ()

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none."""
        self._week.add(at, value)
        if self._points.add(at, value) and self._points.number >= 0:
            self._look()

    def reach(self, end: int) -> tuple[Buckets, Buckets]:
        """The points before `end` (ms UTC) that it knows, the fine and the coarse."""
        return self._points.before(end), self._week.before(end)

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Have these in place of all that was taken."""
        self._points.fill(points)
        self._week.fill(coarse)
        self._look()

    def _look(self) -> None:
        end, span = self._points.ended, self._window
        now = self._points.mean(end - max(span, self._points.width), end)
        ends = (end - WEEK + shift for shift in (0, -span // 4, span // 4))
        before = [self._week.mean(past - span, past) for past in ends]
        self.now = None if math.isnan(now) else now
        self.before = tuple(one for one in before if one == one)  # noqa: PLR0124 - not NaN
