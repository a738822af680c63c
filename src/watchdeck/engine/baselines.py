"""How a signal usually is, and how it was a week before: what two kinds of rules look back on.

What is usual is found anew once an hour, and a value is held against it whenever a stretch of
time is over: a sample costs no more than an addition.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from watchdeck.domain.anomaly import (
    DAY,
    HOUR,
    LAG,
    QUARTER,
    REMEMBERED,
    SPAN,
    WEEK,
    Season,
    Seen,
    Usual,
    season,
    usual,
)
from watchdeck.engine.means import Means

STRETCH = 300_000
"""Milliseconds of a point; of endpoints that are scraped less often, their interval."""

SEASONS = 4 * WEEK
"""Milliseconds of hours in which a season is looked for."""

_CELLS = 48
"""A window against the week before is made of about so many means."""

_FEWEST = 4
"""Of the points of the long mean so many must be there; else the newest point alone counts."""

Samples = Iterable[tuple[int, float]]
"""Times (ms UTC) and values, oldest first."""


class Baseline(Protocol):
    """What is remembered of one signal of one endpoint."""

    signal: str

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none."""

    def reach(self) -> tuple[int, int, int]:
        """How far back (ms) it knows points, how many they are, and how far back hours."""

    def fill(self, points: Samples, hours: Samples) -> None:
        """Have these in place of all that was taken."""


class Now(NamedTuple):
    """The newest stretch against what is usual: its own value, and the mean of an hour.

    `season` is what its hour adds: values are without it. `ended` is when it was over (ms UTC).
    """

    seen: Seen
    point: float
    hour: float
    season: float
    ended: int


class Habit:
    """How one signal of one endpoint usually is, in 8 kB; its season takes 3 kB more.

    `now` is None until a day is known, and while the newest stretch has no value.
    """

    __slots__ = ("_due", "_finest", "_hours", "_points", "_season", "_season_due", "now", "signal",
                 "usual")  # fmt: skip

    def __init__(
        self, signal: str, finest: float, width: int, shift: int = 0, *, seasonal: bool = False
    ) -> None:
        self.signal, self._finest = signal, finest
        self._points = Means(width, SPAN // width + LAG, shift)
        self._hours = Means(HOUR, SEASONS // HOUR) if seasonal else None
        self._due = self._season_due = -1
        self._season: Season | None = None
        self.usual: Usual | None = None
        self.now: Now | None = None

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

    def reach(self) -> tuple[int, int, int]:
        """How far back (ms) it knows points, how many they are, and how far back hours."""
        width = self._points.width
        count = SPAN // width + LAG
        return count * width, count, 0 if self._hours is None else SEASONS

    def fill(self, points: Samples, hours: Samples) -> None:
        """Have these in place of all that was taken."""
        self._points.clear()
        for at, value in points:
            self._points.add(at, value)
        if self._hours is not None:
            self._hours.clear()
            for at, value in hours:
                self._hours.add(at, value)
        self._due = self._season_due = -1
        self._look()

    def past(self) -> Iterator[Now]:
        """The stretches of the time in which the unusual is remembered, by what is usual now."""
        points, width = self._points, self._points.width
        course = self._course(REMEMBERED // width + LAG)
        for past in range(LAG, len(course) + 1):
            found = self._against(course[past - LAG : past], points.number + past - len(course))
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
            self._season = season(known, hours.number + 1 - len(known))
        course = self._course(SPAN // points.width, LAG)
        self.usual = usual(course, self._finest, points.width)

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

    def _against(self, course: Sequence[float], number: int) -> Now | None:
        """The last of some points against what is usual; None when it is not known."""
        if self.usual is None or not course or math.isnan(course[-1]):
            return None
        quarter = [point for point in course[-QUARTER:] if point == point]  # noqa: PLR0124
        hour = [point for point in course if point == point]  # noqa: PLR0124 - not NaN
        point, mean = course[-1], sum(hour) / len(hour)
        out = self.usual.deviations
        means = (
            (out(sum(quarter) / len(quarter)), out(mean)) if len(hour) >= _FEWEST else (0.0,) * 2
        )
        begins = self._points.begins(number)
        added = self._season.at(begins + self._points.width // 2) if self._season else 0.0
        return Now(Seen(out(point), *means), point, mean, added, begins + self._points.width)


class Weeks:
    """The mean of a window of one signal, and that of the same window a week before.

    Either is None while less than half of its time is known. The window moves on in steps of five
    minutes or, when it is long, of a forty-eighth of it; the week before is as sharp as an hour.
    """

    __slots__ = ("_hours", "_points", "_window", "before", "now", "signal")

    def __init__(self, signal: str, window: int, width: int, shift: int = 0) -> None:
        self.signal, self._window = signal, window
        width = max(width, window // _CELLS)
        self._points = Means(width, -(-window // width) + 1, shift)
        self._hours = Means(HOUR, (WEEK + window) // HOUR + 2)
        self.now: float | None = None
        self.before: float | None = None

    def add(self, at: int, value: float) -> None:
        """Take a sample of `at` (ms UTC); NaN is none."""
        self._hours.add(at, value)
        if self._points.add(at, value) and self._points.number >= 0:
            self._look()

    def reach(self) -> tuple[int, int, int]:
        """How far back (ms) it knows points, how many they are, and how far back hours."""
        width = self._points.width
        count = -(-self._window // width) + 1
        return count * width, count, WEEK + self._window + 2 * HOUR

    def fill(self, points: Samples, hours: Samples) -> None:
        """Have these in place of all that was taken."""
        for means, samples in ((self._points, points), (self._hours, hours)):
            means.clear()
            for at, value in samples:
                means.add(at, value)
        self._look()

    def _look(self) -> None:
        end = self._points.ended
        now = self._points.mean(end - max(self._window, self._points.width), end)
        before = self._hours.mean(end - WEEK - self._window, end - WEEK)
        self.now = None if math.isnan(now) else now
        self.before = None if math.isnan(before) else before
